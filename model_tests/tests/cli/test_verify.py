"""`mirrorspec verify`: one table, one report, and no way to pass by being skipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirrorspec.cli import verify
from mirrorspec.cli.main import PIPE_CLOSED, run
from mirrorspec.model_tests import catalogue, histories, main_job, proof_checks
from mirrorspec.model_tests.rows import ABSENT, LEFT_OUT, Row
from mirrorspec.proofs.induction.prover import Scope
from mirrorspec.proofs.search import spin
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.verdict import Verdict

GOOD = Row("search", "something", "exhausted", "exhausted", "3 states", 0.1)
WRONG = Row("deviation", "not caught", "violated", "exhausted", "3 states", 0.1)
WITHOUT_SPIN = Row("spin", "something", "equal counts", LEFT_OUT, "spin is not installed", 0.0)


def _only(monkeypatch: pytest.MonkeyPatch, *rows: Row) -> None:
    def check(full: bool, report: Callable[[str], None]) -> Iterator[Row]:
        report("a line of progress")
        yield from rows

    monkeypatch.setattr(main_job, "CHECKS", (check,))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_as_expected_exits_0_and_reports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _only(monkeypatch, GOOD)
    assert run(["verify"]) == 0
    report = json.loads((tmp_path / "mirrorspec-report.json").read_text())
    assert report["verdict"] == "exhausted"
    assert report["rows"][0]["figures"] == "3 states"


def test_one_wrong_row_exits_1_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _only(monkeypatch, GOOD, WRONG)
    assert run(["verify"]) == 1
    assert "violated: deviation not caught" in capsys.readouterr().out
    assert json.loads((tmp_path / "mirrorspec-report.json").read_text())["verdict"] == "violated"


def test_what_is_left_out_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _only(monkeypatch, GOOD, WITHOUT_SPIN)
    assert run(["verify"]) == 0
    assert "LEFT OUT: spin something: spin is not installed" in capsys.readouterr().out


def test_a_required_tool_that_is_absent_exits_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _only(monkeypatch, GOOD, WITHOUT_SPIN)
    assert run(["verify", "--require", "spin"]) == 3
    assert "spin" in capsys.readouterr().err


NEEDS_Z3 = Row(
    "proof", "everything", "checked", ABSENT, "needs the Python package z3-solver, which is not installed", 0.0
)


def test_a_needed_package_that_is_absent_exits_3_with_a_row_and_the_rest_of_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _only(monkeypatch, GOOD, NEEDS_Z3)
    assert run(["verify"]) == 3
    out = capsys.readouterr().out
    assert "NOT INSTALLED: proof: needs the Python package z3-solver" in out
    assert "1 of 2 as expected" in out
    assert "inconclusive: nothing is claimed without proof" in out


def test_what_is_absent_hides_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, WRONG, NEEDS_Z3)
    assert run(["verify"]) == 1


def test_every_check_that_asks_a_solver_says_so_without_z3(monkeypatch: pytest.MonkeyPatch) -> None:
    """The main job can be read, and its other checks run, where Z3 is not installed."""
    code = (
        "import sys; sys.modules['z3'] = None\n"
        "from mirrorspec.model_tests.main_job import CHECKS\n"
        "asked = [c for c in CHECKS if c.__qualname__.startswith('needing')]\n"
        "rows = [row for check in asked for row in check(False, print)]\n"
        "assert len(rows) == len(asked) == 5, rows\n"
        "assert all(row.absent and 'z3-solver' in row.figures for row in rows), rows\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_cvc5_the_second_opinion_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_checks, "installed", lambda package: package != "cvc5")
    monkeypatch.setattr(proof_checks, "Scope", lambda subject: Scope("seed", subject=subject))
    rows = {row.check: row for row in proof_checks.proof(False, lambda _: None)}
    assert rows["proof"].good
    assert rows["cvc5"].got == LEFT_OUT
    assert "cvc5" in rows["cvc5"].figures


def test_a_conjunct_that_nothing_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one case alone some conjuncts are idle, and the row says which."""
    monkeypatch.setattr(proof_checks, "Scope", lambda subject: Scope("seed", subject=subject))
    rows = {row.check: row for row in proof_checks.proof(False, lambda _: None)}
    assert not rows["cores"].good
    assert "nothing needs" in rows["cores"].got


