"""Ways to get the protocol wrong, each met in the field or found by proof: every one must be caught.

Each names the fault it stands for (docs/explanation/faults.md lists where each was seen), and the environment and smallest
bounds in which it shows. One that breaks nothing says why. How long the shortest trace of each is, is pinned by the stored
counterexamples (`model_tests.catalogue`).
"""

from __future__ import annotations

from mirrorspec.spec.configuration import HARDENED, Collision, Hold, Recovery
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.errors import unknown_name
from mirrorspec.spec.steps import broken

_ALL = (
    # flash of an aborted increment
    Deviation(
        "old_flash_accepted",
        "a flash command of an older increment is obeyed in the next",
        "links",
        "2u2t2w",
        drops=("flash.current",),
    ),
    Deviation(
        "withdrawn_flash_lands",
        "the flash of an aborted increment lands after it was withdrawn",
        "standard",
        "2u2t2w",
        drops=("flash.relation",),
    ),
    # holds
    Deviation(
        "start_after_timeout",
        "a hold that timed out takes effect later: the unit joins the increment that it has left",
        "standard",
        "2u2t2w",
        drops=("start_increment.not_left",),
    ),
    Deviation(
        "old_joined_accepted",
        "two increments share one hold: the reply of the older one counts in the next",
        "standard",
        "2u2t2w",
        drops=("all_joined.current",),
    ),
    Deviation(
        "old_start_accepted",
        "a start command of an older increment is obeyed in the next",
        "links",
        "2u2t2w",
        drops=("start_increment.current",),
        harmless="once the older increment is over, the session has sent start increment to every unit anyway",
    ),
    Deviation(
        "run_before_all_joined",
        "the hold is released on one unit before another is held",
        "reliable",
        "2u2t2w",
        drops=("all_joined.replied", "all_joined.current"),
    ),
    # other messages of an older increment
    Deviation(
        "old_run_accepted",
        "a run command of an older increment releases the hold of the next",
        "links",
        "2u2t2w",
        drops=("run.current",),
    ),
    Deviation(
        "old_drained_accepted",
        "a report of an older increment counts as drained in the next",
        "links",
        "2u2t2w",
        drops=("all_drained.current",),
    ),
    Deviation(
        "old_flashed_accepted",
        "a reply of an older increment counts as flashed in the next",
        "links",
        "2u2t2w",
        drops=("all_flashed.current",),
    ),
    Deviation(
        "old_commit_accepted",
        "a commit command of an older increment commits a flash of the next",
        "links",
        "2u2t2w",
        drops=("commit.current",),
    ),
    Deviation(
        "old_committed_accepted",
        "a reply of an older increment counts as committed in the next",
        "links",
        "2u2t2w",
        drops=("all_committed.current",),
    ),
    Deviation(
        "old_withdraw_accepted",
        "a withdraw command of an older increment reverts a flash of the next",
        "links",
        "2u2t2w",
        drops=("withdraw.current",),
    ),
    Deviation(
        "old_abort_accepted",
        "an abort command of an older increment ends the next at a primary",
        "links",
        "2u2t2w",
        drops=("abort.current",),
        harmless="it is what the increment timer may do at any moment: the unit leaves, merges, and refuses the rest",
    ),
    # bits
    Deviation(
        "acknowledgement_clears_newer_bit",
        "the acknowledgement of an old image clears the bit of a newer write",
        "reliable",
        "1u1t2w",
        forgets=("apply_write.rewritten",),
    ),
    Deviation(
        "acknowledged_before_marked",
        "a write is acknowledged although its track was not marked out of sync",
        "reliable",
        "1u1t2w",
        forgets=("apply_write.out_of_sync",),
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
        puts=(broken.merge_despite_failed_persist,),
    ),
    Deviation(
        "restart_clears_bitmap",
        "a restart clears a bitmap that is not empty",
        "crashes",
        "1u1t2w",
        puts=(broken.restart_clears_bitmap,),
    ),
    # collisions
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
        puts=(broken.collision_forgets_in_flight,),
    ),
    Deviation(
        "collision_test_waits_for_run",
        "what is cached while pending is recorded, and the collision test looks at in progress alone",
        "reliable",
        "2u2t3w",
        puts=(broken.collision_waits_for_run,),
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
        puts=(broken.preserved_dropped_early,),
    ),
    # merge
    Deviation(
        "crash_inside_merge",
        "a crash between emptying change recording and merging it into out-of-sync",
        "crashes",
        "1u1t2w",
        puts=(broken.crash_inside_merge,),
    ),
    Deviation(
        "swap_on_failure",
        "the bitmaps are swapped when an increment fails, and what was not yet drained is forgotten",
        "standard",
        "1u1t2w",
        puts=(broken.swap_on_failure,),
    ),
    Deviation(
        "write_between_merge_and_normal",
        "a write lands in change recording after it was merged (858) and before the mode is normal (860)",
        "reliable",
        "1u1t2w",
        puts=(broken.write_between_merge_and_normal,),
    ),
    # flashes and commits
    Deviation(
        "flashed_before_all_drained",
        "some volumes are flashed while units have not drained",
        "reliable",
        "2u2t2w",
        drops=("all_drained.replied", "all_drained.current"),
    ),
    Deviation(
        "committed_before_all_flashed",
        "some volumes are committed while others are not yet flashed",
        "reliable",
        "2u2t2w",
        drops=("all_flashed.replied", "all_flashed.current"),
    ),
    Deviation(
        "flash_while_resynchronising",
        "a pair counts as synchronised while its initial copy is under way",
        "membership",
        "1u1t2w",
        forgets=("establish.out_of_sync",),
    ),
    Deviation(
        "existing_flash_taken_for_success",
        "a relation of a failed increment is found, taken for the flash that was asked for, and its copy kept",
        "links",
        "2u2t2w",
        puts=(broken.flash_finds_relation,),
    ),
    Deviation(
        "flash_despite_taint",
        "a flash is obeyed after data arrived that was sent after its unit had left the increment",
        "standard",
        "2u2t2w",
        drops=("flash.untainted",),
    ),
    # transfers
    Deviation(
        "acknowledged_before_hardened",
        "the secondary acknowledges a track before it is hardened, and loses it",
        "reliable",
        "1u1t2w",
        drops=("acknowledge_track.hardened",),
    ),
    Deviation(
        "older_transfer_accepted",
        "a transfer that was given up or overtaken arrives late and is applied",
        "links",
        "1u1t2w",
        drops=("deliver_lingering.in_sequence",),
    ),
    # restarts
    Deviation(
        "restart_without_preserved",
        "a primary restarts without its preserved images and goes on with the increment",
        "crashes",
        "1u2t3w",
        puts=(broken.restart_without_preserved,),
    ),
    Deviation(
        "restart_forgets_mode",
        "a primary forgets in a restart that it was in an increment",
        "crashes",
        "1u1t2w",
        puts=(broken.restart_forgets_mode,),
    ),
    Deviation(
        "restart_forgets_in_flight",
        "a primary counts what was in flight as synchronised after a restart",
        "crashes",
        "1u1t2w",
        puts=(broken.restart_forgets_in_flight,),
    ),
    Deviation(
        "restart_forgets_leaving",
        "a primary forgets in a restart that it had left the increment, and joins it again",
        "crashes",
        "2u2t2w",
        puts=(broken.restart_forgets_leaving,),
    ),
    Deviation(
        "restart_forgets_taint",
        "a secondary forgets in a restart that it received data of a later increment",
        "crashes",
        "2u2t2w",
        puts=(broken.restart_forgets_taint,),
    ),
    Deviation(
        "restart_forgets_withdrawal",
        "a secondary forgets in a restart that a flash was withdrawn, and obeys it late",
        "crashes",
        "2u2t2w",
        puts=(broken.restart_forgets_withdrawal,),
    ),
    Deviation(
        "restart_forgets_session",
        "a secondary forgets in a restart which session it has heard last, and obeys the older one again",
        "failover",
        "2u2t2w",
        puts=(broken.restart_forgets_session,),
    ),
    Deviation(
        "restart_drops_hold_and_rejoins",
        "a primary that was pending comes back normal, and accepts start increment once more",
        "crashes",
        "2u2t2w",
        puts=(broken.restart_drops_hold,),
    ),
    Deviation(
        "restart_drops_hold",
        "a primary that was pending comes back normal, and joins no increment twice",
        "crashes",
        "2u2t2w",
        puts=(broken.restart_drops_hold, broken.join_once),
        harmless="run is refused unless pending and start unless new, so the increment cannot complete",
    ),
    # sessions
    Deviation(
        "two_sessions_obeyed",
        "units obey a session after they have answered a later one",
        "rivals",
        "2u2t2w",
        drops=("*.obeyed",),
    ),
    Deviation(
        "takeover_without_fence",
        "a unit answers a new session without refusing the old one from then on",
        "rivals",
        "2u2t2w",
        forgets=("answer.fenced",),
    ),
    Deviation(
        "recovery_without_fence",
        "recovery reads the flash relations, only ever reverts, and does not fence the secondaries first",
        "rivals",
        "2u2t2w",
        forgets=("answer.fenced",),
        without=("take_commit",),
    ),
    Deviation(
        "admitted_inside_increment",
        "a unit is admitted to the session while an increment is under way, and recovery offers its volumes too early",
        "membership",
        "2u2t2w",
        drops=("establish.between",),
    ),
    Deviation(
        "dismissed_inside_increment",
        "a unit is dismissed from the session while an increment is under way, and never told how it ended",
        "membership",
        "2u2t2w",
        drops=("dismiss.between",),
    ),
    # recovery
    Deviation(
        "recovery_from_newest",
        "recovery takes whatever the flash targets hold, also where only some were flashed",
        "reliable",
        "2u2t2w",
        configuration=HARDENED.with_options(recovery=Recovery.NEWEST),
    ),
    Deviation(
        "last_good_copy_withdrawn",
        "a takeover aborts an increment that is committed in part, and withdraws what others had reverted to",
        "rivals",
        "2u2t2w",
        drops=("take_abort.uncommitted",),
    ),
    # harmless
    Deviation(
        "acknowledged_inside_the_cut",
        "a pending unit acknowledges a write that it had applied before it was held",
        "standard",
        "2u2t3w",
        drops=("acknowledge_write.released",),
        harmless="such a write is inside the cut of its unit, and every write that may need it is issued later",
    ),
)

DEVIATIONS: dict[str, Deviation] = {d.name: d for d in _ALL}
"""Every deviation by its name, grouped as faults are."""


def deviation(name: str) -> Deviation:
    """The deviation of that name. Raises `BadInputError` with the near names."""
    if name not in DEVIATIONS:
        raise unknown_name("deviation", name, DEVIATIONS)
    return DEVIATIONS[name]
