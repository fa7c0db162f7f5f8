"""Histories as JSON lines: what is read is what was written, and what is not a history is refused by file and line."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirrorspec.oracle.cut import history as history_module
from mirrorspec.oracle.cut import jsonl, lines
from mirrorspec.oracle.cut.history import ANYTHING, NEVER, History
from mirrorspec.oracle.cut.jsonl import read_json_lines
from mirrorspec.oracle.cut.shape import shape_of
from mirrorspec.spec.errors import BadInputError

KEY = "00112233445566ff"
GOOD = f'{{"volume": "A", "block": 7, "issue": 1.5, "acknowledgement": 2, "content": "{KEY}"}}'


@contextmanager
def file_of(data: bytes) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "history.jsonl")
        path.write_bytes(data)
        yield str(path)


def read(text: str) -> History:
    with file_of(text.encode()) as path:
        return read_json_lines(path)


def rows(history: History) -> list[tuple[object, ...]]:
    names = [history.volumes[v] for v in history.volume.tolist()]
    columns = (history.block, history.issue, history.acknowledgement, history.content, history.line)
    return list(zip(names, *(column.tolist() for column in columns), strict=True))


def test_a_line_is_a_row() -> None:
    history = read(f"{GOOD}\n")
    assert rows(history) == [("A", 7, 1_500_000_000, 2_000_000_000, int(KEY, 16), 1)]
    assert (history.block_bytes, history.requests, history.order_only) == (4096, 1, False)


def test_a_header_says_how_large_blocks_are() -> None:
    history = read(f'{{"history": 1, "block_bytes": 512}}\n{GOOD}\n')
    assert history.block_bytes == 512
    assert history.line.tolist() == [2]


def test_several_blocks_zeros_and_discards_are_split() -> None:
    zero = int(hashlib.sha256(bytes(4096)).hexdigest()[:16], 16)
    listed = read(f'{{"volume": "A", "block": 3, "issue": 1, "content": ["{KEY}", "zero", "discard"]}}\n')
    assert listed.block.tolist() == [3, 4, 5]
    assert listed.content.tolist() == [int(KEY, 16), zero, ANYTHING]
    assert listed.acknowledgement.tolist() == [NEVER] * 3
    run = read('{"volume": "A", "block": 3, "blocks": 4, "issue": 1, "content": "zero"}\n')
    assert (run.block.tolist(), run.content.tolist(), run.requests) == ([3, 4, 5, 6], [zero] * 4, 1)
    with file_of(b'{"volume": "A", "block": 3, "issue": 1, "content": "discard"}\n') as path:
        assert read_json_lines(path, discard_reads_zero=True).content.tolist() == [zero]


def test_times_finer_than_a_nanosecond_only_lengthen_the_interval() -> None:
    line = GOOD.replace("1.5", "1.0000000019").replace(": 2,", ": 1.9999999991,")
    assert rows(read(line + "\n"))[0][2:4] == (1_000_000_001, 2_000_000_000)
    assert rows(read(GOOD.replace("1.5", "1e-999999999999") + "\n"))[0][2] == 0


def test_without_times_only_the_order_is_known() -> None:
    line = f'{{"volume": "A", "block": 7, "content": "{KEY}"}}\n'
    history = read(line * 3)
    assert history.order_only
    assert history.issue.tolist() == history.acknowledgement.tolist() == [1, 2, 3]


def test_a_gzip_file_is_read_as_what_is_in_it() -> None:
    with file_of(gzip.compress(f"{GOOD}\n".encode())) as path:
        assert len(read_json_lines(path)) == 1


NUMBERS = st.integers(0, 10**10).map(lambda n: f"{Decimal(n) / 10**9:f}") | st.sampled_from(
    [
        "0",
        "1.5",
        "12.000105",
        "1763927552.481652",
        "1763927552.4816520001",
        "2e0",
        "-1.5",
        "01",
        "1.",
        "8999999999.999999999",
    ]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Lines in the manner of one writer, with a few of another manner or broken ones between them."""
    keys = draw(st.permutations(["volume", "block", "issue", "acknowledgement", "content"]))
    blank = draw(st.sampled_from(["", " "]))
    made = []
    for _ in range(draw(st.integers(1, 8))):
        member = {
            "volume": '"'
            + draw(st.sampled_from(["A", "B", "a=b", "Bändchen", "a\\u0062", "longer than sixteen", ""]))
            + '"',
            "block": draw(st.integers(0, 2**50).map(str) | st.sampled_from(["00", "7.0", "-1"]))
            if draw(st.booleans())
            else "7",
            "issue": draw(NUMBERS) if draw(st.booleans()) else "1.5",
            "acknowledgement": draw(NUMBERS | st.just("null")) if draw(st.booleans()) else "20",
            "content": draw(st.text("0123456789abcdefABCg", min_size=15, max_size=66).map(lambda s: f'"{s}"'))
            if draw(st.booleans())
            else f'"{KEY}{draw(st.text("0123456789abcdef", max_size=48))}"',
        }
        made.append("{" + f",{blank}".join(f'"{key}":{blank}{member[key]}' for key in keys) + "}")
    return "\n".join(made)


