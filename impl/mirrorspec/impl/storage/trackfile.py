"""Contents of tracks by number: in memory, and as a plain file in which track *n* stands at *n* times the bytes of a track.

A write is durable after the next flush. Until then a crash may keep it, lose it, or keep a part of it.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.spec.errors import BadInputError


class TrackFile(Protocol):
    """So many tracks, each of the same number of bytes; never written ones are zeros."""

    def read(self, track: int) -> bytes:
        """The contents of a track. Raises `StorageFailedError` where they cannot be read."""
        ...

    def write(self, track: int, data: bytes) -> None:
        """Give a track new contents, as long as a track. Raises `StorageFailedError`; the old ones may then be damaged."""

    def flush(self) -> None:
        """Make every write so far durable.

        Raises `StorageFailedError` where that failed; each write since the last flush must then be made again.
        """

    def close(self) -> None:
        """Let go of what is held."""


class MemoryTrackFile:
    """A track file in memory; only tracks that were written take room."""

    __slots__ = ("_tracks", "_written", "_zeros")

    def __init__(self, tracks: int, track_bytes: int) -> None:
        self._tracks = tracks
        self._zeros = bytes(track_bytes)
        self._written: dict[int, bytes] = {}

    def read(self, track: int) -> bytes:
        """The contents of a track."""
        return self._written.get(track, self._zeros)

    def write(self, track: int, data: bytes) -> None:
        """Give a track new contents. Raises `ValueError` where they do not fit."""
        if not 0 <= track < self._tracks or len(data) != len(self._zeros):
            raise ValueError(f"track {track} of {self._tracks}, {len(data)} bytes of {len(self._zeros)}")
        self._written[track] = data

    def flush(self) -> None:
        """Nothing outlives the process."""

    def close(self) -> None:
        """Nothing is held."""


class DiskTrackFile:
    """A track file that is one plain sparse file of exactly the right size."""

    __slots__ = ("_descriptor", "_make", "_name", "_track_bytes", "_tracks")

    def __init__(self, folder: Path, name: str, tracks: int, track_bytes: int, *, make: bool = True) -> None:
        """Open the file of that name in the folder, or where there is none and *make* says so, make it, all zeros.

        Raises `BadInputError` where there is something else under the name (a link is never followed), the size is another,
        or it cannot be reached.
        """
        if name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise BadInputError(f"{name!r} is not the name of a file in {folder}")
        self._name, self._tracks, self._track_bytes, self._make = str(folder / name), tracks, track_bytes, make
        try:
            within = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._descriptor = self._opened(within, name)
            finally:
                os.close(within)
        except OSError as error:
            reason = "a link, not a plain file" if _is_link(folder, name) else error.strerror
            raise BadInputError(f"{self._name}: {reason}") from None
        try:
            self._check()
        except BadInputError:
            os.close(self._descriptor)
            raise

    def _opened(self, within: int, name: str) -> int:
        # Without waiting, since to open a pipe would wait for its other end.
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            return os.open(name, flags, dir_fd=within)
        except FileNotFoundError:
            if not self._make:
                raise
        making = f".{name}.making"  # the name is given when the size is right, so that a crash leaves no short file
        with suppress(FileNotFoundError):
            os.unlink(making, dir_fd=within)
        made = os.open(making, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=within)
        try:
            os.ftruncate(made, self._tracks * self._track_bytes)
            _sync(made)
            os.rename(making, name, src_dir_fd=within, dst_dir_fd=within)
            os.fsync(within)
        except BaseException:
            os.close(made)
            raise
        return made

    def _check(self) -> None:
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise BadInputError(f"{self._name}: not a plain file")
        wanted = self._tracks * self._track_bytes
        if found.st_size != wanted:
            raise BadInputError(f"{self._name}: has {found.st_size} bytes, and {self._tracks} tracks have {wanted}")

    def _offset(self, track: int) -> int:
        if not 0 <= track < self._tracks:
            raise ValueError(f"{self._name}: there is no track {track} among {self._tracks}")
        return track * self._track_bytes

    def read(self, track: int) -> bytes:
        """The contents of a track. Raises `StorageFailedError` where they cannot be read."""
        offset, missing, parts = self._offset(track), self._track_bytes, []
        try:
            while missing:
                part = os.pread(self._descriptor, missing, offset)
                if not part:
                    raise StorageFailedError(f"{self._name}: ends within track {track}")
                parts.append(part)
                offset, missing = offset + len(part), missing - len(part)
        except OSError as error:
            raise StorageFailedError(f"{self._name}: track {track} cannot be read: {error.strerror}") from error
        return b"".join(parts)

    def write(self, track: int, data: bytes) -> None:
        """Give a track new contents. Raises `StorageFailedError`, or `ValueError` where they do not fit."""
        offset = self._offset(track)
        if len(data) != self._track_bytes:
            raise ValueError(f"{self._name}: {len(data)} bytes for a track of {self._track_bytes}")
        rest = memoryview(data)
        try:
            while rest:
                done = os.pwrite(self._descriptor, rest, offset)
                offset, rest = offset + done, rest[done:]
        except OSError as error:
            raise StorageFailedError(f"{self._name}: track {track} cannot be written: {error.strerror}") from error

    def flush(self) -> None:
        """Make every write so far durable. Raises `StorageFailedError`."""
        try:
            _sync(self._descriptor)
        except OSError as error:
            raise StorageFailedError(f"{self._name}: cannot be made durable: {error.strerror}") from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _sync(descriptor: int) -> None:
    """Bring a file's contents to the medium. On macOS a plain sync stops at the drive's cache."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        fcntl.fcntl(descriptor, full)
    else:
        os.fdatasync(descriptor)


def _is_link(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_symlink()
    except OSError:
        return False
