"""What the storage of a unit must be like, in the plainest words: the record of `impl.core`, and every image as a full copy.

A *rig* is a storage under test beside such a model, over stores and files that can crash. A commit that crashed has happened
wholly or not at all, so until the rig is restarted there are two models; `Rig.agree` finds which one it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import (
    Bitmap,
    Change,
    Clear,
    Discard,
    Fill,
    Image,
    Mark,
    Merge,
    Preserve,
    Put,
    Receive,
    Relate,
    Taint,
    Write,
)
from mirrorspec.impl.core.records import IN_PROGRESS, NORMAL, PENDING, PrimaryRecord, SecondaryRecord
from mirrorspec.impl.storage.bitmap_copy import copy_bytes
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.primary import PrimaryStorage
from mirrorspec.impl.storage.secondary import Method, SecondaryStorage, target_tracks
from mirrorspec.impl.storage.store import MemoryStore, StorageFailedError
from mirrorspec.model_tests.crashing_storage import CrashingStore, CrashingTrackFile, PersistPoints


@dataclass(slots=True)
class NaivePrimary:
    """A primary's record, and its images in full."""

    shape: UnitShape
    preserved_durable: bool
    record: PrimaryRecord = field(init=False)
    cache: list[bytes] = field(init=False)
    preserved: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.record = PrimaryRecord(self.shape.tracks)
        self.cache = [bytes(self.shape.track_bytes)] * self.shape.tracks

    def apply(self, changes: Sequence[Change]) -> None:
        """Make the changes in their order."""
        self.record.apply(changes)
        for change in changes:
            match change:
                case Write(_, track, offset, data):
                    old = self.cache[track]
                    self.cache[track] = old[:offset] + data + old[offset + len(data) :]
                case Preserve(track):
                    self.preserved[track] = self.cache[track]
                case Discard(track):
                    self.preserved.pop(track, None)
                case Merge():
                    self.preserved.clear()

    def restart(self) -> None:
        """Forget what is not durable."""
        if not self.preserved_durable:
            self.preserved.clear()
            self.record.bitmaps[Bitmap.PRESERVED].empty()

    def seen(self) -> tuple[object, ...]:
        """The record as it is durable, and the images."""
        record = deepcopy(self.record)
        if not self.preserved_durable:
            record.bitmaps[Bitmap.PRESERVED].empty()
        return record, self.cache, self.preserved


