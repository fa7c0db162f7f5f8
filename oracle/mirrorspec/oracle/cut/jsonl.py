"""A history as JSON lines: one object a request, one request a line.

    {"history": 1, "block_bytes": 4096}
    {"volume": "A", "block": 7, "issue": 12.000105, "acknowledgement": 12.000391, "content": "7f0c66e1b2a94d10"}
    {"volume": "B", "block": 3, "issue": 12.000402, "acknowledgement": null, "content": ["7f0c66e1b2a94d10", "zero"]}
    {"volume": "B", "block": 64, "blocks": 32, "issue": 12.5, "acknowledgement": 12.6, "content": "discard"}

| member | means |
|---|---|
| first line, may be absent | `block_bytes`: the finest unit that was written (4096 if not said) |
| `block` | the first block written, counted from 0 in units of `block_bytes` |
| `issue`, `acknowledgement` | seconds of one clock; `null` or absent: never acknowledged |
| `content` | of the block: the first 16 to 64 hexadecimal digits of its SHA-256, or `zero`, or `discard` |
| … as a list | of several blocks in a row |
| `blocks` | with `zero` or `discard`: how many blocks in a row |

Where *every* line lacks both times, the order of the lines is all that is known: an order-only history.

A digest cannot be split afterwards: where some writes are smaller than others, `block_bytes` is the smallest and the
larger ones list one digest for each. Sixteen digits are compared, so contents of one block that differ are taken for equal
with a chance of 2^-64. Times finer than a nanosecond are rounded outward, which can only make an interval longer.

Rule: every line is one object as above or the file is refused, with its name, the line and the reason. Nothing is skipped.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mirrorspec.oracle.cut.history import (
    ANYTHING,
    FOREIGN,
    MAX_BLOCK,
    NEVER,
    SECOND,
    TIME_LIMIT,
    Clock,
    History,
    Limits,
    Numbers,
    Rows,
    beyond,
    check_block_bytes,
    check_volume_name,
)
from mirrorspec.oracle.cut.lines import Piece, Say, pieces, silent
from mirrorspec.oracle.cut.named import shortened
from mirrorspec.oracle.cut.shape import KEY_DIGITS, MAX_DIGITS, Shape, read_many, shape_of
from mirrorspec.spec.errors import BadInputError, unknown_name

MEMBERS = ("volume", "block", "blocks", "issue", "acknowledgement", "content")
HEADER = ("history", "block_bytes")
DEFAULT_BLOCK_BYTES = 4096
NANOSECOND = Decimal("1e-9")
HEXADECIMAL = re.compile(f"[0-9a-fA-F]{{{KEY_DIGITS},{MAX_DIGITS}}}")
MAX_NUMBER_DIGITS = 1000
NO_NUMBER = f"a number that cannot be read; at most {MAX_NUMBER_DIGITS} digits and no vast exponent are expected"
SHAPE_ATTEMPTS = 100
"""How many of a piece's first lines are tried for a shape, since the very first may be an unusual one."""


@dataclass(frozen=True, slots=True)
class _Request:
    """One line read by itself."""

    volume: int
    block: int
    count: int
    issue: int
    acknowledgement: int
    runs: list[tuple[int, int]]
    """Content keys, each with the number of blocks in a row that it is the content of."""


