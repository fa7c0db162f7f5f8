"""The bank of [0008] over the running controller: killed again and again, and no money from nowhere [0009].

The parties are real processes and end by SIGKILL; the site is recovered by the product's own command. The faulty session
sends one command too many, and the same audit, of images that the decision table finds in order, sees the money appear.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from random import SystemRandom

import pytest

from mirrorspec.model_tests.bank.books import INVARIANTS, NAMES, STEPS, Account, Standing
from mirrorspec.model_tests.bank.clerk import lost
from mirrorspec.model_tests.bank.devices import MemoryDevice
from mirrorspec.model_tests.bank.drill import Drill, Sample, Tally, audited, objections
from mirrorspec.model_tests.bank.faults import FAULTS
from mirrorspec.model_tests.bank.files import Files
from mirrorspec.spec.verdict import Verdict

PATIENCE_SECONDS = 300
TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial" / "bank.md"
COMMAND = re.compile(r"^\$ python -m mirrorspec\.model_tests\.bank (.*?)  +# (.*)$", re.MULTILINE)


def drilled(folder: Path, seed: int, cycles: int, seconds: float) -> Tally:
    """Run the drill, and see that it reached what it must on the slowest machine."""
    print("seed", seed)
    tally = Drill(folder, seed, say=print).run(cycles, seconds)
    print(tally)
    assert tally.wrong == []
    assert tally.cycles == cycles
    assert tally.promised == cycles, "each recovery was known to hold something"
    assert tally.kills >= 6 * cycles, "all at each disaster, and some before"
    assert tally.openings >= cycles, "after each disaster both databases were opened again at the primary site"
    assert tally.transactions >= len(STEPS) * cycles
    assert tally.increments >= 2 * cycles
    return tally


def test_no_money_comes_from_nowhere_whoever_is_killed(tmp_path: Path) -> None:
    drilled(tmp_path, seed=3, cycles=2, seconds=2.0)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_nor_in_a_hundred_disasters(tmp_path: Path) -> None:
    tally = drilled(tmp_path, seed=SystemRandom().randrange(2**32), cycles=100, seconds=2.0)
    assert tally.openings > tally.cycles, "and again after a primary was killed"
    assert tally.hot, "some cuts fell into a transaction of a database"


def run(*arguments: str, first: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command, as the tutorial has it. *first*: a folder whose modules are found before all others."""
    return subprocess.run(
        [sys.executable, "-m", "mirrorspec.model_tests.bank", *arguments],
        env={**os.environ, **({"PYTHONPATH": str(first)} if first else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def test_an_image_that_is_no_database_is_damage_and_no_crash(tmp_path: Path) -> None:
    images = [tmp_path / f"{name}.img" for name in NAMES]
    for image in images:
        image.write_bytes(bytes(64 * 4096))
    standing, hot = audited(images)
    assert standing.sound
    assert standing.transactions == hot == 0
    device = MemoryDevice(64 * 4096)
    file = Files(device).database
    file.create()
    file.write(0, b"no database" * 400)
    images[1].write_bytes(device.read(0, 64 * 4096))
    assert audited(images)[0].damage == {"ledger": "file is not a database"}
    images[0].write_bytes(b"something else" * 4096)
    assert audited(images)[0].damage.keys() == set(NAMES)


def holding(transactions: int) -> Standing:
    """A bank that has committed so many transactions."""
    stages = (
        Account(True),
        Account(True, deposited=400),
        Account(True, balance=400, deposited=400),
        Account(True, balance=100, withdrawn=300, deposited=400),
        Account(True, balance=100, withdrawn=300, deposited=400, paid=300),
    )
    return Standing({n + 1: stages[min(transactions - 5 * n, 5) - 1] for n in range((transactions + 4) // 5)})


SAMPLES = (Sample(10, 3), Sample(20, 4), Sample(30, 6))


@pytest.mark.parametrize(
    ("transactions", "number", "words"),
    [
        (20, 6, ""),
        (34, 6, ""),
        (19, 6, "not 20 to 34"),
        (35, 6, "not 20 to 34"),
        (12, 5, "6 had been committed"),
        (29, 8, "not 30 to 34"),
    ],
)
def test_an_image_that_is_too_old_or_too_new_is_objected_to(transactions: int, number: int, words: str) -> None:
    assert holding(transactions).transactions == transactions
    found = objections(holding(transactions), number, 34, SAMPLES)
    assert len(found) == bool(words)
    assert words in "".join(found)


@pytest.mark.parametrize(("transactions", "is_lost"), [(11, True), (12, False), (13, False), (14, True)])
def test_what_is_lost_at_the_primary_site_is_noticed(transactions: int, is_lost: bool) -> None:
    assert bool(lost(holding(transactions), 12)) == is_lost
    assert lost(Standing({}, damage={"ledger": "torn"}), 0)


def test_without_apsw_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "apsw.py").write_text("raise ModuleNotFoundError(name='apsw')", encoding="utf-8")
    done = run(first=tmp_path)
    assert done.returncode == Verdict.INCONCLUSIVE.exit_code
    assert done.stderr.splitlines() == ["inconclusive: the bank needs apsw: pip install 'mirrorspec[bank]'"]


DOCUMENTED = COMMAND.findall(TUTORIAL.read_text(encoding="utf-8"))


def test_the_tutorial_has_commands_and_names_every_invariant() -> None:
    assert [verdict for _, verdict in DOCUMENTED] == [Verdict.NOTHING_FOUND, Verdict.NOTHING_FOUND, Verdict.VIOLATED]
    assert [name for name in FAULTS if not any(name in options for options, _ in DOCUMENTED)] == []
    text = TUTORIAL.read_text(encoding="utf-8")
    assert [name for name in (*INVARIANTS, "books_differ") if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize(("options", "verdict"), DOCUMENTED)
def test_the_commands_of_the_tutorial_end_as_it_says(options: str, verdict: str) -> None:
    """[0038-0041]: also that a unit which runs before all have joined makes money, and that one which joins late does not."""
    done = run(*shlex.split(options))
    assert done.returncode == Verdict(verdict).exit_code, done.stdout + done.stderr
    assert re.search(rf"^{verdict}: ", done.stdout, re.MULTILINE)
    assert "damaged" not in done.stdout, "each database by itself is in order"
    shown = [name for name in ("money_from_nowhere", "withdrawal_without_deposit") if f"{name}: " in done.stdout]
    assert len(shown) == (2 if verdict == Verdict.VIOLATED else 0)
    assert bool(re.search(r"\$[1-9]\d* from nowhere", done.stdout)) == (verdict == Verdict.VIOLATED)


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
