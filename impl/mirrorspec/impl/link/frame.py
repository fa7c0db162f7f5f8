"""The frame: a fixed header, checked by itself, and so many bytes of payload, checked by themselves.

    offset  bytes  field
    0       4      magic, ``MSpf``
    4       1      version of the wire format
    5       1      kind, a number of `wire.KINDS`
    6       2      nothing: zero
    8       4      length of the payload in bytes
    12      8      sequence: 0 for the first frame of a connection in this direction, then one more each time
    20      4      CRC-32 of the payload
    24      4      CRC-32 of bytes 0 to 23

All numbers are unsigned, the most significant byte first. The header has a check sum of its own, so that a damaged length is
noticed before anything is read or set aside for it. The check sums find damage, not malice: links are not authenticated
(decision 0020).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import crc32

MAGIC = b"MSpf"
VERSION = 1
"""Raised whenever a frame changes its form or meaning; parties of different versions do not talk."""

_HEAD = struct.Struct(">4sBBHIQI")
_CHECK = struct.Struct(">I")
HEADER_BYTES = _HEAD.size + _CHECK.size


class MalformedFrameError(Exception):
    """Bytes that are not a frame of this protocol: *reason* in words, at *offset* from the frame's first byte."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says, once it has been found whole."""

    kind: int
    length: int
    sequence: int
    payload_check: int


def pack(kind: int, sequence: int, payload: bytes | bytearray) -> bytes:
    """The frame of that payload."""
    head = _HEAD.pack(MAGIC, VERSION, kind, 0, len(payload), sequence, crc32(payload))
    return b"".join((head, _CHECK.pack(crc32(head)), payload))


def header(content: bytes) -> Header:
    """What the first `HEADER_BYTES` bytes say. Raises `MalformedFrameError`; the length is not judged here."""
    if len(content) < HEADER_BYTES:
        raise MalformedFrameError(len(content), f"the header is cut off: it has {HEADER_BYTES} bytes")
    magic, version, kind, nothing, length, sequence, check = _HEAD.unpack_from(content)
    if magic != MAGIC:
        raise MalformedFrameError(0, "no frame begins here")
    (found,) = _CHECK.unpack_from(content, _HEAD.size)
    if found != crc32(content[: _HEAD.size]):
        raise MalformedFrameError(_HEAD.size, "the header is damaged")
    if version != VERSION:
        raise MalformedFrameError(4, f"version {version} is spoken there, and {VERSION} here")
    if nothing:
        raise MalformedFrameError(6, "bytes that must be zero are not")
    return Header(kind, length, sequence, check)


def check_payload(head: Header, payload: bytes) -> None:
    """Compare a payload of the header's length with its check sum. Raises `MalformedFrameError`."""
    if crc32(payload) != head.payload_check:
        raise MalformedFrameError(HEADER_BYTES, "the payload is damaged")