@dataclass(slots=True)
class NaiveSecondary:
    """A secondary's record, and for each volume its mirror, its target, and the way back."""

    shape: UnitShape
    record: SecondaryRecord = field(init=False)
    mirror: list[bytes] = field(init=False)
    target: list[bytes] = field(init=False)
    previous: dict[int, list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.record = SecondaryRecord(len(self.shape.volumes), self.shape.tracks)
        self.mirror = [bytes(self.shape.track_bytes)] * self.shape.tracks
        self.target = list(self.mirror)

    def apply(self, changes: Sequence[Change]) -> None:
        """Make the changes in their order."""
        self.record.apply(changes)
        for change in changes:
            match change:
                case Receive(track, _, _, data):
                    self.mirror[track] = data
                case Relate(volume, act):
                    first = self.shape.first(volume)
                    part = slice(first, first + self.shape.volumes[volume])
                    previous = self.previous.pop(volume, None)
                    if act == "flash":
                        self.previous[volume] = self.target[part]
                        self.target[part] = self.mirror[part]
                    elif act == "withdraw" and previous is not None:
                        self.target[part] = previous

    def restart(self) -> None:
        """Everything is durable."""

    def seen(self) -> tuple[object, ...]:
        """The record and the images."""
        return self.record, self.mirror, self.target


Operation = tuple[str, int, tuple[Change, ...]]
"""What a rig is told to do: ``commit`` with changes, ``restart``, or a background act with a limit."""


class Rig(ABC):
    """A storage under test beside its model."""

    acts: tuple[str, ...]
    """What the storage does in the background; no image changes by it."""

    def __init__(self, model: NaivePrimary | NaiveSecondary) -> None:
        self.points = PersistPoints()
        self.model = model
        self._perhaps: NaivePrimary | NaiveSecondary | None = None
        self.content = MemoryStore()
        """What the store holds; it outlives a crash."""

    def do(self, operation: Operation) -> None:
        """Carry out an operation. Raises what the storage raises; the model then stands as before."""
        kind, limit, changes = operation
        if kind == "commit":
            self._perhaps = deepcopy(self.model)
            self._perhaps.apply(changes)
            try:
                self.commit(changes)
            except StorageFailedError:
                self._perhaps = None
                raise
            self.model, self._perhaps = self._perhaps, None
        elif kind == "restart":
            self.restart()
        else:
            self.background(kind, limit)

    def restart(self) -> None:
        """Make the storage anew over what a crash leaves."""
        for model in (self.model, self._perhaps):
            if model is not None:
                model.restart()
        self.reopen()

    def agree(self) -> None:
        """Assert that storage and model are alike in all that can be seen."""
        seen = self.seen()
        if self._perhaps is not None and seen == self._perhaps.seen():
            self.model = self._perhaps
        self._perhaps = None
        assert seen == self.model.seen()

    @abstractmethod
    def commit(self, changes: Sequence[Change]) -> None:
        """Let the storage commit."""

    @abstractmethod
    def background(self, act: str, limit: int) -> None:
        """Let the storage do one of its background acts."""

    @abstractmethod
    def reopen(self) -> None:
        """Let all files crash, and make the storage anew over them."""

    @abstractmethod
    def seen(self) -> tuple[object, ...]:
        """All that can be seen of the storage, as the model's `seen` has it."""

    @abstractmethod
    def change(self, random: Random) -> Change:
        """Some change."""

    def operation(self, random: Random) -> Operation:
        """Some operation, half of them commits."""
        if random.randrange(2):
            changes = tuple(self.change(random) for _ in range(random.randrange(1, 4)))
            return "commit", 0, changes
        return random.choice(self.acts), random.randrange(1, 5), ()


class PrimaryRig(Rig):
    """The storage of a primary beside its model."""

    acts = ("destage", "demote", "sweep")

    def __init__(self, shape: UnitShape, placement: Placement, preserved_durable: bool, random: Random) -> None:
        super().__init__(NaivePrimary(shape, preserved_durable))
        self._shape, self._placement, self._durable = shape, placement, preserved_durable
        self._volumes = [CrashingTrackFile(self.points, random, n, shape.track_bytes) for n in shape.volumes]
        self._copies = CrashingTrackFile(self.points, random, 2, copy_bytes(shape.tracks))
        self.storage = self._open()

    def _open(self) -> PrimaryStorage:
        return PrimaryStorage(
            self._shape,
            CrashingStore(self.points, self.content),
            self._volumes,
            preserved_durable=self._durable,
            placement=self._placement,
            copies=self._copies,
            most_changes=5,
            cached_tracks=3,
        )

    def commit(self, changes: Sequence[Change]) -> None:
        """Let the storage commit."""
        self.storage.commit(changes)

    def background(self, act: str, limit: int) -> None:
        """Destage, demote or sweep."""
        if act == "destage":
            self.storage.destage(limit)
        elif act == "demote":
            self.storage.demote(limit % self._shape.tracks)
        else:
            self.storage.sweep(limit)

    def reopen(self) -> None:
        """Let all files crash, and make the storage anew over them."""
        self._volumes = [file.crash(self.points) for file in self._volumes]
        self._copies = self._copies.crash(self.points)
        self.storage = self._open()

    def seen(self) -> tuple[object, ...]:
        """The record as it is durable, and the images."""
        storage, tracks = self.storage, range(self._shape.tracks)
        preserved = {}
        for track in tracks:
            try:
                preserved[track] = storage.read(Image.PRESERVED, track)
            except KeyError:
                continue
        assert storage.preserved == len(preserved)
        return storage.load(), [storage.read(Image.CACHE, track) for track in tracks], preserved

    def change(self, random: Random) -> Change:
        """Some change of a primary."""
        track = random.randrange(self._shape.tracks)
        bitmap = random.choice((Bitmap.OUT_OF_SYNC, Bitmap.CHANGE_RECORDING))
        start = random.randrange(self._shape.track_bytes)
        data = random.randbytes(random.randrange(1, self._shape.track_bytes - start + 1))
        return random.choice(
            (
                Write(Image.CACHE, track, start, data),
                Write(Image.CACHE, track, start, data),
                Mark(bitmap, track),
                Clear(bitmap, track),
                Preserve(track),
                Discard(track),
                Merge(),
                Fill(bitmap),
                Put("increment", random.randrange(1 << 40)),
                Put("mode", random.choice((NORMAL, PENDING, IN_PROGRESS))),
            )
        )


class SecondaryRig(Rig):
    """The storage of a secondary beside its model."""

    acts = ("destage", "copy", "sweep")

    def __init__(self, shape: UnitShape, method: Method, background: bool, random: Random) -> None:
        super().__init__(NaiveSecondary(shape))
        self._shape, self._method, self._copies = shape, method, background
        spare = [target_tracks(shape, volume) for volume in range(len(shape.volumes))]
        self._volumes = [CrashingTrackFile(self.points, random, n, shape.track_bytes) for n in shape.volumes]
        self._targets = [CrashingTrackFile(self.points, random, n, shape.track_bytes) for n in spare]
        self.storage = self._open()

    def _open(self) -> SecondaryStorage:
        store = CrashingStore(self.points, self.content)
        return SecondaryStorage(
            self._shape, store, self._volumes, self._targets, method=self._method, background=self._copies
        )

    def commit(self, changes: Sequence[Change]) -> None:
        """Let the storage commit."""
        self.storage.commit(changes)

    def background(self, act: str, limit: int) -> None:
        """Destage, copy or sweep."""
        if act == "destage":
            self.storage.destage(limit)
        elif act == "copy":
            self.storage.copy_some(limit)
        else:
            self.storage.sweep(limit)

    def reopen(self) -> None:
        """Let all files crash, and make the storage anew over them."""
        self._volumes = [file.crash(self.points) for file in self._volumes]
        self._targets = [file.crash(self.points) for file in self._targets]
        self.storage = self._open()

    def seen(self) -> tuple[object, ...]:
        """The record and the images."""
        storage, tracks = self.storage, range(self._shape.tracks)
        mirror = [storage.read(Image.MIRROR, track) for track in tracks]
        return storage.load(), mirror, [storage.read(Image.TARGET, track) for track in tracks]

    def change(self, random: Random) -> Change:
        """Some change of a secondary: half of them transfers, flash relations in any order."""
        track = random.randrange(self._shape.tracks)
        volume, number = random.randrange(len(self._shape.volumes)), random.randrange(1 << 40)
        receive = Receive(track, number, number // 2, random.randbytes(self._shape.track_bytes))
        relate = Relate(volume, random.choice(("flash", "flash", "commit", "withdraw", "settle")), number, number + 1)
        return random.choice(
            (receive, receive, receive, receive, relate, relate, Taint(volume, number), Put("session", number))
        )
