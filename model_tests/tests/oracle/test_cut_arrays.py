"""What is done by arrays beside the same done plainly: numbers in text, damaged lines, orders, the fewest units.

The readers by arrays are trusted where they accept a line. So every line that differs in a byte from a good one is given to
them, all at once, and what they accept must be what the patient readers make of that line.
"""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest

from mirrorspec.oracle.cut import nbdkit
from mirrorspec.oracle.cut.digits import Text
from mirrorspec.oracle.cut.history import ALWAYS, NEVER
from mirrorspec.oracle.cut.intervals import Unions, by_unit
from mirrorspec.oracle.cut.jsonl import _Reader
from mirrorspec.oracle.cut.lines import Piece
from mirrorspec.oracle.cut.nbdlines import read_many as read_many_calls
from mirrorspec.oracle.cut.shape import read_many, shape_of
from mirrorspec.oracle.cut.witness import EVERY_TIME, _Search, _without_dominated, intersect

BYTES = b'0159afgxAF.:- ,"\\\x00\x01\xb5\xe6{}'
"""What is put in every place: digits and not quite digits, in both halves of the byte, and what separates."""


def damaged(line: bytes) -> list[bytes]:
    """The line, and it with each byte left out, doubled, replaced, or preceded by another."""
    made = [line]
    for at in range(len(line) + 1):
        made += [line[:at] + line[at + 1 :], line[:at] + line[at : at + 1] + line[at:]]
        for byte in BYTES:
            made += [line[:at] + bytes([byte]) + line[at + skip :] for skip in (0, 1)]
    return made


def piece_of(lines: list[bytes]) -> Piece:
    data = b"".join(line + b"\n" for line in lines)
    return Piece(1, data, np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")))


@pytest.mark.parametrize(
    "line",
    [
        b'{"volume": "A.5", "block": 70, "issue": 1.5, "acknowledgement": 12.000000391, "content": "00112233445566ff"}',
        b'{"content":"00112233445566ff77","acknowledgement":null,"issue":0,"block":0,"volume":"long volume\xc3\xa9"}',
        b'{"volume": "A", "content": "' + b"0123456789abcdef" * 4 + b'", "block": 1234567890123}',
    ],
)
def test_a_damaged_json_line_is_never_misread(line: bytes) -> None:
    shape = shape_of(line)
    assert shape is not None
    lines = damaged(line)
    names: dict[bytes, int] = {}
    many = read_many(shape, piece_of(lines), names)
    accepted = dict(zip(many.index.tolist(), range(len(many.index)), strict=True))
    assert 0 in accepted
    assert len(accepted) > 100
    volumes = list(names)
    for at, place in accepted.items():
        reader = _Reader("history", False)
        request = reader.one(lines[at], at)
        assert list(reader.names) == [volumes[many.volume[place]]], lines[at]
        assert (request.block, request.runs) == (int(many.block[place]), [(int(many.content[place]), 1)]), lines[at]
        if shape.timed:
            times = (int(many.issue[place]), int(many.acknowledgement[place]))
            assert (request.issue, request.acknowledgement) == times, lines[at]


@pytest.mark.parametrize("number", [b"1", b"12345678", b"1234567890123"])
@pytest.mark.parametrize(
    ("text", "returns"),
    [
        (b"2026-11-23 19:52:32.815472 connection=1 Write id=%s offset=0x0 count=0x1000 fua=0 ...", False),
        (
            b"2026-11-23 09:02:02.000000 connection=1234 Write id=%s offset=0x123456789abcdef count=0xfffff000 fua=1 ...",
            False,
        ),
        (b"2026-11-23 19:52:32.815577 connection=12 ...Write id=%s return=0", True),
    ],
)
def test_a_damaged_line_of_a_log_is_never_misread(text: bytes, returns: bool, number: bytes) -> None:
    lines = damaged(text % number)
    many = read_many_calls(piece_of(lines))[returns]
    assert 0 in many.index.tolist()
    assert not len(read_many_calls(piece_of(lines[:1]))[not returns].index)
    for place, at in enumerate(many.index.tolist()):
        found = (nbdkit.RETURN if returns else nbdkit.CALL).fullmatch(lines[at])
        assert found, lines[at]
        assert (int(found[6]), found[7], int(found[8])) == (many.connection[place], b"Write", many.id[place]), lines[at]
        clock = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4])
        assert clock * 10**9 + int(found[5]) * 1000 == many.time[place], lines[at]
        assert found[1] == lines[0][:10], lines[at]
        if returns:
            assert found[9] == b"0"
        else:
            assert (int(found[9], 16), int(found[10], 16)) == (many.offset[place], many.count[place]), lines[at]


