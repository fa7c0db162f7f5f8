"""Many lines of nbdkit's log at once: the successful `Write` calls and returns, which are nearly all of a log.

    2026-11-23 19:52:32.815472 connection=1 Write id=1 offset=0x0 count=0x1000 fua=0 ...
    2026-11-23 19:52:32.815577 connection=1 ...Write id=1 return=0

Such a line of the day of the piece's first line, with a connection of at most four digits, is read by array operations
(`digits`). Every other line is left to `nbdkit`, which reads it by itself: a line is never refused here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirrorspec.oracle.cut.digits import Text
from mirrorspec.oracle.cut.history import SECOND, Numbers
from mirrorspec.oracle.cut.lines import Piece

DATE_LENGTH, CLOCK_AT, MICROSECONDS_AT, CONNECTION_AT = 10, 11, 20, 26
CONNECTION = b" connection="
SHORTEST = len("2026-11-23 19:52:32.815577 connection=1 ...Write id=1 return=0")
MICROSECOND = 1000
MAX_ID = 10**13
"""Ids lie below this, so that connection and id fit one integer."""


@dataclass(frozen=True, slots=True)
class Many:
    """Calls or returns; for returns `offset` and `count` are empty."""

    index: Numbers
    """Which lines of the piece, counted from 0."""
    connection: Numbers
    id: Numbers
    time: Numbers
    """Nanoseconds since midnight."""
    offset: Numbers
    count: Numbers


def read_many(piece: Piece) -> tuple[Many, Many]:
    """The calls and the returns of *piece*."""
    text = Text(piece.data)
    starts, ends = np.concatenate(([0], piece.ends[:-1] + 1)), piece.ends
    index = np.flatnonzero(ends - starts >= SHORTEST)
    start = starts[index]
    seconds, good = text.clock(start + CLOCK_AT)
    good &= text.holds(start, piece.data[:DATE_LENGTH] + b" ")
    good &= text.characters[start + MICROSECONDS_AT - 1] == ord(".")
    microseconds, fine = text.whole(start + MICROSECONDS_AT, start + CONNECTION_AT)
    good &= fine & text.holds(start + CONNECTION_AT, CONNECTION)
    begin = start + CONNECTION_AT + len(CONNECTION)
    length = np.zeros(len(begin), np.int64)
    for n in range(4, 0, -1):
        length[text.characters[begin + n] == ord(" ")] = n
    connection, fine = text.whole(begin, begin + length)
    good &= fine
    after = begin + length + 1
    time = seconds * np.int64(SECOND) + microseconds * np.int64(MICROSECOND)
    line = (text, index, after, ends[index], connection, time)
    return (
        _calls(*line, np.flatnonzero(good & text.holds(after, b"Write id="))),
        _returns(*line, np.flatnonzero(good & text.holds(after, b"...Write id="))),
    )


def _calls(
    text: Text, index: Numbers, after: Numbers, ends: Numbers, connection: Numbers, time: Numbers, rows: Numbers
) -> Many:
    end = ends[rows] - len(b" fua=0 ...")
    good = text.holds(end, b" fua=0 ...") | text.holds(end, b" fua=1 ...")
    digits = text.back_to(b"x", end, 8)
    count, fine = text.whole_hexadecimal(end - digits, end)
    end = end - digits - len(b" count=0x")
    good &= fine & (digits > 0) & text.holds(end, b" count=0x")
    digits = text.back_to(b"x", end, 15)
    offset, fine = text.whole_hexadecimal(end - digits, end)
    end = end - digits - len(b" offset=0x")
    good &= fine & (digits > 0) & text.holds(end, b" offset=0x")
    number, fine = text.json_whole(after[rows] + len(b"Write id="), end)
    keep = np.flatnonzero(good & fine & (number < MAX_ID))
    rows = rows[keep]
    return Many(index[rows], connection[rows], number[keep], time[rows], offset[keep], count[keep])


def _returns(
    text: Text, index: Numbers, after: Numbers, ends: Numbers, connection: Numbers, time: Numbers, rows: Numbers
) -> Many:
    end = ends[rows] - len(b" return=0")
    number, good = text.json_whole(after[rows] + len(b"...Write id="), end)
    keep = np.flatnonzero(good & text.holds(end, b" return=0") & (number < MAX_ID))
    rows = rows[keep]
    return Many(index[rows], connection[rows], number[keep], time[rows], rows[:0], rows[:0])
