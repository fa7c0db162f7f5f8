"""The bank of [0008] over the running controller: killed again and again, and no money from nowhere [0009].

The parties are real processes and end by SIGKILL; the site is recovered by the product's own command. The faulty controller
differs in one class, and the same audit, of images that the decision table finds in order, sees the money appear.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mirrorspec.model_tests.bank.books import INVARIANTS
from mirrorspec.model_tests.bank.drill import Drill
from mirrorspec.spec.verdict import Verdict

PATIENCE_SECONDS = 300
TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial" / "bank.md"
COMMAND = re.compile(r"^\$ python -m mirrorspec\.model_tests\.bank (.*?)  +# (.*)$", re.MULTILINE)


def drilled(folder: Path, seed: int, cycles: int, seconds: float) -> None:
    """Run the drill and say what it reached."""
    tally = Drill(folder, seed, say=print).run(cycles, seconds)
    print(tally)
    assert tally.wrong == []
    assert tally.cycles == cycles
    assert tally.promised == cycles, "each recovery was known to hold something"
    assert tally.kills >= 6 * cycles
    assert tally.openings > cycles, "both databases were opened again after a primary was killed"
    assert tally.transactions > 10 * cycles
    assert tally.increments > 2 * cycles


def test_no_money_comes_from_nowhere_whoever_is_killed(tmp_path: Path) -> None:
    drilled(tmp_path, seed=8, cycles=3, seconds=2.0)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_nor_in_a_hundred_disasters(tmp_path: Path) -> None:
    drilled(tmp_path, seed=int(os.environ.get("MIRRORSPEC_SEED", "9")), cycles=100, seconds=3.0)


def test_a_unit_that_runs_before_all_have_joined_makes_money(tmp_path: Path) -> None:
    """[0038-0041]: the hold is released on one unit before another is held, as in the deviation of that name."""
    tally = Drill(tmp_path, seed=0, fault="run_before_all_joined").run(cycles=3, seconds=1.0, kills=False)
    assert tally.standing is not None, tally.wrong
    assert tally.standing.damage == {}, "each database by itself is in order"
    assert {"money_from_nowhere", "withdrawal_without_deposit"} <= tally.standing.findings.keys()
    assert tally.standing.nowhere > 0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as the tutorial has it."""
    return subprocess.run(
        [sys.executable, "-m", "mirrorspec.model_tests.bank", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


DOCUMENTED = COMMAND.findall(TUTORIAL.read_text(encoding="utf-8"))


def test_the_tutorial_has_commands_and_names_every_invariant() -> None:
    assert [verdict for _, verdict in DOCUMENTED] == [Verdict.NOTHING_FOUND, Verdict.VIOLATED]
    text = TUTORIAL.read_text(encoding="utf-8")
    assert [name for name in (*INVARIANTS, "books_differ") if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize(("options", "verdict"), DOCUMENTED)
def test_the_commands_of_the_tutorial_end_as_it_says(options: str, verdict: str) -> None:
    done = run(*shlex.split(options))
    assert done.returncode == Verdict(verdict).exit_code, done.stdout + done.stderr
    assert re.search(rf"^{verdict}: ", done.stdout, re.MULTILINE)
    shown = [name for name in ("money_from_nowhere", "withdrawal_without_deposit") if f"{name}: " in done.stdout]
    assert len(shown) == (2 if verdict == Verdict.VIOLATED else 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--cycles", "0"),
        ("--fault", "no_such"),
        ("--folder", "no/such/folder"),
        ("--seed", "-1"),
        ("--seconds", "many"),
    ],
    ids=" ".join,
)
def test_wrong_options_are_one_line_and_exit_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
