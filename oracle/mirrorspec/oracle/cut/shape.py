"""Many JSON lines at once: the writer of a history writes all lines alike, so the first one is a stencil for the rest.

A `Shape` is what lies between the values of one flat JSON object: `{"volume": "`, `", "block": `, and so on, in that
writer's order and with that writer's blanks. Where a line has the same number of quotes, the same text between the
values, and plain values, its row is read by array operations (`digits`). Every other line is left to `jsonl`, which reads
it by itself: a line is never refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from mirrorspec.oracle.cut.digits import PAD, Text
from mirrorspec.oracle.cut.history import FOREIGN, NEVER, Flags, Keys, Numbers, Times
from mirrorspec.oracle.cut.lines import Piece

MEMBER = re.compile(rb'(?:^[ \t\r]*\{|,)[ \t\r]*"(\w+)"[ \t\r]*:[ \t\r]*("[^"\\]*"|[-+.\w]+)[ \t\r]*')
STRINGS = {b"volume", b"content"}
UNTIMED = {b"volume", b"block", b"content"}
TIMED = UNTIMED | {b"issue", b"acknowledgement"}
KEY_DIGITS = 16
"""The hexadecimal digits of a digest that are compared."""
MAX_DIGITS = 64
"""The most hexadecimal digits a digest may have."""
MAX_NAMES = 64
"""The most volumes that are looked for in a piece; lines of further ones are read one by one."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The text around the values of a line, and the order in which the values come."""

    keys: tuple[bytes, ...]
    literals: tuple[bytes, ...]
    """One before each value and one after the last; a string's quotes belong to the literals."""

    @property
    def timed(self) -> bool:
        """True where the lines say when, and not only in which order."""
        return b"issue" in self.keys


@dataclass(frozen=True, slots=True)
class Many:
    """The rows of those lines of a piece that have the shape, in the order of the lines."""

    index: Numbers
    """Which lines of the piece, counted from 0."""
    volume: Numbers
    block: Numbers
    issue: Times
    acknowledgement: Times
    content: Keys


def shape_of(line: bytes) -> Shape | None:
    """The shape of *line*, if it is one that can be read by arrays."""
    keys: list[bytes] = []
    literals: list[bytes] = []
    at = begin_literal = 0
    while found := MEMBER.match(line, at):
        begin, end = found.span(2)
        text = int(line[begin] == ord('"'))
        if text != (found[1] in STRINGS):
            return None
        keys.append(found[1])
        literals.append(line[begin_literal : begin + text])
        at, begin_literal = found.end(), end - text
    literals.append(line[begin_literal:])
    if line[at:].rstrip(b" \t\r") != b"}" or len(keys) != len(set(keys)) or set(keys) not in (TIMED, UNTIMED):
        return None
    return Shape(tuple(keys), tuple(literals)) if max(map(len, literals)) <= PAD - 8 else None


def read_many(shape: Shape, piece: Piece, names: dict[bytes, int]) -> Many:
    """The rows of all lines of *piece* that have *shape*; *names* gives each volume's index and learns new ones."""
    text = Text(piece.data)
    index, values = _places(shape, piece, text)
    block, good = text.json_whole(*values[b"block"])
    content, fine = _digests(text, *values[b"content"])
    good &= fine
    if shape.timed:
        issue, fine = text.json_seconds(*values[b"issue"])
        good &= fine
        begin, end = values[b"acknowledgement"]
        acknowledgement, fine = text.json_seconds(begin, end)
        none = (end - begin == 4) & text.holds(begin, b"null")
        acknowledgement[none] = NEVER
        good &= (fine | none) & (issue <= acknowledgement)
    else:
        issue = acknowledgement = np.zeros(len(index), np.int64)
    keep = np.flatnonzero(good)
    begin, end = values[b"volume"]
    volume = _volumes(text, piece.data, begin[keep], end[keep], names)
    known = volume >= 0
    keep = keep[known]
    return Many(index[keep], volume[known], block[keep], issue[keep], acknowledgement[keep], content[keep])


def _places(shape: Shape, piece: Piece, text: Text) -> tuple[Numbers, dict[bytes, tuple[Numbers, Numbers]]]:
    """Which lines have the shape's quotes and literals, and where in them each value begins and ends."""
    quotes = np.flatnonzero(text.characters[: len(piece.data)] == ord('"'))
    before = np.searchsorted(quotes, piece.ends)
    first = np.concatenate((before[:1] * 0, before[:-1]))
    index = np.flatnonzero(before - first == sum(literal.count(b'"') for literal in shape.literals))
    first, end = first[index], piece.ends[index]
    at = np.concatenate(([0], piece.ends[:-1] + 1))[index]

    good = np.ones(len(index), np.bool_)
    begins: list[Numbers] = []
    ends: list[Numbers] = []
    passed = 0
    for literal in shape.literals:
        if begins:  # the value before this literal ends where the literal begins, which its first quote tells
            has_quote = b'"' in literal
            at = quotes[first + passed] - literal.index(b'"') if has_quote else end - len(literal)
            good &= at >= begins[-1]
            ends.append(at)
        good &= text.holds(at, literal)
        at = at + len(literal)
        begins.append(at)
        passed += literal.count(b'"')
    good &= begins[-1] == end
    keep = np.flatnonzero(good)
    spans = zip(shape.keys, begins, ends, strict=False)
    return index[keep], {key: (begin[keep], stop[keep]) for key, begin, stop in spans}


def _digests(text: Text, begin: Numbers, end: Numbers) -> tuple[Keys, Flags]:
    """The first sixteen digits as a key, where all digits up to the end are lower-case hexadecimal ones."""
    length = end - begin
    good = (length >= KEY_DIGITS) & (length <= MAX_DIGITS)
    first, fine = text.hexadecimal(begin)
    second, fine_too = text.hexadecimal(begin + 8)
    good &= fine & fine_too
    longest = int(length[good].max(initial=0))
    for offset in range(KEY_DIGITS, longest, 8):
        _, fine = text.hexadecimal(np.minimum(begin + offset, end - 8))
        good &= fine
    key = first << np.uint64(32) | second
    return key, good & (key < np.uint64(FOREIGN))


def _volumes(text: Text, data: bytes, begin: Numbers, end: Numbers, names: dict[bytes, int]) -> Numbers:
    """The index of each volume, -1 where the name is not a plain one."""
    index = np.full(len(begin), -1, np.int64)
    left, length = np.arange(len(begin)), end - begin
    candidates = list(names)
    for attempt in range(MAX_NAMES):
        if not len(left):
            break
        name = candidates[attempt] if attempt < len(candidates) else data[begin[left[0]] : end[left[0]]]
        alike = left[length[left] == len(name)]
        alike = alike[text.holds(begin[alike], name)]
        if name not in names and plain(name):
            names[name] = len(names)
        index[alike] = names.get(name, -2)
        left = left[index[left] == -1]
    return np.maximum(index, -1)


def plain(name: bytes) -> bool:
    """True for a volume's name that stands in the JSON text as it is."""
    try:
        shown = name.decode()
    except UnicodeDecodeError:
        return False
    return 0 < len(shown) <= 255 and shown.isprintable() and "\\" not in shown
