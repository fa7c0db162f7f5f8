"""A failing induction is shown in its smallest state, and the bits reading agrees to it."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.induction.cases import cases, deviating, model_of
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.failure import Failure, smallest
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.plan import plan
from mirrorspec.spec.sorts import Sort

HARDENED = next(given for given in cases() if given.options.name == "hardened")


def failures(deviation: str) -> dict[str, Failure | None]:
    """The smallest failure of each obligation that a deviation breaks."""
    given, model = deviating(deviation)
    formulas = Formulas()
    return {
        d.obligation.name: smallest(task, d.question, formulas)
        for task in plan([(given, model, staged(given))]).tasks
        for d in discharge(task, formulas, Limits(seconds=2))
        if d.answer is Answer.REFUTED
    }


def test_the_state_is_the_smallest_and_almost_empty() -> None:
    found = failures("old_flash_accepted")["flash keeps flashed_is_a_drained_members"]
    assert found is not None
    assert {sort: found.universe.sizes[sort] for sort in (Sort.SESSION, Sort.UNIT, Sort.WRITE)} == {
        Sort.SESSION: 1,
        Sort.UNIT: 1,
        Sort.WRITE: 1,
    }
    assert {name for name, value in found.state.items() if value and value != (0,)} == {
        "members",
        "covered",
        "old_flash",
    }
    assert found.event == "flash(S0-U0, V0)"
    assert (found.state["flashed"], found.after["flashed"]) == (0, 1)


@pytest.mark.parametrize("conjunct", ["leader_is_the_highest_heard", "cuts_fit_one_another"])
def test_a_missing_conjunct_shows_in_a_small_state(conjunct: str) -> None:
    invariant = tuple(c for c in staged(HARDENED) if c.name != conjunct)
    formulas = Formulas()
    shown = [
        smallest(task, d.question, formulas)
        for task in plan([(HARDENED, model_of(HARDENED), invariant)]).tasks
        for d in discharge(task, formulas, Limits(seconds=1))
        if d.answer is not Answer.PROVED
    ]
    assert any(failure is not None for failure in shown)
