"""Storage that fails or crashes at a chosen persist point: what the controller's storage is tested and simulated with.

Every commit of a store, every write to a track file and every flush of one is a *persist point*. Points are counted through
all stores and files of a machine, so a run that is repeated passes the same ones; `PersistPoints.arm` says at which of them
something happens. After a crash `CrashingTrackFile.crash` decides what an unflushed write left: nothing, all, or a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from random import Random

from mirrorspec.impl.storage.store import MemoryStore, StorageFailedError


class CrashedError(BaseException):
    """The machine has crashed. Not an `Exception`, so that nothing in the machine handles it."""


class Happening(StrEnum):
    """What happens at a persist point."""

    BEFORE = "before"
    """A crash before anything is persisted."""
    TORN = "torn"
    """A crash in the midst: of a write to a file a part is there. A commit is whole or not there, so here it is not."""
    AFTER = "after"
    """A crash when all is persisted, and nobody has been told."""
    FAILURE = "failure"
    """No crash: the device reports an error. A write may be there in part; a flush has lost the writes before it."""


class PersistPoints:
    """The persist points of one machine."""

    __slots__ = ("_at", "_what", "passed")

    def __init__(self) -> None:
        self.passed = 0
        """How many points have been passed, those included at which something happened."""
        self._at: int | None = None
        self._what = Happening.BEFORE

    def arm(self, at: int, what: Happening) -> None:
        """Let it happen at the point before which *at* points have been passed, once."""
        self._at, self._what = at, what

    def disarm(self) -> None:
        """Nothing happens at any point."""
        self._at = None

    def next(self) -> Happening | None:
        """Pass a point: what happens there."""
        happens = self._what if self.passed == self._at else None
        self.passed += 1
        return happens


class CrashingStore:
    """A store in memory with persist points. Its content outlives a crash; make another over it."""

    __slots__ = ("_points", "content")

    def __init__(self, points: PersistPoints, content: MemoryStore | None = None) -> None:
        self._points = points
        self.content = content or MemoryStore()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key."""
        return self.content.get(key)

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin with *prefix*, in order."""
        return self.content.keys(prefix)

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same with their values."""
        return self.content.items(prefix)

    def commit(self, changes: Mapping[bytes, bytes | None]) -> None:
        """A persist point."""
        happens = self._points.next()
        if happens in {Happening.BEFORE, Happening.TORN}:
            raise CrashedError
        if happens is Happening.FAILURE:
            raise StorageFailedError("the commit was made to fail")
        self.content.commit(changes)
        if happens is Happening.AFTER:
            raise CrashedError

    def close(self) -> None:
        """Nothing is held."""


class CrashingTrackFile:
    """A track file in memory with persist points, and with what a crash does to writes that are not flushed."""

    __slots__ = ("_durable", "_points", "_random", "_track_bytes", "_tracks", "_unflushed", "_view")

    def __init__(
        self,
        points: PersistPoints,
        random: Random,
        tracks: int,
        track_bytes: int,
        durable: dict[int, bytes] | None = None,
    ) -> None:
        self._points, self._random = points, random
        self._tracks, self._track_bytes = tracks, track_bytes
        self._durable = dict(durable or {})
        self._view = dict(self._durable)
        self._unflushed: list[tuple[int, bytes]] = []

    def read(self, track: int) -> bytes:
        """The contents as the process sees them, flushed or not."""
        return self._view.get(track, bytes(self._track_bytes))

    def _write(self, track: int, data: bytes) -> None:
        self._view[track] = data
        self._unflushed.append((track, data))

    def _part(self, data: bytes, old: bytes) -> bytes:
        length = self._random.randrange(len(data) + 1)
        return data[:length] + old[length:]

    def write(self, track: int, data: bytes) -> None:
        """A persist point."""
        if not 0 <= track < self._tracks or len(data) != self._track_bytes:
            raise ValueError(f"track {track} of {self._tracks}, {len(data)} bytes of {self._track_bytes}")
        happens = self._points.next()
        if happens is Happening.BEFORE:
            raise CrashedError
        torn = happens in {Happening.TORN, Happening.FAILURE}
        self._write(track, self._part(data, self.read(track)) if torn else data)
        if happens is Happening.FAILURE:
            raise StorageFailedError("the write was made to fail")
        if happens is not None:
            raise CrashedError

    def flush(self) -> None:
        """A persist point."""
        happens = self._points.next()
        if happens in {Happening.BEFORE, Happening.TORN}:
            raise CrashedError
        if happens is Happening.FAILURE:
            # Whoever reads still sees the writes, and no later flush makes them durable, as after a failed fsync.
            self._unflushed.clear()
            raise StorageFailedError("the flush was made to fail")
        self._durable.update(self._unflushed)
        self._unflushed.clear()
        if happens is Happening.AFTER:
            raise CrashedError

    def close(self) -> None:
        """Nothing is held."""

    def crash(self, points: PersistPoints) -> CrashingTrackFile:
        """The file as it is found after a crash: each write that was not flushed is lost, kept, or there in part."""
        left = dict(self._durable)
        for track, data in self._unflushed:
            kept = self._random.randrange(3)
            if kept:
                left[track] = data if kept == 1 else self._part(data, left.get(track, bytes(self._track_bytes)))
        return CrashingTrackFile(points, self._random, self._tracks, self._track_bytes, left)
