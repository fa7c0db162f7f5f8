"""The stored mutation table: what became of each mutant and each named deviation when `mirrorspec mutate` was last run in full.

`mutants.json` holds the outcomes. The traces are replayed each time, and the names are compared with the mutants that there are
now; judging all of them anew is the work of `mirrorspec mutate` and of `verify --full`.
``python -m mirrorspec.model_tests.mutants`` judges all anew and writes the file.
"""

from __future__ import annotations

import json
import os
from functools import cache
from importlib.resources import files
from pathlib import Path

from mirrorspec.proofs.induction.cases import cases
from mirrorspec.proofs.induction.mutants import Mutant, mutants
from mirrorspec.proofs.mutation.judge import Fate, Outcome, replays
from mirrorspec.proofs.mutation.table import outcomes, subjects

STORED = "mutants.json"


@cache
def stored() -> tuple[Outcome, ...]:
    """The stored outcomes, in reading order."""
    text = files("mirrorspec.model_tests").joinpath(STORED).read_text(encoding="utf-8")
    return tuple(Outcome.from_json(data) for data in json.loads(text))


@cache
def by_name() -> dict[str, Mutant]:
    """Every mutant that there is now."""
    return {mutant.name: mutant for mutant in mutants(cases())}


def stale() -> list[str]:
    """What is stored and is no more, is not stored and is there, or whose trace no longer shows what it is said to show."""
    wanted = [subject.name if isinstance(subject, Mutant) else subject for subject in subjects()]
    found = {outcome.name: outcome for outcome in stored()}
    wrong = [name for name in dict.fromkeys((*wanted, *found)) if (name in found) != (name in wanted)]
    for name, mutant in by_name().items():
        outcome = found.get(name)
        if outcome is not None and outcome.fate is Fate.CAUGHT and not replays(mutant, outcome):
            wrong.append(name)
    return wrong


def main() -> None:
    """Judge everything anew and write the file beside this module."""
    found = [outcome.as_json() for outcome in outcomes(subjects(), os.cpu_count() or 1)]
    write(found)


def write(found: list[dict[str, object]]) -> None:
    """Write the outcomes beside this module, without what differs from run to run."""
    text = json.dumps([{**outcome, "seconds": 0.0} for outcome in found], indent=1) + "\n"
    Path(__file__).with_name(STORED).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
