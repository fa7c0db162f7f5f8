"""Why a mutant that breaks nothing breaks nothing: one sentence each, by the mutant's name.

Guards that no promise needs are there for one of four reasons, and each sentence says which: another guard implies them, and
they say what would be accepted without it; they keep a step from happening for nothing; the step does no harm at any moment; or
another command, record or guard makes up for them. A reason for a mutant that is caught is stale, and fails the run.
"""

from __future__ import annotations

GHOST = "no step and no promise reads this field: it is there for the proof, and for whoever reads a trace"
"""Of a change of a ghost field: the protocol is the same without it, and only the proof would lose sight of something."""

_IMPLIED = "the guard current beside it says more; where messages have no numbers, as in the seed, this one is needed"
_CACHED = "what is received and not yet hardened counts for nothing"
_AGAIN = "done again it changes nothing: the guard keeps a step from happening for nothing"
_LESS = "the environment then does less: a fault that has no effect is no fault"
_INVENTED = "a message that nobody sent is refused like an old one: only what is current counts"
_RETRANSMITTED = "a transfer that has ended needs no mark: the next one is sent with what the track holds then"
_EMPTY = "the unit's change recording is emptied again when it joins the next increment, and read only in between"

REASONS: dict[str, str] = {
    # host writes
    "apply_write without guard new": (
        "applied again, a write only marks its track once more, which is then sent again"
    ),
    "apply_write without change unpersisted": (
        "a write whose mark cannot be persisted is refused, so there is nothing to mark"
    ),
    "apply_write without change in_flight": (
        "the copy is not sent at once: the async process sends the preserved image instead"
    ),
    "apply_write without change late": (
        "a unit that records has not left, so no transfer of its increment is marked late"
    ),
    "acknowledge_write without guard new": _AGAIN,
    # transfers
    "receive_track without guard in_flight": _CACHED,
    "receive_track without guard once": _CACHED,
    "send_track without guard idle": (
        "what is sent again while in flight is the same, or is marked as rewritten and sent once more"
    ),
    "deliver_track without guard once": "a copy that arrives twice brings the same image twice",
    "acknowledge_track without guard in_flight": "what is delivered is in flight, so the guard hardened says more",
    "acknowledge_track without change preserved": (
        "the track is in sync, so nothing sends the image; leaving gives it up"
    ),
    "acknowledge_track without change unpersisted": (
        "a write whose mark cannot be persisted is refused, so nothing is marked so"
    ),
    "lose_track without guard in_flight": _AGAIN,
    "lose_track without change rewritten": "the mark makes the next transfer be repeated once for nothing",
    "linger_track without guard in_flight": (
        "the lingering copy is refused whatever it holds: its number is out of sequence"
    ),
    "linger_track without guard once": (
        "the lingering copy is refused whatever it holds: its number is out of sequence"
    ),
    "linger_track without change lingering": _LESS,
    "linger_track without change lingering_image": "the lingering copy is refused whatever it holds",
    "deliver_lingering without change lingering": "the step never happens: its guards exclude one another",
    "deliver_lingering without change secondary": "the step never happens: its guards exclude one another",
    # the increment at a unit
    "start_increment without guard commanded": _IMPLIED,
    "start_increment without guard obeyed": (
        "a unit that joins for a session that is over waits until the new one ends the increment"
    ),
    "start_increment without change caught": (
        "no request is completed before the switch: all count as new writes, as in the variant *after*"
    ),
    "start_increment without change change_recording": "whoever leaves has merged and emptied it already",
    "run without guard obeyed": "run was sent because all had joined, whoever leads since",
    "run without guard completed": "what is left over counts as a new write, as in the variant *after*",
    "report_drained without guard new": _AGAIN,
    "increment_complete without guard obeyed": (
        "it is what the increment timer may do at any moment: the unit leaves and merges"
    ),
    "increment_complete without guard mode": (
        "a unit that leaves once more, or before it ran, merges what there is and waits for the end"
    ),
    "increment_complete without change rewritten": (
        "a unit that has drained has nothing in flight that must be sent again"
    ),
    "increment_complete without change change_recording": _EMPTY,
    "increment_complete without change preserved": "a unit that has drained keeps no old image any more",
    "run_timeout without change change_recording": _EMPTY,
    "increment_timeout without change change_recording": _EMPTY,
    "abort without guard commanded": _IMPLIED,
    "abort without guard obeyed": (
        "it is what the timers may do at any moment: the unit leaves, merges, and refuses the rest"
    ),
    "abort without guard not_left": _AGAIN,
    "abort without guard mode": "a unit is told to abort in every mode, so the chart allows the step everywhere",
    "abort without change change_recording": _EMPTY,
    # flash relations
    "flash without guard obeyed": (
        "flash was sent because all had drained, whoever leads since; the new session may revert or commit it"
    ),
    "commit without guard commanded": _IMPLIED,
    "commit without guard relation": (
        "commit is sent when every volume is flashed, and no flash is withdrawn any more"
    ),
    "withdraw without guard commanded": _IMPLIED,
    "withdraw without guard relation": (
        "abort is sent only where nothing is committed; withdrawn again, a flash stays withdrawn"
    ),
    # the session
    "all_committed without guard replied": _IMPLIED,
    "all_committed without change withdrawn": "every volume is committed, so none is withdrawn",
    "all_committed without change committing": (
        "with nothing sent as commit the old phase does nothing, and the session goes on from starting"
    ),
    "all_committed without change reported_withdrawn": "every volume is committed, so none was reported as withdrawn",
    "all_committed without change begun": (
        "the first unit that joins the next increment overwrites it, and nothing reads it before"
    ),
    "all_committed without change abort_sent": "a session that commits has aborted nothing",
    "all_committed without change saw_flashed": (
        "an answer of the old increment cannot be completed: who gave it joins no other before the takeover"
    ),
    "all_aborted without change committed": "nothing is committed in an increment that is aborted",
    "all_aborted without change aborting": (
        "with nothing sent as abort the old phase does nothing, and the session goes on from starting"
    ),
    "all_aborted without change begun": (
        "the first unit that joins the next increment overwrites it, and nothing reads it before"
    ),
    "all_aborted without change commit_sent": "a session that aborts has committed nothing",
    "all_aborted without change saw_committed": (
        "nothing is committed in an increment that is aborted, so no answer says so"
    ),
    "all_aborted without change saw_flashed": (
        "an answer of the old increment cannot be completed: who gave it joins no other before the takeover"
    ),
    # takeover
    "take_over without guard newest": "a session that a unit refuses never has all answers, so it decides nothing",
    "answer without guard unanswered": (
        "what a unit answers a second time was true at the first: nobody lower can change it in between"
    ),
    "answer without guard obeyed": (
        "a session that some unit refuses in favour of a later one leads nobody, whatever it is answered"
    ),
    "answer without change saw_flashed": (
        "the new session then reverts a flash that it could have committed: both are right"
    ),
    # faults
    "restart_primary without change rewritten": _RETRANSMITTED,
    "restart_primary without change change_recording": (
        "it differs only where a mark is not persisted, and such writes are refused"
    ),
    "restart_primary without change unpersisted": (
        "a write whose mark cannot be persisted is refused, so nothing is marked so"
    ),
    "restart_secondary without change rewritten": _RETRANSMITTED,
    "fail_storage without guard sound": _AGAIN,
    "fail_storage without change nvs_failed": _LESS,
    "mend_storage without guard failed": _AGAIN,
    "establish without guard outsider": "a member that is established again has all its tracks copied once more",
    "dismiss without guard member": _AGAIN,
    "dismiss without change rewritten": _RETRANSMITTED,
    **{
        f"linger_{message} without guard sent": _INVENTED
        for message in ("start", "run", "flash", "commit", "abort", "joined", "drained", "flashed", "committed")
    },
    **{
        f"linger_{message} without change old_{message}": _LESS
        for message in ("start", "run", "flash", "commit", "abort", "joined", "drained", "flashed", "committed")
    },
}
