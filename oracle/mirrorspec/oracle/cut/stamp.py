"""The stamp: a block's content that says which write it is, for histories that hold no data.

nbdkit's log says where and when, not what. So whoever records one fills every unit it writes with one 32-byte stamp,
repeated to the unit's end, all little-endian:

| bytes | holds |
|---|---|
| 0–7 | `mrspstmp` |
| 8–11 | CRC-32 of bytes 12–31 |
| 12–15 | CRC-32 of the volume's name in UTF-8 |
| 16–23 | the unit's number in its volume, counted from 0 |
| 24–31 | the *number* of this write among the writes of this unit, counted from 1 |

**Which log line a stamp means.** Stamp n of a unit is the n-th `Write` line of that unit in the log. That is sound under
one condition on the recording program: *it never has two writes to one unit outstanding*, over all its connections: it
sends write n+1 only after the reply to write n, and never writes a unit again whose reply was lost with a connection. Then
the server has logged n's return before n+1's call, in whatever order the writes of different units overtake each
other. The log can refute the condition (two writes of one unit overlap), which makes the answer inconclusive; it cannot
prove it. A write that returned an error has used up its number. Any number of writes to different units may be
outstanding, and that is what makes the history worth judging.

A unit that is not one valid stamp of its own place, repeated throughout, and not all zeros is *foreign*: a torn unit is
one too.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from mirrorspec.oracle.cut.history import FOREIGN, Keys

MAGIC = b"mrspstmp"
STAMP_BYTES = 32
ZERO_KEY = 0
"""The key of a unit of zeros; stamps count from 1."""
FIELDS = np.dtype([("magic", "S8"), ("check", "<u4"), ("volume", "<u4"), ("block", "<u8"), ("number", "<u8")])


def stamp(volume: str, block: int, number: int, block_bytes: int) -> bytes:
    """The content of write *number* of that unit."""
    body = struct.pack("<IQQ", zlib.crc32(volume.encode()), block, number)
    return (MAGIC + struct.pack("<I", zlib.crc32(body)) + body) * (block_bytes // STAMP_BYTES)


def stamp_keys(data: bytes, volume: str, blocks: Keys, block_bytes: int) -> Keys:
    """The key of each unit in *data*, where the units are those numbered *blocks*."""
    words = np.frombuffer(data, "<u8").reshape(-1, block_bytes // STAMP_BYTES, STAMP_BYTES // 8)
    repeated = (words == words[:, :1]).all(axis=(1, 2))
    heads = np.ascontiguousarray(words[:, 0])
    fields = heads.view(FIELDS)[:, 0]
    mine = repeated & (fields["magic"] == MAGIC) & (fields["volume"] == zlib.crc32(volume.encode()))
    mine &= (fields["block"] == blocks) & (fields["number"] > ZERO_KEY) & (fields["number"] < FOREIGN)
    keys = np.full(len(heads), FOREIGN, np.uint64)
    keys[repeated & (heads == 0).all(axis=1)] = ZERO_KEY
    for unit in np.flatnonzero(mine).tolist():
        if zlib.crc32(heads[unit].tobytes()[12:]) == fields["check"][unit]:
            keys[unit] = fields["number"][unit]
    return keys