def content_key(unit: bytes) -> int:
    """The key of a unit's bytes: the first 64 bits of its SHA-256."""
    return min(int.from_bytes(hashlib.sha256(unit).digest()[: KEY_DIGITS // 2]), FOREIGN - 1)


@dataclass(slots=True)
class _Reader:
    path: str
    discard_reads_zero: bool
    limits: Limits = field(default_factory=dict)
    rows: Rows = field(init=False)
    names: dict[bytes, int] = field(default_factory=dict)
    block_bytes: int = DEFAULT_BLOCK_BYTES
    zero: int = 0
    timed: bool | None = None
    header_lines: int = 0
    requests: int = 0
    made: int = 0
    """Rows that lines of this piece, read one by one, have asked for and `rows` has not got yet."""

    def __post_init__(self) -> None:
        self.rows = Rows(self.path)
        self.zero = content_key(bytes(self.block_bytes))

    def fail(self, line: int, reason: str) -> BadInputError:
        return BadInputError(f"{self.path}:{line}: {reason}")

    def parse(self, text: bytes, line: int) -> dict[str, Any]:
        try:
            # Decimal keeps what was written; a float would move a time by some nanoseconds.
            value = json.loads(
                text, parse_float=Decimal, parse_int=_whole, object_pairs_hook=_once, parse_constant=_refuse
            )
        except RecursionError:
            raise self.fail(line, "not a JSON object: nested too deeply") from None
        except ArithmeticError:
            raise self.fail(line, f"not a JSON object: {NO_NUMBER}") from None
        except ValueError as error:
            raise self.fail(line, f"not a JSON object: {error}") from None
        if not isinstance(value, dict):
            raise self.fail(line, f"expected a JSON object with {', '.join(MEMBERS)}; found a {type(value).__name__}")
        return cast(dict[str, Any], value)

    def header(self, text: bytes) -> bool:
        """Take over the first line if it is a header."""
        if b'"history"' not in text or "history" not in (value := self.parse(text, 1)):
            return False
        for key in value:
            if key not in HEADER:
                raise self.fail(1, f"in the header: {unknown_name('member', shortened(key), HEADER)}")
        if type(value["history"]) is not int or value["history"] != 1:
            raise self.fail(1, f"a history of version {_short(value['history'])}; this program reads version 1")
        size = self.whole(value.get("block_bytes", DEFAULT_BLOCK_BYTES), "block_bytes", 1)
        self.block_bytes = check_block_bytes(size, f"{self.path}:1")
        self.zero = content_key(bytes(size))
        self.header_lines = 1
        return True

    def whole(self, value: object, what: str, line: int) -> int:
        if type(value) is not int or not 0 <= value < MAX_BLOCK:
            raise self.fail(line, f"{what} is {_short(value)}; a whole number from 0 to {MAX_BLOCK - 1} is expected")
        return value

    def time(self, value: object, what: str, rounding: str, line: int) -> int:
        limit = TIME_LIMIT // SECOND
        number = isinstance(value, Decimal) or type(value) is int
        # Compared and not `abs`: that rounds, and a vast exponent makes it fail.
        if not number or not -limit < cast(Decimal, value) < limit:
            raise self.fail(line, f"{what} is {_short(value)}; seconds between -9e9 and 9e9 are expected")
        return int(Decimal(cast(Decimal, value)).quantize(NANOSECOND, rounding=rounding).scaleb(9))

    def key(self, content: object, line: int) -> int:
        if content == "zero":
            return self.zero
        if content == "discard":
            return self.zero if self.discard_reads_zero else ANYTHING
        if isinstance(content, str) and HEXADECIMAL.fullmatch(content):
            return min(int(content[:KEY_DIGITS], 16), FOREIGN - 1)
        raise self.fail(
            line,
            f"content is {_short(content)}; {KEY_DIGITS} to {MAX_DIGITS} hexadecimal digits of the block's SHA-256, "
            "'zero', 'discard', or a list of these are expected",
        )

    def one(self, text: bytes, line: int) -> _Request:
        value = self.parse(text, line)
        for key in value:
            if key not in MEMBERS:
                raise self.fail(line, str(unknown_name("member", shortened(key), MEMBERS)))
        for key in ("volume", "block", "content"):
            if key not in value:
                raise self.fail(line, f"{key!r} is missing")
        if not isinstance(value["volume"], str):
            raise self.fail(line, f"volume is {_short(value['volume'])}; a name in quotes is expected")
        try:
            name = check_volume_name(value["volume"], f"{self.path}:{line}").encode()
        except UnicodeEncodeError:
            raise self.fail(line, "the volume's name is not Unicode text") from None
        contents, count = value["content"], 1
        listed = isinstance(contents, list)
        if listed:
            if not contents:
                raise self.fail(line, "content is an empty list; one digest for each block is expected")
            count = len(contents)
        if "blocks" in value:
            if contents not in ("zero", "discard"):
                raise self.fail(
                    line, "'blocks' goes with content 'zero' or 'discard'; otherwise list one digest a block"
                )
            count = self.whole(value["blocks"], "blocks", line)
        block = self.whole(value["block"], "block", line)
        end = self.whole(block + count, "the end of the write", line)
        if reason := beyond(self.limits, value["volume"], end, self.block_bytes):
            raise self.fail(line, reason)
        self.rows.room_for(self.made + count, line)
        self.made += count
        issue, acknowledgement = self.interval(value, line)
        volume = self.names.setdefault(name, len(self.names))
        runs = [(self.key(c, line), 1) for c in contents] if listed else [(self.key(contents, line), count)]
        return _Request(volume, block, count, issue, acknowledgement, runs)

    def interval(self, value: dict[str, Any], line: int) -> tuple[int, int]:
        self.check_timed("issue" in value, line)
        if not self.timed:
            if "acknowledgement" in value:
                raise self.fail(line, "an acknowledgement without an issue; both are seconds of one clock")
            order = line - self.header_lines
            return order, order
        issue = self.time(value["issue"], "issue", ROUND_FLOOR, line)
        if value.get("acknowledgement") is None:
            return issue, NEVER
        acknowledgement = self.time(value["acknowledgement"], "acknowledgement", ROUND_CEILING, line)
        if acknowledgement < issue:
            raise self.fail(
                line,
                f"acknowledged at {_short(value['acknowledgement'])}, before its issue at {_short(value['issue'])}",
            )
        return issue, acknowledgement

    def check_timed(self, timed: bool, line: int) -> None:
        if self.timed is None:
            self.timed = timed
        if self.timed != timed:
            has, earlier = ("has", "have none") if timed else ("has no", "have one")
            raise self.fail(
                line, f"this line {has} 'issue' and earlier ones {earlier}; give times in all lines or in none"
            )

    def piece(self, piece: Piece, shape: Shape | None, skip: int) -> None:
        """Read the lines of *piece* from number *skip* on: as many as possible at once, the others one by one."""
        total = len(piece.ends)
        done = np.zeros(total, np.bool_)
        done[:skip] = True
        parts: list[tuple[NDArray[Any], ...]] = []
        if shape is not None and self.timed in (None, shape.timed):
            many = read_many(shape, piece, self.names)
            if len(many.index):
                self.timed = shape.timed
                line = many.index + piece.first
                self.rows.room_for(len(line), int(line[0]))
                issue = many.issue if shape.timed else line - self.header_lines
                ack = many.acknowledgement if shape.timed else issue
                parts.append((many.volume, many.block, issue, ack, many.content, line))
                done[many.index] = True  # a header is none of these: it has other members
        self.requests += total - skip
        if not done.all():
            parts.append(self.singly(piece, np.flatnonzero(~done)))
        if not parts:
            return
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if len(parts) > 1 else list(parts[0])
        if len(parts) > 1:
            order = np.argsort(columns[5], kind="stable")
            columns = [column[order] for column in columns]
        self.rows.add(columns[0].astype(np.int32), *columns[1:])
        self.made = 0

    def singly(self, piece: Piece, left: Numbers) -> tuple[NDArray[Any], ...]:
        """The rows of the lines *left*, in columns: volume, block, issue, acknowledgement, content, line."""
        texts = piece.texts()
        requests = [self.one(texts[at], piece.first + at) for at in left.tolist()]
        keys = np.array([run[0] for request in requests for run in request.runs], np.uint64)
        lengths = np.array([run[1] for request in requests for run in request.runs], np.int64)
        content = np.repeat(keys, lengths)
        count = np.array([r.count for r in requests], np.int64)
        heads = np.array([(r.volume, r.block, r.issue, r.acknowledgement) for r in requests], np.int64).T
        volume, block, issue, acknowledgement = (np.repeat(head, count) for head in heads)
        offset = np.arange(len(content)) - np.repeat(np.cumsum(count) - count, count)
        return volume, block + offset, issue, acknowledgement, content, np.repeat(left + piece.first, count)


def read_json_lines(
    path: str, *, discard_reads_zero: bool = False, limits: Limits | None = None, say: Say = silent
) -> History:
    """The history in the JSON lines of the file *path*, plain or gzip-compressed."""
    reader = _Reader(path, discard_reads_zero, limits or {})
    shape: Shape | None = None
    for piece in pieces(path, say):
        skip = 0
        first_end = int(piece.ends[0])
        if piece.first == 1 and reader.header(piece.data[:first_end]):
            skip = 1
        if shape is None and skip < len(piece.ends):
            shapes = map(shape_of, piece.texts()[skip : skip + SHAPE_ATTEMPTS])
            shape = next((found for found in shapes if found), None)
        reader.piece(piece, shape, skip)
    clock: Clock = "order" if reader.timed is False else "seconds"
    names = tuple(name.decode() for name in reader.names)
    return reader.rows.finish("json-lines", clock, reader.block_bytes, reader.requests, names)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member is given twice")
    return value


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _whole(digits: str) -> int:
    if len(digits) > MAX_NUMBER_DIGITS:
        raise ValueError(NO_NUMBER)
    return int(digits)


def _short(value: object) -> str:
    return shortened(f"{value}" if isinstance(value, Decimal) else repr(value))
