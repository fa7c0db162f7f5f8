"""Rival sessions, recovery, and who belongs to the session."""

from __future__ import annotations

from mirrorspec.spec.configuration import HARDENED, Recovery
from mirrorspec.spec.deviation import Deviation

SESSIONS = (
    Deviation(
        "two_sessions_obeyed",
        "units obey a session after they have answered a later one",
        "rivals",
        "2u2t2w",
        drops=("*.obeyed",),
    ),
    Deviation(
        "primaries_unfenced",
        "primaries obey a session after their unit has answered a later one; secondaries do not",
        "rivals",
        "2u2t2w",
        drops=("start_increment.obeyed", "run.obeyed", "increment_complete.obeyed", "abort.obeyed"),
        harmless="what a primary obeys flashes nothing; and when the new session begins an increment, all that the old one "
        "sent is of an older one",
    ),
    Deviation(
        "secondaries_unfenced",
        "secondaries obey a session after their unit has answered a later one; primaries do not",
        "rivals",
        "2u2t2w",
        drops=("flash.obeyed", "commit.obeyed", "withdraw.obeyed"),
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
)
