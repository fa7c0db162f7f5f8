"""What a database can be put on: so many bytes that are read, written and flushed by offset.

A write has happened when `write` returns, and one within a track happens whole or not at all; both are what the controller
promises its hosts. A device that fails raises `DeviceError` once and for all: whether its last write happened is not known,
so whoever used it must open another and look.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from mirrorspec.impl.link.client import BlockClient, BlockError
from mirrorspec.impl.link.frame import MalformedFrameError
from mirrorspec.impl.link.stream import EndedError


class DeviceError(Exception):
    """The device has failed, or its unit has refused the request."""


class Device(Protocol):
    """So many bytes; never written ones are zeros."""

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes, all within the device. Raises `DeviceError`."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write within the device, and return when the write is complete. Raises `DeviceError`."""

    def flush(self) -> None:
        """Return when all that was written is durable. Raises `DeviceError`."""


class RemoteDevice:
    """A volume of a running primary, over the block protocol."""

    def __init__(self, client: BlockClient, volume: str) -> None:
        """*volume*: one that the unit has. Raises `KeyError` where it has none of that name."""
        self._client, self._volume = client, volume
        self.size_bytes = client.volumes.sizes[volume]

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes of the volume."""
        try:
            return self._client.read(self._volume, offset, length)
        except _FAILURES as error:
            raise DeviceError(f"{self._volume}: {error}") from error

    def write(self, offset: int, data: bytes) -> None:
        """Write to the volume, and return when the unit has acknowledged it."""
        try:
            self._client.write(self._volume, offset, data)
        except _FAILURES as error:
            raise DeviceError(f"{self._volume}: {error}") from error

    def flush(self) -> None:
        """Have the unit make durable what it has acknowledged."""
        try:
            self._client.flush()
        except _FAILURES as error:
            raise DeviceError(f"{self._volume}: {error}") from error


_FAILURES = (BlockError, EndedError, MalformedFrameError, OSError)


class MemoryDevice:
    """A device in memory."""

    def __init__(self, size_bytes: int) -> None:
        self._content = bytearray(size_bytes)

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return len(self._content)

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes of it."""
        return bytes(self._content[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        """Write to it."""
        self._content[offset : offset + len(data)] = data

    def flush(self) -> None:
        """Nothing outlives the process."""


def image_device(file: Path) -> MemoryDevice:
    """A recovered image, as a device of its own: writing to it, as a database does that recovers, leaves the file be."""
    content = file.read_bytes()
    device = MemoryDevice(len(content))
    device.write(0, content)
    return device
