"""Why a step was refused: for each guard's name the plain words, as they read after "refused: ".

A guard of that name has the same words wherever it stands, so a name means one thing. The order is that of the steps. A test
keeps this table and the steps' guards the same, in every configuration, environment and deviation.
"""

from __future__ import annotations

GUARDS: dict[str, str] = {
    # host writes
    "new": "it has already happened",
    "issued": "no host has sent this write",
    "enters": "the unit is pending and holds the write in front of its cache",
    "synchronised": "a track of the frozen set has not reached the secondary yet",
    "persisted": "the unit cannot persist the mark of the track, and without it the write must not go on",
    "applied": "the write is not in the unit's cache yet",
    "released": "the unit is pending and withholds its acknowledgements",
    # transfers of tracks
    "out_of_sync": "the track is in sync, so there is nothing to send",
    "idle": "a transfer of the track is on its way already",
    "in_flight": "no transfer of the track is on its way",
    "once": "this transfer has arrived already",
    "hardened": "the secondary has not hardened the transfer yet",
    "lingering": "the network holds no copy of an earlier transfer of the track",
    "in_sequence": "the transfer is older than one that the secondary has seen, by its number",
    # commands at a unit
    "commanded": "no such command has been sent to the unit",
    "current": "the message is of an older increment",
    "obeyed": "the unit has heard a session of higher number and refuses this one",
    "member": "the unit does not belong to the session",
    "not_left": "the unit has durably recorded this increment as over",
    "mode": "the unit's mode does not allow it",
    "completed": "a write in progress at the unit has to be completed before the switch, and is not",
    "in_progress": "the unit has no consistency group in progress",
    # flash relations
    "addressed": "the command is for another unit's volumes",
    "relation": "the state of the volume's flash relation does not allow it",
    "untainted": "the secondary volume received data that was sent after its unit had left this increment",
    # decisions of a session
    "phase": "the session is not in the phase for it",
    "some_member": "no unit belongs to the session",
    "replied": "a reply is still missing",
    "ended": "some unit has not yet durably recorded this increment as over",
    "withdrawn": "some volume has not yet reported that its flash is withdrawn",
    "heeded": "every unit has heard a session of higher number, so this one leads nobody",
    # takeover
    "newest": "some unit has heard a session of higher number",
    "asking": "the session is not taking over",
    "unanswered": "the unit has answered this session already",
    "all_answered": "some unit has not answered yet",
    "complete": "no volume is known to be committed, and not all are known to be flashed",
    "uncommitted": "some volume is committed, so the increment can no longer be aborted",
    # storage and membership
    "sound": "the unit's non-volatile storage has failed already",
    "failed": "the unit's non-volatile storage has not failed",
    "outsider": "the unit belongs to the session already",
    "between": "the increment is under way, and units come and go only between increments",
    # copies of messages that stay in the network
    "sent": "no such message was sent in this increment",
    # only in steps done wrong (`steps.broken`)
    "there": "the write is to another unit",
    "exists": "no relation of an older increment is there to be found",
    "not_joined": "the unit has joined this increment already",
    "acknowledged": "the write has not been acknowledged yet",
    "marked": "the track of the write is not marked",
    "received": "the secondary's cache does not hold the track",
    "cached": "the secondary has received a track of the volume and not hardened it",
}
"""For each guard's name why the step was refused where it does not hold."""


def refusal(guards: list[str]) -> str:
    """The words for the guards that refused a step, as one line."""
    return "; ".join(GUARDS[name] for name in guards)
