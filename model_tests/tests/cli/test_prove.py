"""`mirrorspec prove`: proved is said of a proof, inconclusive of everything else, and a failure can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mirrorspec.cli.main import run
from mirrorspec.spec.verdict import Exit


def proved(tmp_path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON result."""
    result = tmp_path / "result.json"
    code = run(["prove", "--json", str(result), "--jobs", "1", *options])
    return code, json.loads(result.read_text(encoding="utf-8"))


def test_the_seed_is_proved_where_nothing_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = proved(tmp_path, "--configuration", "seed")
    lines = capsys.readouterr().out.splitlines()
    assert (code, result["verdict"]) == (Exit.OK, "proved")
    assert result["cases"] == ["seed in reliable"]
    asked = [line for line in lines if line.startswith("proved ")]
    assert len(asked) == len(result["asked"]) == result["obligations"] - result["evident"]
    assert lines[-1].startswith("proved: 1 case, ")


def test_several_processes_say_the_same(tmp_path: Path) -> None:
    one = proved(tmp_path, "--configuration", "seed")[1]
    two = proved(tmp_path, "--configuration", "seed", "--jobs", "2")[1]
    assert [(a["name"], a["answer"]) for a in one["asked"]] == [(a["name"], a["answer"]) for a in two["asked"]]


def test_seeds_repeat_the_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = proved(tmp_path, "--configuration", "seed", "--seeds", "3")
    assert code == Exit.OK
    assert {a["seed"] for a in result["asked"]} == {0, 1, 2}
    assert "under 3 seeds" in capsys.readouterr().out


def test_a_deviation_fails_at_a_named_obligation_with_a_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = proved(tmp_path, "--deviate", "old_flash_accepted")
    assert (code, result["verdict"]) == (Exit.INCONCLUSIVE, "inconclusive")
    assert "flash keeps one_flashes_when_all_have_drained" in result["words"] + str(result["failures"])
    out = capsys.readouterr().out
    assert "the invariant allows this state, reachable or not" in out
    assert "  old_flash = S0-U0\nthen flash(S0-U0, V0)\n  flashed: nothing becomes V0\n" in out


def test_no_time_is_inconclusive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = proved(tmp_path, "--configuration", "seed", "--timeout", "0.001")
    if code == Exit.OK:
        pytest.skip("this machine proves every obligation within a millisecond")
    assert (code, result["verdict"]) == (Exit.INCONCLUSIVE, "inconclusive")
    unknown = [a["name"] for a in result["asked"] if a["answer"] == "unknown"]
    assert repr(unknown[0]) in result["words"]
    assert result["words"] in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--configuration", "sead"], ["--deviate", "old_flush_accepted"]])
def test_an_unknown_name_is_bad_input(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", *options]) == Exit.USAGE
    assert "did you mean" in capsys.readouterr().err
