"""What a unit must find again after a crash: the record and the bitmaps of a primary [0017, 0031-0034], the record and the
flash relations of a secondary.

A record changes by the durable changes of an `Outcome` and by nothing else: `apply` here is what memory does with a change,
and what storage must reproduce. So a record that is loaded after a crash equals one to which every persisted change has been
applied; that is the test of any storage. Contents of tracks are not in a record: storage keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache

from mirrorspec.impl.core.outcome import (
    Bitmap,
    Change,
    Clear,
    Discard,
    Fill,
    Mark,
    Merge,
    Preserve,
    Put,
    Receive,
    Relate,
    Taint,
    Write,
)
from mirrorspec.impl.core.tracks import TrackSet
from mirrorspec.spec.charts import FlashRelation, PrimaryMode, arrows

NORMAL, PENDING, IN_PROGRESS = PrimaryMode.normal.id, PrimaryMode.pending.id, PrimaryMode.in_progress.id
SETTLED, FLASHED = FlashRelation.settled.id, FlashRelation.flashed.id
COMMITTED, WITHDRAWN = FlashRelation.committed.id, FlashRelation.withdrawn.id


@dataclass(slots=True)
class PrimaryRecord:
    """What a primary keeps in non-volatile storage. Numbers begin at 1; 0 means none yet."""

    tracks: int
    """How many tracks the unit has; it never changes."""
    mode: str = NORMAL
    """The id of a state of the chart `PrimaryMode`."""
    member: int = 0
    """1 once the unit's pairs are established: until then nothing is tracked."""
    session: int = 0
    """The highest session that it has heard; it refuses lower ones."""
    increment: int = 0
    """The highest increment that it has heard of; it refuses messages of lower ones."""
    joined: int = 0
    """The last increment that it joined."""
    drained: int = 0
    """The last increment for which it has reported that nothing is out of sync."""
    over: int = 0
    """The highest increment that it has recorded as over."""
    epoch: int = 0
    """The epoch of its transfers."""
    bitmaps: dict[Bitmap, TrackSet] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for bitmap in Bitmap:
            self.bitmaps.setdefault(bitmap, TrackSet(self.tracks))

    def copy(self) -> PrimaryRecord:
        """The same record, to be changed apart."""
        return deepcopy(self)

    def apply(self, changes: Iterable[Change]) -> None:
        """Change the record as the changes say, in their order."""
        bitmaps = self.bitmaps
        for change in changes:
            match change:
                case Put(name, value):
                    setattr(self, name, value)
                case Mark(bitmap, track):
                    bitmaps[bitmap].mark(track)
                case Clear(bitmap, track):
                    bitmaps[bitmap].clear(track)
                case Preserve(track):
                    bitmaps[Bitmap.PRESERVED].mark(track)
                case Discard(track):
                    bitmaps[Bitmap.PRESERVED].clear(track)
                case Merge():
                    bitmaps[Bitmap.OUT_OF_SYNC].join(bitmaps[Bitmap.CHANGE_RECORDING])
                    bitmaps[Bitmap.CHANGE_RECORDING].empty()
                    bitmaps[Bitmap.PRESERVED].empty()
                case Fill(bitmap):
                    bitmaps[bitmap].fill()
                case Write():
                    pass  # contents are storage's
                case _:
                    raise TypeError(f"{change} is not a change of a primary")


@dataclass(frozen=True, slots=True)
class Relation:
    """The flash relation of one volume, and what it takes to decide about it after a disaster."""

    state: str = SETTLED
    """The id of a state of the chart `FlashRelation`."""
    increment: int = 0
    """The increment to which the state belongs."""
    formed: int = 0
    """The number of the flash that the target holds; in state flashed, of the one before it. 0: none, or the initial copy's."""
    forming: int = 0
    """In state flashed, its own number."""
    taint: int = 0
    """The highest increment of which the volume has received data that its unit sent after it had left it."""


@dataclass(slots=True)
class SecondaryRecord:
    """What a secondary keeps in durable storage."""

    volumes: int
    tracks: int
    session: int = 0
    increment: int = 0
    epoch: int = 0
    """The highest epoch of transfers; it refuses all lower ones."""
    recovered: int = 0
    """1 once the site has been recovered: it obeys no session and takes no transfer any more."""
    relations: list[Relation] = field(default_factory=list)
    newest: dict[int, tuple[int, int]] = field(default_factory=dict)
    """For each track that was ever received, the epoch and sequence number of its newest transfer."""

    def __post_init__(self) -> None:
        self.relations = self.relations or [Relation() for _ in range(self.volumes)]

    def copy(self) -> SecondaryRecord:
        """The same record, to be changed apart."""
        return deepcopy(self)

    def apply(self, changes: Iterable[Change]) -> None:
        """Change the record as the changes say, in their order."""
        for change in changes:
            match change:
                case Put(name, value):
                    setattr(self, name, value)
                case Receive(track, epoch, sequence, _):
                    self.newest[track] = epoch, sequence
                case Taint() | Relate():
                    relate(self.relations, change)
                case _:
                    raise TypeError(f"{change} is not a change of a secondary")


def relate(relations: list[Relation], change: Taint | Relate) -> None:
    """Change one of the relations as the change says."""
    r = relations[change.volume]
    if isinstance(change, Taint):
        relations[change.volume] = replace(r, taint=change.number)
        return
    formed = r.forming if change.act == "commit" else r.formed
    relations[change.volume] = Relation(after(change.act), change.increment, formed, change.formed, r.taint)


@cache
def after(act: str) -> str:
    """The state of a relation after an event of its chart."""
    return arrows(FlashRelation, act)[0][1]