@given(texts())
def test_many_lines_at_once_are_read_as_one_by_one(text: str) -> None:
    def outcome() -> object:
        try:
            history = read(text)
        except BadInputError as error:
            return str(error).split(":", 1)[1]
        return rows(history), history.volumes if history.volumes else ()

    at_once = outcome()
    with patch.object(jsonl, "shape_of", lambda line: None):
        singly = outcome()
    if isinstance(singly, tuple):
        assert isinstance(at_once, tuple)
        assert at_once[0] == singly[0]
    else:
        assert isinstance(at_once, str), f"accepted, but one by one: {singly}"


def test_the_many_lines_of_one_writer_are_all_read_at_once() -> None:
    lines_of_one = [
        GOOD.replace("7", str(n)).replace("1.5", f"1.{n:06d}").replace(KEY, f"{n:016x}") for n in range(1000)
    ]
    with patch.object(jsonl._Reader, "one", side_effect=AssertionError("a line was left over")):
        history = read("\n".join(lines_of_one))
    assert history.block.tolist() == list(range(1000))


def test_pieces_are_put_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PIECE_BYTES", 200)
    text = "".join(
        f"{GOOD}\n" if n % 3 else '{"volume": "B", "block": 1, "issue": 1, "content": "zero"}\n' for n in range(50)
    )
    history = read(text)
    assert history.line.tolist() == list(range(1, 51))
    assert [history.volumes[v] for v in history.volume.tolist()] == ["A" if n % 3 else "B" for n in range(50)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "not a JSON object"),
        ("[1]", "found a list"),
        ("{" * 5, "not a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        (GOOD[:-1], "not a JSON object"),
        (GOOD.replace('"block"', '"blok"'), "did you mean block or blocks"),
        (GOOD.replace(f', "content": "{KEY}"', ""), "'content' is missing"),
        (GOOD.replace('"A"', "7"), "a name in quotes"),
        (GOOD.replace('"A"', '""'), "1 to 255 printable"),
        (GOOD.replace('"A"', '"\\ud800"'), "printable"),
        (GOOD.replace("7", "-7"), "whole number"),
        (GOOD.replace("7", "7.5"), "whole number"),
        (GOOD.replace("7", "true"), "whole number"),
        (GOOD.replace("7", "1" * 5000), "not a JSON object"),
        (GOOD.replace("1.5", "NaN"), "NaN is not a number"),
        (GOOD.replace("1.5", '"1.5"'), "seconds between"),
        (GOOD.replace("1.5", "1e10"), "seconds between"),
        (GOOD.replace("1.5", "1e999999999999"), "seconds between"),
        (GOOD.replace("1.5", "3"), "before its issue"),
        (GOOD.replace(KEY, "00"), "16 to 64 hexadecimal digits"),
        (GOOD.replace(KEY, KEY[:-1] + "g"), "16 to 64 hexadecimal digits"),
        (GOOD.replace(f'"{KEY}"', "[]"), "empty list"),
        (GOOD.replace(f'"{KEY}"', '[["zero"]]'), "16 to 64 hexadecimal digits"),
        (GOOD.replace('"block": 7', '"block": 7, "blocks": 2'), "goes with content 'zero' or 'discard'"),
        (GOOD.replace('"block": 7', '"block": 7, "block": 8'), "given twice"),
        (GOOD.replace(f'"{KEY}"', '"zero"').replace("7", f'{2**48 - 1}, "blocks": 2'), "the end of the write"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", f"{GOOD}\n" * 3])
def test_a_malformed_line_is_named_with_its_reason(line: str, reason: str, before: str) -> None:
    number = before.count("\n") + 1
    with pytest.raises(BadInputError) as caught:
        read(f"{before}{line}\n")
    assert f"history.jsonl:{number}: " in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ('{"history": 2}', "version 2"),
        ('{"history": true}', "version True"),
        ('{"history": 1, "blockbytes": 512}', "block_bytes"),
        ('{"history": 1, "block_bytes": 500}', "power of two"),
        ('{"history": 1, "block_bytes": 65536}', "power of two"),
    ],
)
def test_a_malformed_header_is_refused(header: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        read(f"{header}\n{GOOD}\n")


def test_times_are_in_all_lines_or_in_none() -> None:
    untimed = f'{{"volume": "A", "block": 7, "content": "{KEY}"}}\n'
    with pytest.raises(BadInputError, match=":1: an acknowledgement without an issue"):
        read(GOOD.replace('"issue": 1.5, ', ""))
    for text in (untimed * 3 + GOOD, f"{GOOD}\n" * 3 + untimed):
        with pytest.raises(BadInputError, match=r":4: .*in all lines or in none"):
            read(text)


def test_too_much_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInputError, match=r":1: more than .* block writes"):
        read(f'{{"volume": "A", "block": 0, "blocks": {2**47}, "issue": 1, "content": "zero"}}\n')
    monkeypatch.setattr(history_module, "MAX_ROWS", 5)
    with pytest.raises(BadInputError, match="more than 5"):
        read(f"{GOOD}\n" * 6)
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 300)
    with pytest.raises(BadInputError, match=":2: a line longer than 300"):
        read(f"{GOOD}\n{GOOD}{' ' * 300}\n")


