"""`mirrorspec mutate`: one line a mutant, an open one fails the run, and the JSON says what the text says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirrorspec.cli.main import run
from mirrorspec.proofs.mutation import judge
from mirrorspec.spec.verdict import Exit


def test_the_mutants_of_one_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = tmp_path / "result.json"
    assert run(["mutate", "--step", "mend_storage", "--jobs", "1", "--json", str(result)]) == Exit.OK
    out = capsys.readouterr().out.splitlines()
    data = json.loads(result.read_text(encoding="utf-8"))
    assert (data["verdict"], data["open"], data["caught"], data["harmless"]) == ("exhausted", [], 1, 1)
    assert len(out) == 2 + len(data["mutants"])
    assert out[1].startswith("harmless  mend_storage without guard failed: ")
    assert out[2].startswith("caught    mend_storage without change nvs_failed: completes after ")
    assert out[-1].startswith("exhausted: 1 caught, 1 harmless, 0 open; ")


def test_an_open_mutant_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(judge, "REASONS", {})
    assert run(["mutate", "--step", "mend_storage", "--jobs", "1"]) == Exit.INCONCLUSIVE
    out = capsys.readouterr().out.splitlines()
    assert out[1].startswith("open      mend_storage without guard failed: ")
    assert out[-1].startswith("inconclusive: 1 caught, 0 harmless, 1 open; ")


def test_an_unknown_step_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mutate", "--step", "flush"]) == Exit.USAGE
    assert "unknown step 'flush': did you mean flash" in capsys.readouterr().err
