"""`mirrorspec decide`: the table's answer with its exit code, and one line for what cannot be read."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.cli.main import run
from mirrorspec.oracle.rows import LARGEST_BYTES, MOST_ROWS, parse
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.recovery import decide
from mirrorspec.spec.verdict import Exit


def row(volume: str, number: int, reverts_to: int | None = None) -> dict[str, Any]:
    """A relation as JSON: revertible where it has something to revert to."""
    found: dict[str, Any] = {"volume": volume, "revertible": reverts_to is not None, "number": number}
    return found if reverts_to is None else {**found, "reverts_to": reverts_to}


def relations(*rows: dict[str, Any], members: str = "AB", **more: Any) -> dict[str, Any]:
    """A table as JSON."""
    return {"members": list(members), "rows": list(rows), **more}


def decided(tmp_path: Path, table: object, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON result."""
    source, result = tmp_path / "rows.json", tmp_path / "result.json"
    source.write_text(json.dumps(table), encoding="utf-8")
    code = run(["decide", str(source), "--json", str(result), *options])
    return code, json.loads(result.read_text(encoding="utf-8"))


def test_a_partly_issued_flash_is_reverted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = decided(tmp_path, relations(row("A", 8, 7), row("B", 7)))
    assert (code, found["action"], found["number"], found["volumes"]) == (0, "revert the revertible", 7, ["A"])
    assert capsys.readouterr().out.splitlines() == [
        "volume  revertible  number  reverts to",
        "A       yes         8       7           revert",
        "B       no          7",
        "",
        "revert the revertible: the flash was only partly issued",
        "all 2 volumes then hold increment 7",
    ]


def test_all_flashed_can_be_committed_instead(tmp_path: Path) -> None:
    rows = relations(row("A", 8, 7), row("B", 8, 7))
    assert decided(tmp_path, rows)[1]["action"] == "revert the revertible"
    assert decided(tmp_path, rows, "--commit")[1]["action"] == "commit the revertible"


def test_a_refusal_is_1_and_names_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = decided(tmp_path, relations(row("A", 9, 8), row("B", 7)))
    assert (code, found["action"], found["exit_code"]) == (1, "refuse", 1)
    out = capsys.readouterr().out
    assert out.count("disagrees") == 2
    assert "refuse: the mechanism is corrupted" in out


def test_a_missing_relation_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = decided(tmp_path, relations(row("A", 7)))
    assert (code, found["volumes"]) == (1, ["B"])
    assert "B                                       has no relation" in capsys.readouterr().out


def test_no_image_yet_is_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = decided(tmp_path, relations(row("A", 0), row("B", 0), ever_committed=False))
    assert (code, found["action"], found["number"]) == (0, "no consistent image yet", None)
    assert "no consistent image yet: no increment has ever been committed" in capsys.readouterr().out


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = json.dumps(relations(row("A", 7), row("B", 7)))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run(["decide", "-"]) == Exit.OK
    assert "nothing: all relations are committed with one number" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "rows.json: is not JSON: "),
        ("[" * 100_000, "rows.json: is not JSON: "),
        (b"\xff", "is not text in UTF-8"),
        (b" " * (LARGEST_BYTES + 1), "larger than 16 MiB"),
        ('{"members": [], "rows": [], "rows": []}', "an object has 'rows' twice"),
        ([], "the table: an object is expected"),
        ({"rows": []}, "'members' is missing"),
        ({"members": "AB", "rows": []}, "members: a list is expected"),
        ({"members": ["A", "A"], "rows": []}, "members: 'A' is there twice"),
        ({"members": [""], "rows": []}, "members[0]: a volume's name"),
        ({"members": ["x" * 257], "rows": []}, "members[0]: a volume's name"),
        ({"members": ["\x1b[2J"], "rows": []}, "members[0]: a volume's name"),
        ({"members": [], "rows": [0] * (MOST_ROWS + 1)}, "rows: 65537 entries, more than 65536"),
        (relations(members="", color=1), "the table: 'color' means nothing here"),
        (relations(members="", ever_committed=1), "ever_committed: true or false is expected"),
        (relations(row("A", 1), 7), "rows[1]: an object is expected"),  # type: ignore[arg-type]
        (relations({"volume": "A", "revertible": True}), "rows[0]: 'number' is missing"),
        (relations({**row("A", 1), "revertible": "no"}), "rows[0].revertible: true or false"),
        (relations({**row("A", 1), "number": 1.0}), "rows[0].number: a sequence number"),
        (relations({**row("A", 1), "number": True}), "rows[0].number: a sequence number"),
        (relations({**row("A", 1), "number": -1}), "rows[0].number: a sequence number"),
        (relations({**row("A", 1), "number": 2**63}), "rows[0].number: a sequence number"),
        (relations({**row("A", 1), "reverts_to": "0"}), "rows[0].reverts_to: a sequence number"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line_and_2(
    content: object, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.json"
    raw = content if isinstance(content, str | bytes) else json.dumps(content)
    file.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    assert run(["decide", str(file)]) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
    assert len(captured.err) < 700


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decide", str(tmp_path / "none.json")]) == Exit.USAGE
    assert "cannot be read: No such file" in capsys.readouterr().err


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["A", 0, 1, 2, True])
NAMES = (
    st.sampled_from(["members", "rows", "ever_committed", "volume", "revertible", "number", "reverts_to"]) | st.text()
)


@given(st.recursive(LEAVES, lambda part: st.lists(part) | st.dictionaries(NAMES, part)) | st.text())
def test_any_input_is_a_table_or_is_refused_in_one_line(data: object) -> None:
    refused = ""
    try:
        found = parse(data if isinstance(data, str) else json.dumps(data))
        decide(found.rows, found.members, ever_committed=found.ever_committed)
    except BadInputError as error:
        refused = str(error)
    assert len(refused.splitlines()) <= 1


def test_the_result_never_replaces_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, link = tmp_path / "rows.json", tmp_path / "link.json"
    text = json.dumps(relations(row("A", 8, 7), row("B", 7)))
    source.write_text(text, encoding="utf-8")
    link.symlink_to(source)
    for result in (source, link, tmp_path / "x" / ".." / "rows.json"):
        (tmp_path / "x").mkdir(exist_ok=True)
        assert run(["decide", str(source), "--json", str(result)]) == Exit.USAGE
        assert source.read_text(encoding="utf-8") == text
    assert "it is the input" in capsys.readouterr().err