def test_numbers_in_a_text() -> None:
    texts = [
        "",
        "0",
        "7",
        "007",
        "12345678",
        "123456789",
        "1234567890123456",
        "12345678901234567",
        "1a",
        "/",
        ":",
        "1.5",
    ]
    texts += [
        ".5",
        "5.",
        "1.123456789",
        "1.1234567890",
        "0.000000001",
        "00.5",
        "8999999999.9",
        "9000000000",
        "ff",
        "0" * 16,
    ]
    for text in texts:
        for before in ("", ".", "9", "3.7x"):
            data = Text(f"{before}{text}7".encode())
            p, q = np.array([len(before)]), np.array([len(before) + len(text)])
            value, good = data.whole(p, q)
            assert bool(good[0]) == (text.isdigit() and len(text) <= 16), text
            assert not good[0] or value[0] == int(text)
            value, good = data.json_whole(p, q)
            assert bool(good[0]) == (text.isdigit() and len(text) <= 16 and str(int(text)) == text), text
            value, good = data.whole_hexadecimal(p, q)
            assert bool(good[0]) == (text.isalnum() and len(text) <= 15), text
            assert not good[0] or value[0] == int(text, 16)
            whole, point, places = text.partition(".")
            fits = whole.isdigit() and str(int(whole)) == whole and int(whole) < 9 * 10**9
            value, good = data.json_seconds(p, q)
            assert bool(good[0]) == (fits and (not point or (places.isdigit() and len(places) <= 9))), text
            assert not good[0] or value[0] == int(whole) * 10**9 + int((places or "0").ljust(9, "0"))


def test_units_are_ordered_as_by_a_stable_sort() -> None:
    choose = np.random.default_rng(1)
    for top in (1, 10, 2**16, 2**17, 2**33, 2**48):
        unit = choose.integers(0, top, 5000)
        assert (by_unit(unit) == np.argsort(unit, kind="stable")).all()


def test_the_fewest_units_beside_every_set_of_them() -> None:
    choose = random.Random(1)
    sizes = []
    for _ in range(1500):
        rows = []
        for unit in range(choose.randint(2, 7)):
            ends = sorted(choose.sample(range(14), 2 * choose.choice((1, 1, 2, 3))))
            if choose.random() < 0.2:
                ends[0] = ALWAYS
            if choose.random() < 0.2:
                ends[-1] = NEVER
            rows += [(unit * 3, ends[n], ends[n + 1]) for n in range(0, len(ends), 2)]
        everything = Unions(*np.array(rows, np.int64).T)
        units = sorted({row[0] for row in rows})

        def together(chosen: tuple[int, ...], everything: Unions = everything) -> list[tuple[int, int]]:
            left = EVERY_TIME
            for unit in chosen:
                left = intersect(left, everything.of(unit))
            return left

        if together(tuple(units)):
            continue
        fewest = next(n for n in range(len(units) + 1) if any(not together(c) for c in combinations(units, n)))
        found = _Search(_without_dominated(everything), 10**6).fewest()
        assert found is not None
        assert len(found) == fewest
        assert not together(tuple(found))
        spare = _Search(everything, 0).irreducible()
        assert not together(tuple(spare))
        assert all(together(tuple(spare - {one})) for one in spare)
        sizes.append((fewest, len(spare)))
    assert {fewest for fewest, _ in sizes} >= {2, 3, 4}
    assert any(spare > fewest for fewest, spare in sizes), "the greedy way alone is not enough"
