"""Breaking any one guard that a promise needs makes the induction fail at a named obligation, with a state that can be read.

A guard that a search shows to be needed for SAFETY has to be seen by the induction, else the proof would be unsound: that is
compared for all of them on the stored table.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirrorspec.model_tests.mutants import by_name, stored
from mirrorspec.proofs.induction.cases import cases, model_of
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.failure import smallest
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.plan import plan
from mirrorspec.proofs.mutation.judge import Fate
from mirrorspec.spec.properties import PROPERTIES, Kind

NEEDED = [
    o
    for o in stored()
    if o.part == "guard" and o.fate is Fate.CAUGHT and o.by in PROPERTIES and PROPERTIES[o.by].kind is Kind.SAFETY
]


def test_there_are_guards_that_safety_needs() -> None:
    assert len(NEEDED) > 20


def test_the_induction_fails_for_each_of_them() -> None:
    assert [o.name for o in NEEDED if not o.obligation] == []


@pytest.mark.parametrize("name", [o.name for o in NEEDED])
def test_a_failure_can_be_read(name: str) -> None:
    mutant = by_name()[name]
    outcome = next(o for o in NEEDED if o.name == name)
    formulas = Formulas()
    for given in (g for g in cases() if g.options.name == outcome.configuration):
        model = model_of(given)
        changed = [step for step in map(mutant.of, model.steps) if step is not None]
        for task in plan([(given, replace(model, steps=tuple(changed)), staged(given))]).tasks:
            for d in discharge(task, formulas, Limits(seconds=2)):
                if d.obligation.step is not None and d.answer is not Answer.PROVED:
                    failure = smallest(task, d.question, formulas)
                    if failure is not None:
                        words = failure.words()
                        assert words[0].startswith(f"{mutant.step} ") or f"across {mutant.step}" in words[0]
                        assert f"then {mutant.step}(" in "\n".join(words)
                        return
    pytest.fail(f"no failure of {name} has a small state")
