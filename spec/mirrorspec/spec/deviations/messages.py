"""Messages of an older increment, and holds that do not end when they should."""

from __future__ import annotations

from mirrorspec.spec.deviation import Deviation

MESSAGES = (
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
)
