"""`mirrorspec list` prints all there is of a kind, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirrorspec.cli import listing
from mirrorspec.cli.main import run
from mirrorspec.oracle.reference import TABLES
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.steps import STEPS
from mirrorspec.spec.verdict import Exit


def test_the_help_names_every_table() -> None:
    assert listing.WHAT.split("|") == list(TABLES)


@pytest.mark.parametrize("what", TABLES)
def test_each_table_is_printed_and_is_json(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "list.json"
    assert run(["list", what, "--json", str(file)]) == Exit.OK
    items = json.loads(file.read_text(encoding="utf-8"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(items) + 2
    assert len({item["name"] for item in items}) == len(items)
    assert all(lines[i + 2].startswith(item["name"]) for i, item in enumerate(items))


def test_deviations_say_whether_they_are_harmless(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    run(["list", "deviations", "--json", str(file)])
    found = {item["name"]: bool(item["harmless"]) for item in json.loads(file.read_text(encoding="utf-8"))}
    assert found == {name: bool(d.harmless) for name, d in DEVIATIONS.items()}


def test_steps_name_their_guards_and_changes() -> None:
    found = {item["name"]: item for item in TABLES["steps"].items()}
    assert found.keys() == STEPS.keys()
    assert found["report_drained"]["guards"] == ["in_progress", "synchronised", "new"]
    assert found["report_drained"]["changes"] == ["drained"]
    assert "current" in found["flash"]["guards"], "what only one configuration has is named too"


def test_an_unknown_list_names_the_near_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "stepz"]) == Exit.USAGE
    assert "did you mean steps?" in capsys.readouterr().err
