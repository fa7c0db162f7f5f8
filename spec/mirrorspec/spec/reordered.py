"""The protocol with one order changed: what breaks nothing, to be proved anew, and what breaks it, with its counterexample.

Each is written as a deviation is, and `mirrorspec check --deviate NAME` searches it. Which row of the table of reorderings
it decides stands there (`reorderings`).
"""

from __future__ import annotations

from mirrorspec.spec.configuration import HARDENED, SEED, Hold
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.steps import reordered

_IN_CACHE = HARDENED.with_options(hold=Hold.IN_CACHE)
ALTERED: dict[str, Deviation] = {
    d.name: d
    for d in (
        Deviation(
            "created_when_last_merged",
            "change recording is created long before acknowledgements stop: it is left empty by the last merge",
            "standard",
            "1u1t2w",
            forgets=("start_increment.change_recording",),
            harmless="nothing is recorded outside an increment, so it is still empty when a unit joins",
        ),
        Deviation(
            "created_with_run",
            "change recording is created with run, after acknowledgements have stopped",
            "standard",
            "1u1t2w",
            forgets=("start_increment.change_recording",),
            puts=(reordered.run_and_create,),
            harmless="writes wait before the cache, so nothing is recorded before run",
        ),
        Deviation(
            "merged_after_normal",
            "the mode is normal (860) before the merge (858), and the next start increment waits for the merge",
            "standard",
            "1u1t2w",
            puts=(*reordered.left_before_merged, reordered.merge_later, reordered.join_once_merged),
            harmless="a mark in change recording does not get lost as long as no increment creates it anew",
        ),
        Deviation(
            "flashed_unit_by_unit",
            "a unit's volumes are flashed as soon as that unit has drained, while others still drain",
            "standard",
            "2u2t2w",
            puts=(reordered.flash_once_drained,),
            harmless="the flash is revertible, and final only when all are flashed",
        ),
        Deviation(
            "completed_with_flash",
            "increment complete (854) is sent to the primaries together with the flash (852), not after it",
            "standard",
            "2u2t2w",
            puts=(reordered.complete_once_drained,),
            harmless="what a unit sends after it has left taints the volume, which then refuses the flash",
        ),
    )
}
"""The protocol with one order changed and nothing broken: proved for every safe combination that has what is changed."""

REORDERED: dict[str, Deviation] = {
    d.name: d
    for d in (
        Deviation(
            "normal_before_merged",
            "the mode is normal (860) before the merge (858), and the next increment does not wait for the merge",
            "reliable",
            "1u1t2w",
            puts=(*reordered.left_before_merged, reordered.merge_later),
        ),
        Deviation(
            "created_with_run_in_cache",
            "change recording is created with run, though writes that wait in the cache are recorded before",
            "reliable",
            "1u1t2w",
            forgets=("start_increment.change_recording",),
            puts=(reordered.run_and_create,),
            configuration=_IN_CACHE,
        ),
        Deviation(
            "acknowledged_while_held",
            "change recording is created, and acknowledgements do not stop until run, though writes enter the cache",
            "reliable",
            "2u2t3w",
            drops=("acknowledge_write.released",),
            configuration=_IN_CACHE,
        ),
        Deviation(
            "acknowledged_before_cache",
            "a write is reported complete before it is in the cache",
            "reliable",
            "1u1t2w",
            puts=(reordered.acknowledge_before_cache,),
        ),
        Deviation(
            "cleared_when_sent",
            "the out-of-sync bit is cleared (608, 758) when the track is sent, before that is acknowledged",
            "reliable",
            "1u1t2w",
            puts=(reordered.clear_when_sent,),
        ),
        Deviation(
            "copied_after_written",
            "the write enters the cache (734) before the old image is copied (732)",
            "reliable",
            "1u2t3w",
            puts=(reordered.copy_after_write,),
        ),
        Deviation(
            "tainted_after_data",
            "the secondary applies late data before it records the taint",
            "standard",
            "2u2t2w",
            forgets=("deliver_track.tainted",),
        ),
        Deviation(
            "flashed_unit_by_unit_in_seed",
            "in the seed, a unit's volumes are flashed as soon as that unit has drained",
            "reliable",
            "2u2t2w",
            puts=(reordered.flash_once_drained,),
            configuration=SEED,
        ),
        Deviation(
            "completed_with_flash_in_seed",
            "in the seed, increment complete is sent together with the flash",
            "reliable",
            "2u2t3w",
            puts=(reordered.complete_once_drained,),
            configuration=SEED,
        ),
    )
}
"""The protocol with one order changed so that it breaks: each has a stored counterexample, as a deviation has."""
