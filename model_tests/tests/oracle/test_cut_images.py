"""Images beside a history, and what may be claimed: files of every kind, foreign blocks, and the answer's conditions."""

from __future__ import annotations

import gzip
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mirrorspec.oracle.cut import images
from mirrorspec.oracle.cut.question import Question, answer
from mirrorspec.oracle.cut.report import report
from mirrorspec.oracle.cut.text import lines
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Verdict

SIZE = 32
Entry = tuple[str, int, float | None, float | None, object]
"""Volume, block, issue, acknowledgement, and the letter that fills the block (or a content word or list)."""


def unit(letter: str) -> bytes:
    return letter.encode() * SIZE if letter != "0" else bytes(SIZE)


def content(what: object) -> object:
    if isinstance(what, list):
        return [content(one) for one in what]
    return what if what in ("zero", "discard") else hashlib.sha256(unit(str(what))).hexdigest()[:16]


class Case:
    """A history and images in a folder, asked about with options."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def history(self, *entries: Entry) -> None:
        made = [json.dumps({"history": 1, "block_bytes": SIZE})]
        for volume, block, issue, ack, what in entries:
            line: dict[str, object] = {"volume": volume, "block": block, "content": content(what)}
            if issue is not None:
                line |= {"issue": issue, "acknowledgement": ack}
            made.append(json.dumps(line))
        (self.folder / "history.jsonl").write_text("".join(f"{line}\n" for line in made))

    def image(self, name: str, letters: str, *, packed: bool = False) -> str:
        data = b"".join(map(unit, letters))
        path = self.folder / name
        path.write_bytes(gzip.compress(data) if packed else data)
        return str(path)

    def ask(self, initial: str = "zero", **options: Any) -> dict[str, Any]:
        shown = {name: self.image(name, letters) for name, letters in options.pop("images").items()}
        initials = dict.fromkeys(shown, initial) if initial else {}
        found = answer(Question(str(self.folder / "history.jsonl"), shown, initials, **options))
        data = report(found)
        json.dumps(data, allow_nan=False)
        assert next(iter(lines(data))).startswith(str(found.verdict))
        return data


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


BANK: tuple[Entry, ...] = (("A", 0, 1, 2, "o"), ("B", 0, 3, 4, "d"), ("A", 1, 5, 6, "w"))
"""Open an account, then deposit, then withdraw, each after the one before was acknowledged."""


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [("00", "0", None, 2), ("o0", "0", 1, 4), ("o0", "d", 3, 6), ("ow", "d", 5, None)],
)
def test_a_prefix_of_the_bank_is_a_cut(case: Case, a: str, b: str, low: int | None, high: int | None) -> None:
    case.history(*BANK)
    data = case.ask(images={"A": a, "B": b})
    assert data["verdict"] == Verdict.EXHAUSTED
    assert data["bound"] == "this history: 3 writes on 2 volumes"
    ends = [data["cut"][end]["nanoseconds"] for end in ("earliest", "latest")]
    assert ends == [None if end is None else end * 10**9 for end in (low, high)]


def test_a_withdrawal_without_the_deposit_is_torn(case: Case) -> None:
    case.history(*BANK)
    data = case.ask(images={"A": "ow", "B": "0"})
    assert (data["verdict"], data["findings"], data["cut"]) == (Verdict.VIOLATED, ["torn"], None)
    two = data["witness"]["two_writes"]
    assert [(two[w]["volume"], two[w]["block"], two[w]["line"]) for w in ("held", "missing")] == [
        ("A", 1, 4),
        ("B", 0, 3),
    ]
    assert [two[w]["content"] for w in ("held", "missing")] == [content("w"), content("d")]
    assert two["missing"]["acknowledgement"]["shown"] == "4 s"
    assert two["held"]["issue"]["shown"] == "5 s"
    assert two["gap_seconds"] == 1
    assert "the initial content" in two["image_has_instead"]
    assert [(block["volume"], block["block"]) for block in data["witness"]["blocks"]] == [("A", 1), ("B", 0)]
    assert data["recovery_point"]["oldest_missing"]["line"] == 3


@pytest.mark.parametrize(("error", "verdict"), [("0.999999999", "violated"), ("1", "exhausted"), ("1.5", "exhausted")])
def test_within_the_clock_error_writes_are_concurrent(case: Case, error: str, verdict: str) -> None:
    case.history(*BANK)
    assert case.ask(images={"A": "ow", "B": "0"}, clock_error_seconds=Decimal(error))["verdict"] == verdict


def test_a_tie_is_concurrent(case: Case) -> None:
    case.history(("A", 0, 1, 2, "x"), ("B", 0, 2, 3, "y"))
    assert case.ask(images={"A": "0", "B": "y"})["verdict"] == Verdict.EXHAUSTED


def test_foreign_content_is_a_finding_of_its_own(case: Case) -> None:
    case.history(*BANK)
    data = case.ask(images={"A": "?0", "B": "d"})
    assert (data["verdict"], data["findings"]) == (Verdict.VIOLATED, ["foreign"])
    assert data["foreign"]["blocks"] == [{"volume": "A", "block": 0, "content": content("?")}]
    assert data["witness"] is None
    torn = case.ask(images={"A": "?w", "B": "0"})
    assert torn["findings"] == ["torn", "foreign"]


def test_a_block_that_was_never_written_is_compared_with_the_initial_image(case: Case) -> None:
    case.history(*BANK)
    initial = case.image("before", "00i")
    assert case.ask(initial, images={"A": "o0i"})["verdict"] == Verdict.EXHAUSTED
    data = case.ask(initial, images={"A": "o0j"})
    assert (data["verdict"], data["findings"]) == (Verdict.VIOLATED, ["foreign"])
    assert data["foreign"] == {"count": 1, "blocks": [{"volume": "A", "block": 2, "content": "never written"}]}


def test_without_an_initial_image_less_is_claimed_and_that_is_said(case: Case) -> None:
    case.history(*BANK)
    data = case.ask("", images={"A": "?0i", "B": "0"})
    assert data["verdict"] == Verdict.EXHAUSTED
    assert {(item["what"], item["count"]) for item in data["not_covered"]} >= {("blocks", 1), ("initial content", 2)}
    data = case.ask("", images={"A": "?wi", "B": "d"})
    assert (data["verdict"], data["findings"]) == (Verdict.INCONCLUSIVE, [])
    assert "--initial A=FILE (or zero), --initial B=FILE" in data["reason"]


def test_an_unknown_initial_content_may_equal_what_a_write_wrote(case: Case) -> None:
    """Both images were taken before any write, and B held zeros before it was written zeros."""
    case.history(("A", 0, 1.0, 1.1, "x"), ("B", 0, 2.0, 2.1, "zero"))
    shown = {"A": case.image("A", "0"), "B": case.image("B", "0")}

    def asked(**initials: str) -> dict[str, Any]:
        return report(answer(Question(str(case.folder / "history.jsonl"), shown, initials)))

    for known in ({}, {"A": "zero"}):
        data = asked(**known)
        assert (data["verdict"], data["findings"], data["witness"]) == (Verdict.INCONCLUSIVE, [], None)
        assert "--initial B=" in data["reason"]
        assert "--initial A=" not in data["reason"], "what A held does not decide it"
        assert any(line.startswith("cut, if the blocks") for line in lines(data))
        items = {item["what"]: item for item in data["not_covered"]}
        assert (items["initial content or write"]["count"], items["initial content or write"]["names"]) == (1, ["B"])
    assert asked(B="zero")["verdict"] == Verdict.EXHAUSTED
    other = case.image("before", "y")
    assert asked(B=other)["verdict"] == Verdict.VIOLATED


def test_what_is_torn_whatever_was_there_before_is_violated(case: Case) -> None:
    case.history(*BANK, ("B", 0, 7, 8, "e"))
    shown = {"A": case.image("A", "ow"), "B": case.image("B", "?")}
    data = report(answer(Question(str(case.folder / "history.jsonl"), shown, {"A": "zero"})))
    assert (data["verdict"], data["findings"]) == (Verdict.VIOLATED, ["torn"])
    assert data["witness"]["two_writes"]["held"]["line"] == 4


def test_a_write_that_may_have_been_there_before_is_not_held_for_certain(case: Case) -> None:
    case.history(*BANK)
    data = case.ask("", images={"A": "o0", "B": "0"})
    assert data["verdict"] == Verdict.EXHAUSTED
    assert not data["recovery_point"]["newest_held_for_certain"]
    assert any("unless it was there before" in line for line in lines(data))
    assert case.ask(images={"A": "o0", "B": "0"})["recovery_point"]["newest_held_for_certain"]


def test_what_was_not_covered_is_counted_and_named(case: Case) -> None:
    case.history(*BANK, ("A", 0, 7, None, ["x", "y"]), ("A", 0, 8, 9, "discard"))
    data = case.ask(images={"A": "ow"})
    items = {item["what"]: item for item in data["not_covered"]}
    assert items["volumes"]["names"] == ["B"]
    assert "1 block writes" in items["volumes"]["text"]
    counts = {what: items[what]["count"] for what in ("unacknowledged", "discards", "atomicity")}
    assert counts == {"unacknowledged": 2, "discards": 1, "atomicity": 1}
    assert items["times"]["names"] == ["1 s", "9 s"]
    assert data["bound"] == "this history: 4 writes on 1 volume"
    assert list(lines(data))[-1].strip().startswith("relied on")


def test_a_discarded_block_may_hold_anything_unless_told_otherwise(case: Case) -> None:
    case.history(("A", 0, 1, 2, "x"), ("A", 0, 3, 4, "discard"), ("A", 1, 5, 6, "y"))
    assert case.ask(images={"A": "?y"})["verdict"] == Verdict.EXHAUSTED
    assert case.ask(images={"A": "?y"}, discard="zero")["findings"] == ["foreign"]
    assert case.ask(images={"A": "0y"}, discard="zero")["verdict"] == Verdict.EXHAUSTED


def test_tapped_below_nothing_is_violated(case: Case) -> None:
    case.history(*BANK)
    for a in ("ow", "?w"):
        data = case.ask(images={"A": a, "B": "0"}, tap="below")
        assert data["verdict"] == Verdict.INCONCLUSIVE
        assert "tapped below" in data["reason"]
    assert case.ask(images={"A": "o0", "B": "0"}, tap="below")["verdict"] == Verdict.EXHAUSTED


def test_an_order_proves_a_prefix_and_refutes_nothing(case: Case) -> None:
    case.history(*((volume, block, None, None, what) for volume, block, _, _, what in BANK))
    assert case.ask(images={"A": "o0", "B": "d"})["cut"]["earliest"]["shown"] == "write 2"
    data = case.ask(images={"A": "ow", "B": "0"})
    assert (data["verdict"], data["findings"]) == (Verdict.INCONCLUSIVE, ["torn"])
    assert "no prefix" in data["reason"]
    assert case.ask(images={"A": "?0", "B": "0"})["verdict"] == Verdict.VIOLATED
    with pytest.raises(BadInputError, match="no times"):
        case.ask(images={"A": "o0"}, clock_error_seconds=Decimal(1))


def test_where_nothing_could_be_violated_nothing_is_claimed(case: Case) -> None:
    case.history(("A", 0, 1, None, "x"))
    data = case.ask(images={"A": "x"})
    assert data["verdict"] == Verdict.INCONCLUSIVE
    assert data["bound"] == "this history: 1 write on 1 volume"
    assert "acknowledged" in data["reason"]
    assert case.ask(images={"A": "?"})["verdict"] == Verdict.VIOLATED
    case.history()
    with pytest.raises(BadInputError, match="holds no write"):
        case.ask(images={"A": "x"})


def test_a_log_without_a_write_answers_nothing(case: Case) -> None:
    log = case.folder / "nbdkit.log"
    log.write_text("2026-11-23 19:52:32.815087 connection=1 Connect export=A tls=0\n")
    found = answer(Question(str(log), {"A": case.image("A", "00")}, {"A": "zero"}, block_bytes=32))
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        "the history writes nothing to the volumes that were judged",
    )
    assert any("no answer" in line for line in lines(report(found)))


def test_stamps_that_overlap_answer_nothing(case: Case) -> None:
    begin = "2026-11-23 19:52:32.81508"
    place = "offset=0x0 count=0x20 fua=0 ..."
    log = case.folder / "nbdkit.log"
    log.write_text(
        f"{begin}0 connection=1 Connect export=A tls=0\n"
        f"{begin}1 connection=1 Write id=1 {place}\n{begin}2 connection=1 Write id=2 {place}\n"
        f"{begin}3 connection=1 ...Write id=1 return=0\n{begin}4 connection=1 ...Write id=2 return=0\n"
    )
    for letters in ("0", "?"):
        found = answer(Question(str(log), {"A": case.image("A", letters)}, {"A": "zero"}, block_bytes=32))
        assert found.verdict is Verdict.INCONCLUSIVE
        assert "stamps do not tell them apart" in str(found.reason)


def test_repeated_contents_are_explained_by_the_fewest_blocks(case: Case) -> None:
    case.history(
        ("A", 0, 1, 2, "x"), ("A", 0, 3, 4, "y"), ("A", 0, 5, 6, "x"), ("A", 0, 7, 8, "y"), ("A", 1, 1, 2, "p"),
        ("A", 2, 2.5, 2.6, "q"), ("A", 2, 4.5, 4.6, "r"),
    )  # fmt: skip
    data = case.ask(images={"A": "xpq"})
    assert data["cut"]["range_count"] == 1
    data = case.ask(images={"A": "xp0"})
    assert data["verdict"] == Verdict.EXHAUSTED
    case.history(
        ("A", 0, 1, 2, "x"), ("A", 0, 3, 4, "y"), ("A", 0, 6, 7, "x"), ("A", 0, 8, 9, "y"),
        ("A", 1, 4.4, 4.5, "q"), ("A", 1, 5, 5.1, "r"),
    )  # fmt: skip
    data = case.ask(images={"A": "xq"})
    assert data["findings"] == ["torn"]
    assert data["witness"]["two_writes"] is None
    assert data["witness"]["smallest"]
    assert [(block["block"], block["allows_count"]) for block in data["witness"]["blocks"]] == [(0, 2), (1, 1)]
    assert any("the fewest" in line for line in lines(data))
    assert data["recovery_point"]["behind_seconds"] is None


def test_the_recovery_point_counts_what_is_certainly_missing(case: Case) -> None:
    case.history(
        ("A", 0, 1, 2, "x"), ("A", 0, 3, 4, "y"), ("A", 0, 5, None, "z"), ("A", 1, 6, 7, "w"), ("A", 2, 6, 9, "v")
    )
    point = case.ask(images={"A": "x00"})["recovery_point"]
    assert (point["acknowledged_block_writes_missing"], point["acknowledged_block_writes"]) == (3, 4)
    assert (point["newest_held"]["line"], point["oldest_missing"]["line"]) == (2, 3)
    assert point["behind_seconds"] == {"least": 5, "most": 8}
    whole = case.ask(images={"A": "zwv"})["recovery_point"]
    assert (whole["acknowledged_block_writes_missing"], whole["oldest_missing"]) == (0, None)


def test_where_contents_repeat_the_latest_cut_says_what_is_missing(case: Case) -> None:
    repeated: tuple[Entry, ...] = (("A", 0, 1, 2, "x"), ("A", 0, 3, 4, "y"), ("A", 0, 5, 6, "x"), ("A", 0, 7, 8, "y"))
    case.history(*repeated, ("A", 1, 1, 2, "p"), ("A", 1, 9, 10, "q"))
    assert case.ask(images={"A": "xp"})["recovery_point"]["acknowledged_block_writes_missing"] == 2
    case.history(*repeated, ("A", 1, 1, 2, "p"), ("A", 1, 3.5, 3.6, "q"))
    assert case.ask(images={"A": "xp"})["recovery_point"]["acknowledged_block_writes_missing"] == 4

    case.history(*repeated, ("A", 1, 8.5, 9, "p"), ("A", 2, 1, 1.5, "q"))
    torn = case.ask(images={"A": "xp0"})
    assert torn["findings"] == ["torn"]
    assert torn["recovery_point"]["acknowledged_block_writes_missing"] == 2


def test_images_may_be_compressed_and_larger_than_a_piece(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PIECE_BYTES", 2 * SIZE)
    letters = "abcdefghijk"
    case.history(*(("A", n, n + 1.0, n + 1.5, letter) for n, letter in enumerate(letters)))
    packed = case.image("packed", letters[:7] + "0" * 5, packed=True)
    initial = case.image("initial", "0" * 12, packed=True)
    history = str(case.folder / "history.jsonl")
    found = answer(Question(history, {"A": packed}, {"A": initial}))
    assert found.judgement.ranges == ((7 * 10**9, 8_500_000_000),)
    monkeypatch.setattr(images, "MAX_UNPACKED_BYTES", 5 * SIZE)
    with pytest.raises(BadInputError, match="unpacks to more than"):
        answer(Question(history, {"A": packed}))


@pytest.mark.parametrize(
    ("letters", "initial", "reason"),
    [
        ("o", "0", "holds 1 blocks"),
        ("", "", "holds 0 blocks"),
        ("o0", "0", "not as long"),
        ("o0", "000", "not as long"),
    ],
)
def test_images_that_do_not_fit_are_refused(case: Case, letters: str, initial: str, reason: str) -> None:
    case.history(*BANK)
    with pytest.raises(BadInputError, match=reason):
        case.ask(case.image("initial", initial), images={"A": letters})


def test_an_initial_image_may_not_be_longer(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PIECE_BYTES", 2 * SIZE)
    case.history(*BANK)
    with pytest.raises(BadInputError, match="is longer than"):
        case.ask(case.image("initial", "000"), images={"A": "o0"})


def test_an_image_is_a_whole_number_of_blocks(case: Case) -> None:
    case.history(*BANK)
    path = case.folder / "A"
    path.write_bytes(bytes(SIZE * 2 + 1))
    with pytest.raises(BadInputError, match="not a whole number of blocks"):
        answer(Question(str(case.folder / "history.jsonl"), {"A": str(path)}))


def test_unknown_volumes_are_refused_with_the_known_ones(case: Case) -> None:
    case.history(*BANK)
    with pytest.raises(BadInputError, match=r"--image: unknown volume .*'C'.*A or B"):
        case.ask(images={"C": "o0"})
    with pytest.raises(BadInputError, match=r"no image given.*A, B"):
        case.ask(images={})


def test_large_block_numbers_need_no_table() -> None:
    block = np.array([2**47, 5, 2**47, 0], np.int64)
    blocks, index = images.number(block)
    assert (blocks.tolist(), index.tolist()) == ([0, 5, 2**47], [2, 1, 2, 0])
    blocks, index = images.number(block[1:2])
    assert (blocks.tolist(), index.tolist()) == ([5], [0])
