"""The files of a database on one device: the database itself and its rollback journal, each in a region of its own.

The first track is the directory: for each file one entry that says whether it is there and how long it is. An entry is smaller
than a track and lies within one, so a new length takes effect whole or not at all. A file that grows is written before its
length, one that shrinks has its length written alone; so whatever is cut off between two writes, every byte within a file's
length was written as the file's. A device of zeros has no files.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mirrorspec.model_tests.bank.devices import Device, DeviceError

DIRECTORY_BYTES = 4096
"""The first file begins here; tracks of this size or a divisor of it keep database pages and tracks aligned."""
JOURNAL_SHARE = 4
"""The journal's region is one part in so many of the device."""
_ENTRY = struct.Struct(">8sQQ")
_MAGIC = b"bankfile"


class FullError(Exception):
    """A file does not fit into its region."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where a file lies: from *start*, at most *room* bytes. Its entry is at *entry*."""

    entry: int
    start: int
    room: int


class StoredFile:
    """One file. Its length is read when it is opened, and kept from then on: nobody else may write to the device."""

    def __init__(self, device: Device, region: Region) -> None:
        """Read the entry. Raises `DeviceError`, also where the device does not hold such files."""
        self._device, self._region = device, region
        content = device.read(region.entry, _ENTRY.size)
        magic, present, length = _ENTRY.unpack(content)
        if any(content) and (magic != _MAGIC or present not in (0, 1) or length > region.room):
            raise DeviceError("the device holds something else than a database of the bank")
        self.present = bool(present)
        self.length = int(length)

    def create(self) -> None:
        """Make the file, empty, where there is none."""
        if not self.present:
            self._enter(True, 0)

    def remove(self) -> None:
        """The file is there no more."""
        self._enter(False, 0)

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes, or fewer at the file's end."""
        length = min(length, self.length - offset)
        return self._device.read(self._region.start + offset, length) if length > 0 else b""

    def write(self, offset: int, data: bytes) -> None:
        """Write; a gap between the file's end and the offset becomes zeros. Raises `FullError` and changes nothing."""
        end = offset + len(data)
        if end > self._region.room:
            raise FullError(f"{end} bytes, where there is room for {self._region.room}")
        if offset > self.length:
            data, offset = bytes(offset - self.length) + data, self.length
        if data:
            self._device.write(self._region.start + offset, data)
        if end > self.length:
            self._enter(True, end)

    def truncate(self, length: int) -> None:
        """Make the file that long, with zeros where it grows."""
        if length > self.length:
            self.write(length, b"")
        elif length < self.length:
            self._enter(True, length)

    def flush(self) -> None:
        """Make durable what was written."""
        self._device.flush()

    def _enter(self, present: bool, length: int) -> None:
        self._device.write(self._region.entry, _ENTRY.pack(_MAGIC, present, length))
        self.present, self.length = present, length


class Files:
    """The two files of a device."""

    def __init__(self, device: Device) -> None:
        """Raises `DeviceError` where the device is too small, fails, or holds something else."""
        pages = device.size_bytes // DIRECTORY_BYTES - 1
        journal = pages // JOURNAL_SHARE
        if not journal:
            raise DeviceError(f"{device.size_bytes} bytes are too few for a database and its journal")
        first = DIRECTORY_BYTES
        second = first + (pages - journal) * DIRECTORY_BYTES
        self.database = StoredFile(device, Region(0, first, second - first))
        self.journal = StoredFile(device, Region(_ENTRY.size, second, journal * DIRECTORY_BYTES))