def test_a_line_without_end_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PIECE_BYTES", 1000)
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 3000)
    with file_of(gzip.compress(b"{" * 50_000_000)) as path, pytest.raises(BadInputError, match=":1: a line longer"):
        read_json_lines(path)


def test_what_cannot_be_opened_or_unpacked_is_bad_input(tmp_path: Path) -> None:
    packed = gzip.compress(f"{GOOD}\n".encode() * 100)
    for data in (packed[:-4], packed[:30], packed[:20] + b"\xff" * 9 + packed[29:], packed[:2], packed + b"more"):
        with file_of(data) as path, pytest.raises(BadInputError, match="damaged gzip data"):
            read_json_lines(path)
    for missing in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadInputError, match="cannot be read"):
            read_json_lines(str(missing))


@given(st.binary(max_size=300) | st.lists(st.text(max_size=40), max_size=4).map(lambda t: "\n".join(t).encode()))
@example(b"\n")
@example(b'{"history":1}')
@example(b"\x1f\x8b")
def test_bytes_are_read_or_refused(data: bytes) -> None:
    with file_of(data) as path, suppress(BadInputError):
        read_json_lines(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["zero", "discard", KEY, "A", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(jsonl.MEMBERS), inner, max_size=6),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from((*jsonl.MEMBERS, "history", "block_bytes")), JSON, max_size=6), max_size=4)
)
def test_objects_are_read_or_refused(values: list[dict[str, object]]) -> None:
    with file_of("\n".join([GOOD, *map(json.dumps, values)]).encode()) as path, suppress(BadInputError):
        history = read_json_lines(path)
        assert (history.issue <= history.acknowledgement).all()
        assert history.requests == len(values) + 1


@given(st.integers(0, 150), st.binary(max_size=3), st.integers(0, 3))
def test_a_damaged_line_is_read_alike_by_both_ways(at: int, put: bytes, drop: int) -> None:
    line = GOOD.encode()
    damaged = line[:at] + put + line[at + drop :]
    with file_of(b"\n".join([line, damaged, line])) as path:
        outcomes: list[object] = []
        for way in (shape_of, lambda line: None):
            with patch.object(jsonl, "shape_of", way):
                try:
                    outcomes.append(rows(read_json_lines(path)))
                except BadInputError as error:
                    outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]


def test_the_columns_have_their_types() -> None:
    history = read(f"{GOOD}\n")
    assert history.content.dtype == np.uint64
    assert history.volume.dtype == np.int32
    assert history.block.dtype == history.issue.dtype == history.acknowledgement.dtype == history.line.dtype == np.int64
