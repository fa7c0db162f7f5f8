"""A history as the log of nbdkit's log filter, with self-stamped blocks (`stamp` says what those are).

    nbdkit --filter=log PLUGIN … logfile=FILE

The filter writes one line when a request enters and one when it leaves, in microseconds; the two are matched by
connection and id. The volume is the export's name, which the connection's `Connect` line has. With the log filter named
first, its intervals contain those of everything behind it, a replicator included.

- `Write`, `Zero` and `Trim` are writes; a `Zero` leaves zeros; after a `Trim` anything may be there unless told otherwise.
- A request that left with an error, or never left, is one that was never acknowledged: it may have been done all the same.
- Microseconds are cut off, not rounded, so that a later microsecond is a later time; within one, writes are concurrent.

Rule: a line that is none of the log's kinds is refused with its file, line and reason. Nothing is skipped.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from mirrorspec.oracle.cut.history import (
    ANYTHING,
    NEVER,
    SECOND,
    History,
    Rows,
    check_block_bytes,
    check_volume_name,
)
from mirrorspec.oracle.cut.lines import pieces
from mirrorspec.oracle.cut.stamp import ZERO_KEY
from mirrorspec.spec.errors import BadInputError

TIME = rb"(\d{4}-\d\d-\d\d) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)\.(\d{6}) "
CALL = re.compile(
    TIME + rb"connection=(\d{1,9}) (Write|Zero|Trim) id=(\d{1,18}) offset=0x([0-9a-f]{1,15}) count=0x([0-9a-f]{1,8})"
    rb"(?: \w+=\d+)* \.\.\."
)
RETURN = re.compile(
    TIME + rb"connection=(\d{1,9}) \.\.\.(Write|Zero|Trim) id=(\d{1,18}) return=(-?\d{1,9})(?: error=\w+)?"
)
CONNECT = re.compile(TIME + rb"connection=(\d{1,9}) Connect (export=.*)")
OTHER = re.compile(
    TIME
    + rb"(?:connection=\d{1,9} )?(?:\.\.\.)?(Ready|Fork|ListExports|Preconnect|Read|Extents|Cache|Flush|Disconnect)( .*)?"
)
MICROSECOND = 1000


@dataclass(slots=True)
class _Calls:
    """One list a column; one entry a request that writes."""

    kind: list[bytes] = field(default_factory=list)
    volume: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    issue: list[int] = field(default_factory=list)
    acknowledgement: list[int] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    """The line of the return, successful or not; `NEVER` where there is none."""


def read_nbdkit_log(path: str, *, block_bytes: int, discard_reads_zero: bool = False) -> History:
    """The history in the log *path*, plain or gzip-compressed; its blocks are stamped every *block_bytes*."""
    check_block_bytes(block_bytes, "--block-bytes")
    calls, names = _Calls(), dict[str, int]()
    connections: dict[bytes, int] = {}
    outstanding: dict[tuple[bytes, bytes], int] = {}
    rows = Rows(path)
    units_so_far = 0
    for piece in pieces(path):
        for line, text in enumerate(piece.texts(), piece.first):
            where = f"{path}:{line}"
            if found := CALL.fullmatch(text):
                connection, kind, number = found[6], found[7], found[8]
                if connection not in connections:
                    raise BadInputError(
                        f"{where}: connection {connection.decode()} has no Connect line before this one"
                    )
                if (connection, number) in outstanding:
                    raise BadInputError(f"{where}: id {number.decode()} is called again before it returned")
                first, count = _units(int(found[9], 16), int(found[10], 16), block_bytes, where)
                units_so_far += count
                rows.room_for(units_so_far, line)
                outstanding[connection, number] = len(calls.kind)
                calls.kind.append(kind)
                calls.volume.append(connections[connection])
                calls.first.append(first)
                calls.units.append(count)
                calls.issue.append(_time(found, where))
                calls.acknowledgement.append(NEVER)
                calls.line.append(line)
                calls.left.append(NEVER)
            elif found := RETURN.fullmatch(text):
                at = outstanding.pop((found[6], found[8]), -1)
                if at < 0 or calls.kind[at] != found[7]:
                    what = f"{found[7].decode()} id {found[8].decode()} of connection {found[6].decode()}"
                    raise BadInputError(f"{where}: {what} returns without having been called")
                time = _time(found, where)
                if time < calls.issue[at]:
                    raise BadInputError(
                        f"{where}: returns before its call in line {calls.line[at]}: the clock was set back"
                    )
                calls.left[at] = line
                if found[9] == b"0":
                    calls.acknowledgement[at] = time
            elif found := CONNECT.fullmatch(text):
                name = check_volume_name(_export(found[7], where), where)
                connections[found[6]] = names.setdefault(name, len(names))
                # A server that was started again counts its connections from 1: what was outstanding is lost.
                outstanding = {key: at for key, at in outstanding.items() if key[0] != found[6]}
            elif not (found := OTHER.fullmatch(text)):
                raise BadInputError(
                    f"{where}: not a line of nbdkit's log filter: {text[:60].decode(errors='replace')!r}"
                )
    return _history(rows, calls, tuple(names), block_bytes, ANYTHING if not discard_reads_zero else ZERO_KEY)


def _units(offset: int, count: int, block_bytes: int, where: str) -> tuple[int, int]:
    if offset % block_bytes or count % block_bytes:
        raise BadInputError(
            f"{where}: offset {offset} and count {count} are not multiples of {block_bytes}; "
            "give the size that the blocks were stamped at as --block-bytes"
        )
    if not count:
        raise BadInputError(f"{where}: a request of 0 bytes")
    return offset // block_bytes, count // block_bytes


@lru_cache(maxsize=64)
def _midnight(date: bytes) -> int:
    return int(datetime.strptime(date.decode(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp())


def _time(found: re.Match[bytes], where: str) -> int:
    try:
        midnight = _midnight(found[1])
    except ValueError:
        raise BadInputError(f"{where}: no such date: {found[1].decode()}") from None
    seconds = midnight + int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4])
    return seconds * SECOND + int(found[5]) * MICROSECOND


def _export(text: bytes, where: str) -> str:
    """The name in `export=NAME tls=…`, which nbdkit quotes as a shell would where that is needed."""
    try:
        return shlex.split(text.decode())[0].removeprefix("export=")
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInputError(f"{where}: the export's name cannot be read: {error}") from None


def _history(rows: Rows, calls: _Calls, names: tuple[str, ...], block_bytes: int, trimmed: int) -> History:
    """Split the calls into units and number the writes of each unit."""
    units = np.array(calls.units, np.int64)
    offset = np.arange(int(units.sum())) - np.repeat(np.cumsum(units) - units, units)
    volume = np.repeat(np.array(calls.volume, np.int32), units)
    block = np.repeat(np.array(calls.first, np.int64), units) + offset
    line, left = np.repeat(np.array(calls.line, np.int64), units), np.repeat(np.array(calls.left, np.int64), units)
    kind = np.repeat(np.array(calls.kind, "S5"), units)
    content = np.where(kind == b"Trim", np.uint64(trimmed), np.uint64(ZERO_KEY))

    writes = np.flatnonzero(kind == b"Write")
    order = writes[np.lexsort((block[writes], volume[writes]))]  # stable: within a unit, the order of the log
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(block[order]) != 0) | (np.diff(volume[order]) != 0)
    place = np.arange(len(order))
    content[order] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1

    overlap = None
    clash = np.flatnonzero(~first[1:] & (left[order[:-1]] > line[order[1:]]))
    if len(clash):
        one, other = order[clash[0]], order[clash[0] + 1]
        overlap = (
            f"volume {names[volume[one]]} block {block[one]} was written by line {line[one]} and again by line "
            f"{line[other]} before the first had returned ({len(clash)} such pairs), so stamps do not tell them apart"
        )
    issue = np.repeat(np.array(calls.issue, np.int64), units)
    rows.add(volume, block, issue, np.repeat(np.array(calls.acknowledgement, np.int64), units), content, line)
    history = rows.finish("nbdkit", "calendar", block_bytes, len(calls.kind), names)
    return replace(history, overlap=overlap)
