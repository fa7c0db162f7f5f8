"""Reorderings [0053]: each row of the table is decided as it says, and a row that says otherwise is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirrorspec.model_tests import catalogue, proof_checks
from mirrorspec.model_tests.rows import Row
from mirrorspec.proofs.induction.cases import cases, model_of
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.plan import collected, promises
from mirrorspec.proofs.induction.prover import Scope, planned
from mirrorspec.proofs.reorderings import altered, exchange
from mirrorspec.proofs.reorderings.amended import AMENDED
from mirrorspec.proofs.reorderings.decide import conflict
from mirrorspec.spec.reordered import ALTERED, REORDERED
from mirrorspec.spec.reordering import Altered, Decision, Either, Exchange, Pair, Reordering, Wrong
from mirrorspec.spec.reorderings import REORDERINGS
from mirrorspec.spec.sorts import Sort

HARDENED = next(given for given in cases() if given.options.name == "hardened")
STEPS = {step.name: step for step in model_of(HARDENED).steps}


def failed(pair: Pair, apart: Sort | None = None) -> set[str]:
    """The obligations of a pair that are not proved."""
    asked = exchange.of_pair(STEPS[pair[0]], STEPS[pair[1]], apart, staged(HARDENED))
    return {
        d.obligation.name
        for task in collected([(HARDENED, 0, asked)]).tasks
        for d in discharge(task, Formulas(), Limits(seconds=5))
        if d.answer is not Answer.PROVED
    }


def test_every_row_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one case, with a row of each kind that says too much: those rows are wrong, and no others."""
    wrong: dict[str, Decision] = {
        "start and write": Exchange((("start_increment", "apply_write"),)),
        "two runs": Either((("run", "report_drained"),)),
        "nothing at all": Exchange(()),
        "no such counterexample": Wrong(()),
        "not proved anywhere": Altered("normal_before_merged"),
    }
    table = REORDERINGS | {n: Reordering(n, "[0053]", "", decision, "") for n, decision in wrong.items()}
    monkeypatch.setattr(proof_checks, "REORDERINGS", table)
    monkeypatch.setattr(exchange, "REORDERINGS", table)
    monkeypatch.setattr(proof_checks, "Scope", lambda subject: Scope("hardened", subject=subject))
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # in this process, where the table has these rows
    planned.cache_clear()
    rows: list[Row] = list(proof_checks.reorderings(False, lambda _: None))
    planned.cache_clear()
    assert {row.subject for row in rows if row.check == "reordering"} == table.keys()
    assert {row.subject for row in rows if row.check == "reordering" and not row.good} == wrong.keys()
    assert {row.subject for row in rows if row.check == "obligation"} == {
        "apply_write can follow start_increment",
        "start_increment and apply_write lead to the same state in either order",
    }


def test_what_cannot_be_exchanged_is_not() -> None:
    """A write that a unit's joining holds; two acknowledgements that are one; the first to join decides what is due."""
    assert failed(("start_increment", "acknowledge_write")) != set()
    assert failed(("acknowledge_write", "acknowledge_write")) != set()
    assert failed(("acknowledge_write", "acknowledge_write"), Sort.WRITE) == set()
    assert failed(("issue_write", "acknowledge_write")) == {
        "issue_write and acknowledge_write lead to the same state in either order"
    }


def test_the_things_of_two_steps_are_told_apart() -> None:
    """Of one unit a second start is refused; of different units it is not. A step about no such thing cannot be asked about."""
    assert failed(("start_increment", "start_increment")) != set()
    assert failed(("start_increment", "start_increment"), Sort.UNIT) == set()
    with pytest.raises(KeyError):
        failed(("all_joined", "run"), Sort.UNIT)


def test_a_state_is_shown_in_which_the_order_makes_a_difference() -> None:
    found = conflict(("start_increment", "apply_write"), HARDENED, Formulas())
    assert found is not None
    assert found.event.startswith("start_increment(")
    assert conflict(("start_increment", "run"), HARDENED, Formulas()) is None, "a unit cannot be at both"


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_protocol_differs_and_is_proved_somewhere(name: str) -> None:
    assert any(altered.givens(name))
    right = {step.name: step for step in model_of(HARDENED).steps}
    other = model_of(HARDENED, ALTERED[name].alter(HARDENED.options, HARDENED.environment)).steps
    assert any(step != right.get(step.name) for step in other)


@pytest.mark.parametrize("name", [name for name in ALTERED if name in AMENDED])
def test_without_its_amendment_an_altered_protocol_is_not_proved(name: str) -> None:
    model = model_of(HARDENED, ALTERED[name].alter(HARDENED.options, HARDENED.environment))
    plan = collected([(HARDENED, 0, promises(model, staged(HARDENED)))])
    answers = {d.answer for task in plan.tasks for d in discharge(task, Formulas(), Limits(seconds=5))}
    assert answers != {Answer.PROVED}


def test_every_altered_and_every_wrong_order_is_in_the_table() -> None:
    decisions = [row.decision for row in REORDERINGS.values()]
    assert {d.name for d in decisions if isinstance(d, Altered)} == ALTERED.keys()
    named = {name for d in decisions if isinstance(d, Wrong) for name in d.cases}
    assert named <= catalogue.cases().keys()
    assert named >= REORDERED.keys()


def test_the_same_order_breaks_the_seed_and_not_the_hardened_protocol() -> None:
    """[0047-0048] 850-854: to flash unit by unit, or to complete with the flash, takes a flash that can be reverted."""
    for name in ("flashed_unit_by_unit", "completed_with_flash"):
        assert name in ALTERED
        assert replace(REORDERED[f"{name}_in_seed"], configuration=HARDENED.options).puts == ALTERED[name].puts
