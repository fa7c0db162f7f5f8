"""A history as the log of nbdkit's log filter, with self-stamped blocks (`stamp` says what those are).

    nbdkit --filter=log PLUGIN … logfile=FILE

The filter writes one line when a request enters and one when it leaves, in microseconds; the two are matched by
connection and id. The volume is the export's name, which the connection's `Connect` line has. With the log filter named
first, its intervals contain those of everything behind it, a replicator included.

- `Write`, `Zero` and `Trim` are writes; a `Zero` leaves zeros; after a `Trim` anything may be there unless told otherwise.
- A request that left with an error, or never left, is one that was never acknowledged: it may have been done all the same.
- Microseconds are cut off, not rounded, so that a later microsecond is a later time; within one, writes are concurrent.
- A server that was started again counts its connections from 1: from a `Connect` line on, the number means that connection.

Rule: a line that is none of the log's kinds is refused with its file, line and reason. Nothing is skipped.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mirrorspec.oracle.cut.history import (
    ANYTHING,
    NEVER,
    SECOND,
    Flags,
    History,
    Limits,
    Numbers,
    Rows,
    beyond,
    check_block_bytes,
    check_volume_name,
)
from mirrorspec.oracle.cut.lines import Piece, Say, pieces, silent
from mirrorspec.oracle.cut.nbdlines import DATE_LENGTH, MAX_ID, MICROSECOND, read_many
from mirrorspec.oracle.cut.stamp import ZERO_KEY
from mirrorspec.spec.errors import BadInputError

TIME = rb"(\d{4}-\d\d-\d\d) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)\.(\d{6}) "
CALL = re.compile(
    TIME + rb"connection=(\d{1,9}) (Write|Zero|Trim) id=(\d{1,13}) offset=0x([0-9a-f]{1,15}) count=0x([0-9a-f]{1,8})"
    rb"(?: \w+=\d+)* \.\.\."
)
RETURN = re.compile(
    TIME + rb"connection=(\d{1,9}) \.\.\.(Write|Zero|Trim) id=(\d{1,13}) return=(-?\d{1,9})(?: error=\w+)?"
)
CONNECT = re.compile(TIME + rb"connection=(\d{1,9}) Connect (export=.*)")
OTHER = re.compile(
    TIME + rb"(?:connection=\d{1,9} )?(?:\.\.\.)?"
    rb"(Ready|Fork|ListExports|Preconnect|Read|Extents|Cache|Flush|Disconnect)( .*)?"
)
KINDS = (b"Write", b"Zero", b"Trim")
WRITE, ZERO, TRIM = range(3)
LINE_LIMIT = 2**33
"""Line numbers lie below this, so that connection and line fit one integer."""
MAX_CONNECTIONS = 2**19
"""Connections are fewer than this, so that connection and id fit one integer."""
CALL_COLUMNS = ("line", "connection", "id", "time", "kind", "offset", "count")
RETURN_COLUMNS = ("line", "connection", "id", "time", "kind", "good")
Columns = dict[str, Numbers]


class _Reader:
    """Collects calls, returns and connections, each with its line; what belongs together is found at the end."""

    def __init__(self, path: str, block_bytes: int) -> None:
        self.path, self.block_bytes = path, block_bytes
        self.rows = Rows(path)
        self.units = 0
        self.calls: list[Columns] = []
        self.returns: list[Columns] = []
        self.connects: list[tuple[int, int, int]] = []
        """Connection, line, volume."""
        self.names: dict[str, int] = {}

    def fail(self, line: int, reason: str) -> BadInputError:
        return BadInputError(f"{self.path}:{line}: {reason}")

    def piece(self, piece: Piece) -> None:
        """Read *piece*: as many lines as possible at once, the others one by one."""
        done = np.zeros(len(piece.ends), np.bool_)
        calls, returns = read_many(piece)
        midnight = None
        for many, columns in ((calls, self.calls), (returns, self.returns)):
            if not len(many.index):
                continue
            done[many.index] = True
            line = many.index + piece.first
            midnight = self.midnight(piece.data[:DATE_LENGTH], int(line[0])) if midnight is None else midnight
            part = {"line": line, "connection": many.connection, "id": many.id, "time": many.time + midnight * SECOND}
            if many is calls:
                part |= {"kind": line * 0 + WRITE, "offset": many.offset, "count": many.count}
                self.check_units(part)
            else:
                part |= {"kind": line * 0 + WRITE, "good": line * 0 + 1}
            columns.append(part)
        if not done.all():
            self.singly(piece, np.flatnonzero(~done))
        if piece.first + len(piece.ends) >= LINE_LIMIT:
            raise self.fail(LINE_LIMIT, "too many lines; judge the log in parts")

    def singly(self, piece: Piece, left: Numbers) -> None:
        texts = piece.texts()
        calls: list[tuple[int, ...]] = []
        returns: list[tuple[int, ...]] = []
        for at in left.tolist():
            line, text = piece.first + at, texts[at]
            if found := CALL.fullmatch(text):
                kind = KINDS.index(found[7])
                place = (int(found[9], 16), int(found[10], 16))
                calls.append((line, int(found[6]), int(found[8]), self.time(found, line), kind, *place))
            elif found := RETURN.fullmatch(text):
                kind = KINDS.index(found[7])
                good = int(found[9] == b"0")
                returns.append((line, int(found[6]), int(found[8]), self.time(found, line), kind, good))
            elif found := CONNECT.fullmatch(text):
                name = check_volume_name(self.export(found[7], line), f"{self.path}:{line}")
                self.connects.append((int(found[6]), line, self.names.setdefault(name, len(self.names))))
            elif not OTHER.fullmatch(text):
                shown = text[:60].decode(errors="replace")
                raise self.fail(line, f"not a line of nbdkit's log filter: {shown!r}")
        if calls:
            self.calls.append(dict(zip(CALL_COLUMNS, np.array(calls, np.int64).T, strict=True)))
            self.check_units(self.calls[-1])
        if returns:
            self.returns.append(dict(zip(RETURN_COLUMNS, np.array(returns, np.int64).T, strict=True)))

    def check_units(self, calls: Columns) -> None:
        """Refuse what does not fall into units, and more of it than there is room for."""
        offset, count, size = calls["offset"], calls["count"], self.block_bytes
        if at := _first((offset | count) & (size - 1) != 0):
            raise self.fail(
                int(calls["line"][at[0]]),
                f"offset {offset[at[0]]} and count {count[at[0]]} are not multiples of {size}; "
                "give the size that the blocks were stamped at as --block-bytes",
            )
        if at := _first(count == 0):
            raise self.fail(int(calls["line"][at[0]]), "a request of 0 bytes")
        self.units += int(count.sum()) // size
        self.rows.room_for(self.units, int(calls["line"][-1]))

    def midnight(self, date: bytes, line: int) -> int:
        try:
            return _midnight(date)
        except ValueError:
            raise self.fail(line, f"no such date: {date.decode(errors='replace')}") from None

    def time(self, found: re.Match[bytes], line: int) -> int:
        seconds = self.midnight(found[1], line) + int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4])
        return seconds * SECOND + int(found[5]) * MICROSECOND

    def export(self, text: bytes, line: int) -> str:
        """The name in `export=NAME tls=…`, which nbdkit quotes as a shell would where that is needed."""
        try:
            return shlex.split(text.decode())[0].removeprefix("export=")
        except (ValueError, UnicodeDecodeError) as error:
            raise self.fail(line, f"the export's name cannot be read: {error}") from None

    def matched(self) -> tuple[Columns, Numbers, Numbers, Numbers]:
        """The calls in the order of the log, and for each its volume, acknowledgement and the line of its return."""
        calls, returns = _joined(self.calls, CALL_COLUMNS), _joined(self.returns, RETURN_COLUMNS)
        connection = self.connection_of(calls)
        key = connection * MAX_ID + calls["id"]
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        if at := _first(ordered[1:] == ordered[:-1]):
            raise self.fail(int(calls["line"][order[at[0] + 1]]), "this connection has called that id before")
        wanted = self.connection_of(returns) * MAX_ID + returns["id"]
        place = np.searchsorted(ordered, wanted)
        call = order[np.minimum(place, len(order) - 1)] if len(order) else place
        answers = key[call] == wanted if len(order) else np.zeros(len(wanted), np.bool_)
        if len(order):
            answers &= (calls["kind"][call] == returns["kind"]) & (calls["line"][call] < returns["line"])
        if at := _first(~answers):
            raise self.fail(int(returns["line"][at[0]]), "returns without having been called")
        left = np.full(len(key), NEVER)
        left[call] = returns["line"]
        if at := _first(left[call] != returns["line"]):
            raise self.fail(int(left[call[at[0]]]), "returns a second time")
        if at := _first(returns["time"] < calls["time"][call]):
            line = int(calls["line"][call[at[0]]])
            raise self.fail(
                int(returns["line"][at[0]]), f"returns before its call in line {line}: the clock was set back"
            )
        acknowledgement = np.full(len(key), NEVER)
        acknowledgement[call] = np.where(returns["good"] == 1, returns["time"], NEVER)
        volume = np.array([connect[2] for connect in sorted(self.connects)], np.int64)[connection]
        return calls, volume, acknowledgement, left

    def connection_of(self, events: Columns) -> Numbers:
        """For each event the place, among the sorted connections, of the one that its number means in its line."""
        if len(self.connects) > MAX_CONNECTIONS:
            raise self.fail(self.connects[MAX_CONNECTIONS][1], f"more than {MAX_CONNECTIONS} connections")
        known = np.array([(c[0], c[0] * LINE_LIMIT + c[1]) for c in sorted(self.connects)], np.int64).reshape(-1, 2).T
        place = np.searchsorted(known[1], events["connection"] * LINE_LIMIT + events["line"]) - 1
        missing = place < 0
        missing[~missing] = known[0][place[~missing]] != events["connection"][~missing]
        if at := _first(missing):
            number = events["connection"][at[0]]
            raise self.fail(int(events["line"][at[0]]), f"connection {number} has no Connect line before this one")
        return place


def read_nbdkit_log(
    path: str,
    *,
    block_bytes: int,
    discard_reads_zero: bool = False,
    limits: Limits | None = None,
    say: Say = silent,
) -> History:
    """The history in the log *path*, plain or gzip-compressed; its blocks are stamped every *block_bytes*."""
    reader = _Reader(path, check_block_bytes(block_bytes, "--block-bytes"))
    for piece in pieces(path, say):
        reader.piece(piece)
    calls, volume, acknowledgement, left = reader.matched()
    end = (calls["offset"] + calls["count"]) // block_bytes
    for index, name in enumerate(reader.names):
        if limits and name in limits and len(mine := np.flatnonzero(volume == index)):
            call = int(mine[end[mine].argmax()])
            if reason := beyond(limits, name, int(end[call]), block_bytes):
                raise reader.fail(int(calls["line"][call]), reason)
    units = calls["count"] // block_bytes
    split: Flags | None = None if (units == 1).all() else units > 0

    def each(column: NDArray[np.int64]) -> Numbers:
        """A column of calls as a column of units."""
        return column if split is None else np.repeat(column, units)

    block = each(calls["offset"] // block_bytes)
    if split is not None:
        block = block + np.arange(len(block)) - np.repeat(np.cumsum(units) - units, units)
    kind, line = each(calls["kind"]), each(calls["line"])
    volumes = each(volume).astype(np.int32)
    names = tuple(reader.names)
    content, overlap = _numbered(names, volumes, block, kind, line, each(left))
    content[kind == TRIM] = ZERO_KEY if discard_reads_zero else ANYTHING
    reader.rows.add(volumes, block, each(calls["time"]), each(acknowledgement), content, line)
    history = reader.rows.finish("nbdkit", "calendar", block_bytes, len(units), names)
    return replace(history, overlap=overlap)


def _numbered(
    names: tuple[str, ...], volume: NDArray[np.int32], block: Numbers, kind: Numbers, line: Numbers, left: Numbers
) -> tuple[NDArray[np.uint64], str | None]:
    """The number of each write among those of its unit, 0 for what is no write; and where two of a unit overlap."""
    content = np.full(len(block), ZERO_KEY, np.uint64)
    writes = np.flatnonzero(kind == WRITE)
    order = writes[np.lexsort((block[writes], volume[writes]))]  # stable: within a unit, the order of the log
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(block[order]) != 0) | (np.diff(volume[order]) != 0)
    place = np.arange(len(order))
    content[order] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
    clash = np.flatnonzero(~first[1:] & (left[order[:-1]] > line[order[1:]]))
    if not len(clash):
        return content, None
    one, other = order[clash[0]], order[clash[0] + 1]
    return content, (
        f"volume {names[volume[one]]} block {block[one]} was written by line {line[one]} and again by line "
        f"{line[other]} before the first had returned ({len(clash)} such pairs), so stamps do not tell them apart"
    )


def _joined(parts: list[Columns], names: tuple[str, ...]) -> Columns:
    """The parts as one, in the order of the lines; they are let go as they are joined."""
    if not parts:
        return {name: np.empty(0, np.int64) for name in names}
    joined = {name: np.concatenate([part.pop(name) for part in parts]) for name in names}
    parts.clear()
    line = joined["line"]
    if (line[1:] < line[:-1]).any():
        order = np.argsort(line, kind="stable")
        joined = {name: column[order] for name, column in joined.items()}
    return joined


def _first(marked: Flags) -> list[int]:
    """The first marked place, in a list that is empty where there is none."""
    return [int(marked.argmax())] if marked.any() else []


@lru_cache(maxsize=64)
def _midnight(date: bytes) -> int:
    return int(datetime.strptime(date.decode(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
