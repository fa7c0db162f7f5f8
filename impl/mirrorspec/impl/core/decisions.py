"""What happens to one track: the decisions of the write path and of the async process, over truths and modes alone.

Everything that could lose a write is decided here, one track at a time, so that it can be confirmed over *all* paths: each
function has few inputs, no state and no loop (`model_tests` compares every one with the specification's steps, for every
input). The machines gather the facts, ask, and carry out the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mirrorspec.spec.configuration import Collision, Hold, Switch


class Mode(Enum):
    """The mode of a primary, as the decisions need it; the chart `PrimaryMode` says how it changes."""

    NORMAL = "normal"
    PENDING = "pending"
    IN_PROGRESS = "in_progress"


class Recorded(Enum):
    """Where a write is marked, as part of the write."""

    NOWHERE = "nowhere"
    """The unit belongs to no session: nothing is tracked."""
    OUT_OF_SYNC = "out_of_sync"
    CHANGE_RECORDING = "change_recording"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A write that wants to enter the cache, and what is known of its track."""

    mode: Mode
    member: bool
    caught: bool
    """It had arrived when the unit accepted start increment."""
    out_of_sync: bool
    preserved: bool
    """The track has an old image that is kept for sending."""
    in_flight: bool
    """A transfer of the track is on its way."""


@dataclass(frozen=True, slots=True)
class WriteDecision:
    """What becomes of the write. Where it is *refused*, by the name of a guard, it waits and nothing else happens."""

    refused: str = ""
    recorded: Recorded = Recorded.NOWHERE
    preserve: bool = False
    """First the track's old image is kept for sending [0044] 726-732."""
    send: bool = False
    """The kept image is sent in the same act: the alternative of [0044]."""
    rewritten: bool = False
    """What the transfer on its way carries is out of date: the track must be sent again."""
    acknowledged: bool = False
    """It is reported complete at once; otherwise when the unit is no longer pending."""


def host_write(w: Arrived, hold: Hold, collision: Collision, switch: Switch) -> WriteDecision:
    """A write before the cache [0037] 352 [0041] 554 [0042] 600-610 [0043-0044] 720-734."""
    pending = w.mode is Mode.PENDING
    caught = w.caught and switch is Switch.BEFORE_START
    if pending and hold is Hold.BEFORE_CACHE and not caught:
        return WriteDecision(refused="enters")
    recorded = w.mode is Mode.IN_PROGRESS or (pending and not caught)
    collides = recorded and w.out_of_sync
    if collides and collision is Collision.SEND_FIRST:
        return WriteDecision(refused="synchronised")
    first = collides and not w.preserved
    tracked = w.member and not recorded
    where = Recorded.CHANGE_RECORDING if recorded else Recorded.OUT_OF_SYNC if tracked else Recorded.NOWHERE
    return WriteDecision(
        recorded=where,
        preserve=first,
        send=first and collision is Collision.SEND_COPY and not w.in_flight,
        rewritten=tracked and w.in_flight,
        acknowledged=not pending,
    )


class Source(Enum):
    """Which image of a track is sent."""

    CACHE = "cache"
    PRESERVED = "preserved"


@dataclass(frozen=True, slots=True)
class TransferDecision:
    """What the async process does with a track."""

    refused: str = ""
    source: Source = Source.CACHE
    late: bool = False
    """The unit has left the increment that it last heard of, so the secondary must not flash it with this in it."""


def transfer(out_of_sync: bool, in_flight: bool, preserved: bool, left: bool) -> TransferDecision:
    """A track before it is sent [0035]; [0041] 556; [0045] 750."""
    if not out_of_sync:
        return TransferDecision(refused="out_of_sync")
    if in_flight:
        return TransferDecision(refused="idle")
    return TransferDecision(source=Source.PRESERVED if preserved else Source.CACHE, late=left)


@dataclass(frozen=True, slots=True)
class HardenedDecision:
    """What an acknowledgement of a transfer does."""

    refused: str = ""
    synchronised: bool = False
    """The track is in sync: its bit is cleared and its preserved image discarded (758)."""


def hardened(in_flight: bool, same: bool, rewritten: bool) -> HardenedDecision:
    """An acknowledgement at the primary [0042] 608; [0045] 752-758. *same*: it is of the transfer that is on its way."""
    if not (in_flight and same):
        return HardenedDecision(refused="in_flight")
    return HardenedDecision(synchronised=not rewritten)


@dataclass(frozen=True, slots=True)
class Merged:
    """A track's bits after the merge."""

    out_of_sync: bool
    change_recording: bool
    preserved: bool
    rewritten: bool


def merge(out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool) -> Merged:
    """The merge of change recording into out-of-sync, for one track [0048] 858."""
    return Merged(
        out_of_sync=out_of_sync or change_recording,
        change_recording=False,
        preserved=False,
        rewritten=rewritten or (change_recording and in_flight),
    )


def receive(epoch: int, sequence: int, stored: int, newest: tuple[int, int]) -> str:
    """A transfer at the secondary: the guard that refuses it, ``again`` for one that is hardened already, or nothing.

    *stored* is the epoch that the secondary has stored, *newest* the numbers of the newest transfer of the track.
    """
    if epoch != stored:
        return "in_sequence"
    if (epoch, sequence) == newest:
        return "again"
    return "in_sequence" if (epoch, sequence) < newest else ""
