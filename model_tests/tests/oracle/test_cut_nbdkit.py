"""nbdkit's log: calls and returns matched, writes numbered for their stamps, and every other line refused by number."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.oracle.cut import lines, nbdkit
from mirrorspec.oracle.cut.history import ANYTHING, FOREIGN, NEVER, History
from mirrorspec.oracle.cut.nbdkit import read_nbdkit_log
from mirrorspec.oracle.cut.nbdlines import read_many
from mirrorspec.oracle.cut.stamp import stamp, stamp_keys
from mirrorspec.spec.errors import BadInputError

CORPUS = Path(__file__).parents[2] / "mirrorspec" / "model_tests" / "corpus" / "cuts"
DAY = "2026-11-23 19:52:"
HEAD = [f"{DAY}32.100000 Ready thread_model=3", f"{DAY}32.200000 connection=1 Connect export=A tls=0 size=0x1000000"]


def call(number: int, micro: int, block: int = 0, kind: str = "Write", connection: int = 1, more: str = "fua=0") -> str:
    place = f"offset={block * 4096:#x} count=0x1000 {more}"
    return f"{DAY}33.{micro:06d} connection={connection} {kind} id={number} {place} ..."


def done(number: int, micro: int, kind: str = "Write", connection: int = 1, result: str = "return=0") -> str:
    return f"{DAY}33.{micro:06d} connection={connection} ...{kind} id={number} {result}"


def read(log: list[str] | bytes, tmp_path: Path, block_bytes: int = 4096) -> History:
    path = tmp_path / "nbdkit.log"
    path.write_bytes(log if isinstance(log, bytes) else "".join(f"{line}\n" for line in log).encode())
    return read_nbdkit_log(str(path), block_bytes=block_bytes)


def test_the_sample_log() -> None:
    history = read_nbdkit_log(str(CORPUS / "nk2.log"), block_bytes=4096)
    assert history.volumes == ("A", "B")
    assert (history.line.tolist(), history.block.tolist(), history.content.tolist()) == ([9, 11], [0, 0], [1, 1])
    assert [history.show_time(t) for t in history.issue.tolist()] == [f"{DAY}32.815472", f"{DAY}32.815629"]
    assert [history.show_time(t) for t in history.acknowledgement.tolist()] == [f"{DAY}32.815577", f"{DAY}32.815658"]


def test_writes_of_a_block_are_numbered_in_the_order_of_the_log(tmp_path: Path) -> None:
    log = [*HEAD, call(1, 1), call(2, 2, 1), done(2, 3), done(1, 4), call(3, 4), done(3, 5), call(4, 6, 1)]
    history = read(log, tmp_path)
    assert history.content.tolist() == [1, 1, 2, 2]
    assert (history.acknowledgement - history.issue).tolist()[:3] == [3000, 1000, 1000]
    assert history.acknowledgement.tolist()[3] == NEVER
    assert history.overlap is None


def test_zeros_discards_and_errors(tmp_path: Path) -> None:
    log = [
        *HEAD, call(1, 1), done(1, 2, result="return=-1 error=EIO"), call(2, 3, kind="Zero", more="trim=1 fua=0 fast=0"),
        done(2, 4, "Zero"), call(3, 5, kind="Trim"), done(3, 6, "Trim"), call(4, 7), done(4, 8),
    ]  # fmt: skip
    history = read(log, tmp_path)
    assert history.content.tolist() == [1, 0, ANYTHING, 2]
    assert [t == NEVER for t in history.acknowledgement.tolist()] == [True, False, False, False]
    assert history.overlap is None, "a write that returned an error has used up its number"


def test_discards_read_as_zeros_where_that_is_said(tmp_path: Path) -> None:
    read([*HEAD, call(1, 1, kind="Trim")], tmp_path)
    history = read_nbdkit_log(str(tmp_path / "nbdkit.log"), block_bytes=4096, discard_reads_zero=True)
    assert history.content.tolist() == [0]


def test_a_request_is_split_into_units(tmp_path: Path) -> None:
    history = read([*HEAD, call(1, 1, 2), done(1, 2)], tmp_path, block_bytes=1024)
    assert (history.block.tolist(), history.content.tolist(), history.requests) == ([8, 9, 10, 11], [1] * 4, 1)


def test_overlapping_writes_of_a_block_cannot_be_told_apart(tmp_path: Path) -> None:
    for log in ([call(1, 1), call(2, 2), done(1, 3), done(2, 4)], [call(1, 1), call(2, 2), done(2, 3)]):
        overlap = read([*HEAD, *log], tmp_path).overlap
        assert overlap is not None
        assert "block 0 was written by line 3 and again by line 4" in overlap
    assert read([*HEAD, call(1, 1), call(2, 1, 1), done(1, 3), done(2, 4)], tmp_path).overlap is None
    zeroed = [*HEAD, call(1, 1), call(2, 2, kind="Zero"), done(1, 3), done(2, 4, "Zero")]
    assert read(zeroed, tmp_path).overlap is None, "zeros carry no stamp"


def test_a_server_that_was_started_again_counts_anew(tmp_path: Path) -> None:
    again = [HEAD[0], HEAD[1].replace("=A", '="B two"')]
    history = read([*HEAD, call(1, 1), *again, call(1, 5), done(1, 6)], tmp_path)
    assert history.volumes == ("A", "B two")
    assert history.volume.tolist() == [0, 1]
    assert history.acknowledgement.tolist()[0] == NEVER


@pytest.mark.parametrize(
    ("log", "line", "reason"),
    [
        (["nonsense"], 1, "not a line of nbdkit's log filter"),
        ([*HEAD, ""], 3, "not a line"),
        ([call(1, 1)], 1, "connection 1 has no Connect line before this one"),
        ([call(1, 1), *HEAD], 1, "connection 1 has no Connect line before this one"),
        ([*HEAD, call(1, 1, connection=2)], 3, "connection 2 has no Connect"),
        ([*HEAD, done(1, 1)], 3, "without having been called"),
        ([*HEAD, done(1, 1), call(1, 1)], 3, "without having been called"),
        ([*HEAD, call(1, 1), done(2, 1)], 4, "without having been called"),
        ([*HEAD, call(1, 1), done(1, 2, "Zero")], 4, "without having been called"),
        ([*HEAD, call(1, 1), call(1, 2)], 4, "has called that id before"),
        ([*HEAD, call(1, 1), done(1, 2), done(1, 3)], 5, "returns a second time"),
        ([*HEAD, call(1, 5), done(1, 4)], 4, "returns before its call in line 3"),
        ([*HEAD, call(1, 5).replace("0x1000", "0x1200")], 3, "--block-bytes"),
        ([*HEAD, call(1, 5).replace("0x1000", "0x0")], 3, "a request of 0 bytes"),
        ([*HEAD, call(1, 5).replace("0x1000", "0xffffffff0")], 3, "not a line"),
        ([*HEAD, call(1, 5).replace("11-23", "13-23")], 3, "no such date"),
        ([*HEAD, call(1, 5).replace("19:52", "24:52")], 3, "not a line"),
        ([HEAD[1].replace("=A", '="A')], 1, "export's name cannot be read"),
        ([HEAD[1].replace("=A", "=")], 1, "1 to 255 printable"),
    ],
)
def test_a_malformed_log_is_named_with_line_and_reason(log: list[str], line: int, reason: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        read(log, tmp_path)
    assert f"nbdkit.log:{line}: " in str(caught.value)
    assert reason in str(caught.value)


def test_too_much_is_refused_before_it_is_held(tmp_path: Path) -> None:
    many = [call(n, 1, kind="Zero").replace("0x1000", "0xfffff000") for n in range(70)]
    with pytest.raises(BadInputError, match=r":\d+: more than .* block writes"):
        read([*HEAD, *many], tmp_path)


def columns(history: History) -> list[list[int]]:
    names = ("volume", "block", "issue", "acknowledgement", "content", "line")
    return [getattr(history, name).tolist() for name in names]


@st.composite
def logs(draw: st.DrawFn) -> list[str]:
    """A valid log, or nearly: requests of several connections and kinds, some lines as only a patient reader takes them."""
    log = [HEAD[1].replace("=1", f"={n}").replace("=A", f"={'AB'[n % 2]}") for n in (1, 2, 33333)]
    under_way: list[tuple[int, str, int]] = []
    for number in range(draw(st.integers(0, 12))):
        returns: bool = draw(st.booleans())
        if under_way and returns:
            connection, kind, number_of = under_way.pop(draw(st.integers(0, len(under_way) - 1)))
            log.append(
                done(number_of, number, kind, connection, draw(st.sampled_from(["return=0", "return=-1 error=EIO"])))
            )
            continue
        kind, connection = (
            draw(st.sampled_from(["Write", "Write", "Zero", "Trim"])),
            draw(st.sampled_from((1, 2, 33333))),
        )
        more = draw(st.sampled_from(["fua=0", "fua=1", "fua=0 fast=0"]))
        text = call(number, number, draw(st.integers(0, 2**40)) if draw(st.booleans()) else 3, kind, connection, more)
        log.append(text.replace("19:52", draw(st.sampled_from(["19:52", "19:53"]))))
        under_way.append((connection, kind, number))
    return log


@given(logs(), st.integers(0, 40), st.binary(max_size=2), st.integers(0, 1), st.booleans())
def test_many_lines_at_once_are_read_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, log: list[str], at: int, put: bytes, drop: int, damage: bool
) -> None:
    text = "".join(f"{line}\n" for line in log).encode()
    if damage:
        place = len(text) - min(at * 3, len(text))
        text = text[:place] + put + text[place + drop :]
    outcomes: list[object] = []
    for reading in (read_many, lambda piece: read_many(lines.Piece(1, b"", np.empty(0, np.int64)))):
        with patch.object(nbdkit, "read_many", reading):
            try:
                outcomes.append(columns(read(text, tmp_path_factory.getbasetemp())))
            except BadInputError as error:
                outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    with suppress(BadInputError):
        read(data, tmp_path_factory.getbasetemp())


def keys_of(data: bytes, first: int = 0) -> list[int]:
    keys: list[int] = stamp_keys(data, "A", np.arange(first, first + len(data) // 64, dtype=np.uint64), 64).tolist()
    return keys


def test_a_stamp_names_its_write() -> None:
    data = stamp("A", 5, 1, 64) + bytes(64) + stamp("A", 7, 2**40, 64)
    assert keys_of(data, 5) == [1, 0, 2**40]


def test_what_is_no_stamp_of_its_place_is_foreign() -> None:
    mine, next_one = stamp("A", 0, 1, 64), stamp("A", 0, 2, 64)
    damaged = mine[:24] + b"\x07" + mine[25:]
    for unit in (
        stamp("B", 0, 1, 64), stamp("A", 1, 1, 64), stamp("A", 0, 0, 64), damaged, mine[:32] + next_one[32:],
        damaged[:32] * 2, mine[:32] + bytes(32), b"x" * 64,
    ):  # fmt: skip
        assert keys_of(unit) == [FOREIGN]