def _must_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(full: bool, report: Callable[[str], None]) -> Iterator[Row]:
        raise AssertionError("the work began")
        yield

    monkeypatch.setattr(main_job, "CHECKS", (check,))


def test_a_required_tool_is_looked_for_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    _must_not_start(monkeypatch)
    monkeypatch.setattr(spin, "available", lambda: False)
    assert run(["verify", "--require", "spin"]) == 3


def test_a_violation_is_worse_than_a_tool_that_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, WRONG, WITHOUT_SPIN)
    monkeypatch.setattr(spin, "available", lambda: True)
    assert run(["verify", "--require", "spin"]) == 1


def test_where_the_report_goes_is_looked_at_before_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _must_not_start(monkeypatch)
    assert run(["verify", "--json", str(tmp_path / "none" / "report.json")]) == 2
    (tmp_path / "mirrorspec-report.json").mkdir()
    assert run(["verify"]) == 2


def test_the_report_is_there_when_the_text_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: object) -> None:
        raise BrokenPipeError

    _only(monkeypatch, GOOD)
    monkeypatch.setattr(verify, "table", fails)
    assert run(["verify"]) == PIPE_CLOSED
    assert json.loads((tmp_path / "mirrorspec-report.json").read_text())["verdict"] == "exhausted"


def test_the_claim_names_each_way_of_looking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = Row("proof", "x", Verdict.PROVED, Verdict.PROVED, "", 0.1)
    sample = Row("readings", "x", Verdict.NOTHING_FOUND, Verdict.NOTHING_FOUND, "", 0.1)
    deviation = Row("deviation", "x", Verdict.VIOLATED, Verdict.VIOLATED, "", 0.1)
    _only(monkeypatch, GOOD, proof, sample, deviation)
    assert run(["verify"]) == 0
    claim = capsys.readouterr().out.splitlines()[-1]
    assert "proved by induction" in claim
    assert "nothing found in 1 sample" in claim
    assert "replay stored traces" in claim
    _only(monkeypatch, GOOD)
    assert run(["verify"]) == 0
    claim = capsys.readouterr().out.splitlines()[-1]
    assert "proved" not in claim
    assert "stored traces" not in claim


def test_an_unknown_tool_to_require_exits_2() -> None:
    assert run(["verify", "--require", "spinn"]) == 2


def test_an_empty_suite_exits_3(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch)
    assert run(["verify"]) == 3


def test_an_inconclusive_row_is_not_as_expected() -> None:
    assert not Row("search", "x", Verdict.EXHAUSTED, Verdict.INCONCLUSIVE, "", 0.0).good


def test_the_recorded_histories_are_judged_as_expected() -> None:
    for history in histories.HISTORIES:
        assert histories.judge(history)[0] is history.expected


def test_the_standard_searches_reach_every_sometimes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the small ones alone they do not, and that is noticed: the check can fail."""
    monkeypatch.setattr(main_job, "STANDARD", (("hardened", "reliable", "2u2t2w"), ("seed", "reliable", "1u1t2w")))
    rows = {row.subject: row for row in main_job.searches(False, lambda _: None) if row.check == "sometimes"}
    assert rows["seed"].good
    assert not rows["hardened"].good
    assert "a write collides" in rows["hardened"].got


def test_a_trace_that_no_longer_fits_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = catalogue.stored()
    broken = {**stored, "drained_with_bits_set": {**stored["drained_with_bits_set"], "events": ["run(S0-U0)"]}}
    monkeypatch.setattr(catalogue, "stored", lambda: broken)
    monkeypatch.setattr(main_job, "HARMLESS_BOUNDS", "")
    rows = {row.subject: row for row in main_job.known_cases(False, lambda _: None)}
    assert not rows["drained_with_bits_set"].good
    assert "refused by" in rows["drained_with_bits_set"].got
    assert all(row.good for name, row in rows.items() if name != "drained_with_bits_set")


def test_the_bounds_that_smaller_ones_miss_are_among_the_standard_ones() -> None:
    hardened = {(environment, bounds) for name, environment, bounds in main_job.STANDARD if name == "hardened"}
    assert {("standard", "1u2t3w"), ("standard", "2u2t3w")} <= hardened
    assert all(environment in ENVIRONMENTS for _, environment, _ in main_job.STANDARD + main_job.LARGE)
