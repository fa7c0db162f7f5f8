"""`mirrorspec check` and `explore`: verdicts, exit codes, files, and what wrong names get."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirrorspec.cli.main import run
from mirrorspec.spec.configuration import CHOICES


def test_a_search_to_the_end_exits_0_with_its_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--bounds", "1u1t2w", "--environment", "reliable"]) == 0
    said = capsys.readouterr().out
    assert "exhausted: no violation in any state of 1 unit, 1 volume, 1 track, 2 writes" in said
    assert "SOMETIMES not reached" not in said


def test_what_was_not_reached_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--bounds", "2u2t2w", "--environment", "reliable", "--configuration", "seed"]) == 0
    assert "SOMETIMES not reached within these bounds: a write collides" in capsys.readouterr().out


def test_the_increment_timer_breaks_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """[0041] 558: the published finding."""
    seed = ["check", "--configuration", "seed", "--bounds", "2u2t2w"]
    assert run([*seed, "--environment", "timer"]) == 1
    assert "increment_timeout" in capsys.readouterr().out
    assert run([*seed, "--environment", "reliable"]) == 0


def test_a_deviation_is_caught_and_explored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    assert run(["check", "--deviate", "run_before_all_joined", "--property", "consistent", "--json", str(file)]) == 1
    printed = capsys.readouterr().out
    assert "was acknowledged before" in printed
    assert json.loads(file.read_text())["#meta"]["mirrorspec"]["verdict"] == "violated"
    assert run(["explore", str(file), "--text"]) == 0
    assert capsys.readouterr().out in printed


def test_an_exhausted_search_writes_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    assert run(["check", "--bounds", "1u1t2w", "--environment", "reliable", "--json", str(file)]) == 0
    meta = json.loads(file.read_text())["#meta"]["mirrorspec"]
    assert meta["verdict"] == "exhausted"
    assert meta["search"]["states"] > 100


def test_a_limit_makes_it_inconclusive(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--bounds", "2u2t3w", "--max-states", "1000", "--quiet"]) == 3
    assert "inconclusive" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["--bounds", "2u2t3"], "2u2t3w"),
        (["--environment", "standart"], "standard"),
        (["--configuration", "hardend"], "hardened"),
        (["--deviate", "two_sessions"], "two_sessions_obeyed"),
        (["--property", "consistant"], "consistent"),
        (["--engine", "batches"], "batch"),
        (["--option", "hold=in_cash"], "in_cache"),
        (["--option", "hole=in_cache"], "hold"),
        (["--deviate", "two_sessions_obeyed", "--option", "hold=in_cache"], "its own configuration"),
    ],
)
def test_a_wrong_name_exits_2_and_lists_the_near_ones(
    arguments: list[str], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", *arguments]) == 2
    said = capsys.readouterr().err
    assert near in said
    assert said.count("\n") == 1


def test_nothing_is_written_when_the_name_is_wrong(tmp_path: Path) -> None:
    assert run(["check", "--bounds", "none", "--json", str(tmp_path / "x.json")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explore", str(tmp_path / "none.json")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_the_model_is_printed_as_promela(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--bounds", "1u1t2w", "--emit", "promela"]) == 0
    assert "d_step" in capsys.readouterr().out or "atomic" in capsys.readouterr().out


def test_an_option_that_changes_nothing_and_a_hold_that_no_timer_ends_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["check", "--environment", "links", "--bounds", "1u1t2w", "-q", "--option"]
    assert run([*arguments, "restart=leave"]) == 0
    printed = capsys.readouterr().out
    assert "note: restart=leave changes nothing in this environment" in printed
    assert "note: hold_ends is not asked" in printed
    assert run(["check", "--environment", "crashes", *arguments[3:], "restart=leave"]) == 0
    assert "note" not in capsys.readouterr().out


def test_the_help_lists_every_value_of_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--help"]) == 0
    printed = "".join(capsys.readouterr().out.split())
    for choice, values in CHOICES.items():
        assert f"{choice}={'|'.join(values)}" in printed
