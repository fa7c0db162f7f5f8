"""Marks that are set too late, cleared too early, or not merged; frozen images that are overwritten."""

from __future__ import annotations

from mirrorspec.spec.configuration import HARDENED, Collision, Hold
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.steps import broken

BITMAPS = (
    Deviation(
        "acknowledgement_clears_newer_bit",
        "the acknowledgement of an old image clears the bit of a newer write",
        "reliable",
        "1u1t2w",
        forgets=("apply_write.rewritten",),
    ),
    Deviation(
        "never_marked",
        "a write's track is not marked out of sync at all",
        "reliable",
        "1u1t2w",
        forgets=("apply_write.out_of_sync",),
    ),
    Deviation(
        "acknowledged_before_marked",
        "a write is acknowledged first and its track marked later, and an increment starts in between",
        "reliable",
        "1u1t2w",
        puts=(broken.writes.write_without_mark, broken.writes.mark_write),
    ),
    Deviation(
        "acknowledged_before_persisted",
        "a write is acknowledged when its mark is in volatile cache, and a crash comes before the mark is persisted",
        "crashes",
        "1u1t2w",
        puts=(
            broken.writes.write_marked_in_cache,
            broken.writes.acknowledge_marked_in_cache,
            broken.writes.persist_mark,
        ),
    ),
    Deviation(
        "drained_with_bits_set",
        "drained is reported while tracks are out of sync",
        "reliable",
        "1u1t2w",
        drops=("report_drained.synchronised",),
    ),
    Deviation(
        "write_despite_failed_persist",
        "a write goes on although persisting its bit failed, and a restart forgets the bit",
        "crashes",
        "1u1t2w",
        drops=("apply_write.persisted",),
    ),
    Deviation(
        "merge_despite_failed_persist",
        "a unit leaves the increment although persisting the merged bitmap failed, and a restart forgets the bits",
        "crashes",
        "1u1t2w",
        puts=(broken.increment.merge_despite_failed_persist,),
    ),
    Deviation(
        "collision_overwrites",
        "a collision destroys the old image: what is sent was written after the cut",
        "reliable",
        "1u2t3w",
        forgets=("apply_write.preserved", "apply_write.preserved_image"),
    ),
    Deviation(
        "collision_forgets_in_flight",
        "a track in flight does not count as out of sync in the collision check, and the transfer is lost",
        "links",
        "1u2t3w",
        puts=(broken.writes.collision_forgets_in_flight,),
    ),
    Deviation(
        "collision_test_waits_for_run",
        "what is cached while pending is recorded, and the collision test looks at in progress alone",
        "reliable",
        "2u2t3w",
        puts=(broken.writes.collision_waits_for_run,),
        configuration=HARDENED.with_options(hold=Hold.IN_CACHE),
    ),
    Deviation(
        "copy_not_kept",
        "the copy that a collision sends is not kept until it is acknowledged, and is lost on the way",
        "links",
        "1u2t3w",
        forgets=("apply_write.preserved", "apply_write.preserved_image"),
        configuration=HARDENED.with_options(collision=Collision.SEND_COPY),
    ),
    Deviation(
        "preserved_dropped_early",
        "the preserved image is discarded when an older transfer is acknowledged",
        "reliable",
        "1u2t4w",
        puts=(broken.secondary.preserved_dropped_early,),
    ),
    Deviation(
        "crash_inside_merge",
        "a crash between emptying change recording and merging it into out-of-sync",
        "crashes",
        "1u1t2w",
        puts=(broken.increment.crash_inside_merge,),
    ),
    Deviation(
        "crash_inside_swap",
        "the bitmaps are exchanged when an increment completes, and a crash falls between the two pointers",
        "crashes",
        "1u1t2w",
        puts=(broken.increment.crash_inside_swap,),
    ),
    Deviation(
        "swap_on_failure",
        "the bitmaps are swapped when an increment fails, and what was not yet drained is forgotten",
        "standard",
        "1u1t2w",
        puts=(broken.increment.swap_on_failure,),
    ),
    Deviation(
        "write_between_merge_and_normal",
        "a write lands in change recording after it was merged (858) and before the mode is normal (860)",
        "reliable",
        "1u1t2w",
        puts=(broken.increment.write_between_merge_and_normal,),
    ),
    Deviation(
        "acknowledged_inside_the_cut",
        "a pending unit acknowledges a write that it had applied before it was held",
        "standard",
        "2u2t3w",
        drops=("acknowledge_write.released",),
        harmless="such a write is inside the cut of its unit, and every write that may need it is issued later",
    ),
)
