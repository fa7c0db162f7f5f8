"""One party of a simulated run: its machine, its storage on devices that crash, and its life and death."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from mirrorspec.impl.core.outcome import Bitmap, Change, Image, Receive, Write
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.impl.core.records import PrimaryRecord, SecondaryRecord
from mirrorspec.impl.core.secondary import SecondaryUnit
from mirrorspec.impl.core.session import Session
from mirrorspec.impl.storage.bitmap_copy import copy_bytes
from mirrorspec.impl.storage.primary import PrimaryStorage
from mirrorspec.impl.storage.secondary import SecondaryStorage, target_tracks
from mirrorspec.impl.storage.store import MemoryStore, StorageFailedError
from mirrorspec.model_tests.crashing_storage import CrashingStore, CrashingTrackFile, PersistPoints
from mirrorspec.model_tests.simulation.scenario import Scenario
from mirrorspec.spec.configuration import Restart

Machine = PrimaryUnit | SecondaryUnit | Session
Record = PrimaryRecord | SecondaryRecord


class TornError(AssertionError):
    """After a crash storage holds neither what was there before a commit nor what is there after it."""


class Device(NamedTuple):
    """What outlives a crash: the content of the store, and the files."""

    content: MemoryStore
    files: tuple[CrashingTrackFile, ...]


class Party:
    """A party; *machine* and *storage* are those of its present life."""

    def __init__(self, name: str, scenario: Scenario, random: Random) -> None:
        self.name, self.scenario, self._random = name, scenario, random
        self.role, number = name.split(":")
        self.unit = int(number)
        self.life = 0
        """How many times it has been started; what was meant for an earlier life does not reach it."""
        self.up = False
        self.points = PersistPoints()
        self.timers: dict[str, int] = {}
        """For each running timer which start of it counts."""
        self.failing = False
        """Whether its storage reports errors at present."""
        self.restart_seconds = 0.0
        """How long it stays down after its next crash."""
        self.machine: Machine
        self.storage: PrimaryStorage | SecondaryStorage | None = None
        self._device = Device(MemoryStore(), self._files())

    def _files(self) -> tuple[CrashingTrackFile, ...]:
        shape = self.scenario.shape

        def file(tracks: int, size: int = shape.track_bytes) -> CrashingTrackFile:
            return CrashingTrackFile(self.points, self._random, tracks, size)

        volumes = [file(tracks) for tracks in shape.volumes]
        if self.role == "primary":
            return *volumes, file(2, copy_bytes(shape.tracks))
        return *volumes, *(file(target_tracks(shape, volume)) for volume in range(len(shape.volumes)))

    def start(self) -> None:
        """Begin a life with what the devices hold."""
        self.life += 1
        self.up = True
        self.timers.clear()
        self.storage = self.opened(self._device, self.points)
        record = self.storage.load()
        shape = self.scenario.shape
        if isinstance(record, PrimaryRecord):
            self.machine = PrimaryUnit(self.unit, shape, self.scenario.primary, record)
        else:
            self.machine = SecondaryUnit(self.unit, shape, record)

    def crash(self) -> None:
        """End this life; unflushed writes to files are lost, kept, or there in part."""
        self.up = False
        self.storage = None
        self.points = PersistPoints()
        self._device = Device(self._device.content, tuple(file.crash(self.points) for file in self._device.files))

    def opened(self, device: Device, points: PersistPoints) -> PrimaryStorage | SecondaryStorage:
        """Storage over a device."""
        s = self.scenario
        store, volumes = CrashingStore(points, device.content), len(s.shape.volumes)
        if self.role == "primary":
            return PrimaryStorage(
                s.shape,
                store,
                device.files[:volumes],
                preserved_durable=s.configuration.restart is Restart.RESUME,
                placement=s.placement,
                copies=device.files[volumes],
                most_changes=6,
                cached_tracks=2,
            )
        files = device.files
        return SecondaryStorage(
            s.shape, store, files[:volumes], files[volumes:], method=s.method, background=s.background
        )

    def copied(self) -> SecondaryStorage:
        """A secondary's storage as a crash of this moment would leave it, to be recovered without harm to this one."""
        points = PersistPoints()
        files = tuple(file.crash(points) for file in self._device.files)
        storage = self.opened(Device(MemoryStore(self._device.content.content()), files), points)
        assert isinstance(storage, SecondaryStorage)
        return storage

    def read(self, image: Image, track: int) -> bytes:
        """The contents of a track of the unit."""
        storage = self.storage or self.opened(self._device, self.points)
        return storage.read(image, track)

    def commit(self, changes: Sequence[Change]) -> None:
        """Make the changes durable. Raises `StorageFailedError`, or `CrashedError` at a persist point that is armed."""
        assert self.storage is not None
        if self.failing:
            raise StorageFailedError("storage fails at present")
        self.storage.commit(changes)

    def committed(self, before: Record, changes: Sequence[Change]) -> bool:
        """After a crash amid a commit, *before* being the record until then: whether the commit has happened.

        Raises `TornError` where it has happened in part.
        """
        found = self.opened(self._device, self.points)
        record, before, after = found.load(), before.copy(), before.copy()
        after.apply(changes)
        if self.scenario.configuration.restart is Restart.LEAVE:
            for kept in (before, after):
                if isinstance(kept, PrimaryRecord):
                    kept.bitmaps[Bitmap.PRESERVED].empty()  # these images are in memory, and a crash forgets them
        there = all(self._shows(found, c) for c in changes if isinstance(c, Write | Receive))
        if record == after and there:
            return True
        if record == before:
            return False
        raise TornError(f"{self.name} holds a part of {changes}")

    def _shows(self, found: PrimaryStorage | SecondaryStorage, change: Write | Receive) -> bool:
        if isinstance(change, Receive):
            return found.read(Image.MIRROR, change.track) == change.data
        content = found.read(Image.CACHE, change.track)
        return content[change.offset : change.offset + len(change.data)] == change.data

    def idle(self, limit: int) -> None:
        """What storage does in the background. Raises as `commit` does."""
        if self.failing or self.storage is None:
            return
        self.storage.destage(limit)
        self.storage.sweep(limit)
        if isinstance(self.storage, PrimaryStorage):
            self.storage.demote(self._random.randrange(self.scenario.shape.tracks))
        else:
            self.storage.copy_some(limit)
