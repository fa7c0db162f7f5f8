"""The protocol refines the promise [0008-0010, 0049], and what breaks the protocol breaks the refinement."""

from __future__ import annotations

from dataclasses import replace

import pytest
import z3

from mirrorspec.model_tests import catalogue
from mirrorspec.proofs.induction.cases import cases, deviating, model_of
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.obligations import Stage, of_service
from mirrorspec.proofs.induction.plan import plan
from mirrorspec.proofs.refinement import of_step, promised_service
from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.service import ACTIONS, Service, promised
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import Truth, parameter

GIVEN = {given.name: given for given in cases()}
HARDENED = GIVEN["hardened in all"]
SEED = GIVEN["seed in reliable"]
S = symbolic_state()
SEEN_BY_THE_SERVICE = {"consistent", "never_back", "promised_writes_held"}
"""The other promises speak of an image that recovery could yield instead: by committing what is wholly flashed."""


def failed(given: Given, model: Model) -> set[str]:
    """The obligations towards the service that are not proved."""
    return {
        d.obligation.name
        for task in plan([(given, model, staged(given))]).tasks
        if any(q.obligation.stage is Stage.SERVICE for q in task.questions.values())
        for d in discharge(task, Formulas(), Limits(seconds=5))
        if d.answer is not Answer.PROVED and d.obligation.stage is Stage.SERVICE
    }


@pytest.mark.parametrize("given", [HARDENED, SEED], ids=lambda g: g.options.name)
def test_every_step_is_a_step_of_the_service(given: Given) -> None:
    model = model_of(given)
    assert {o.step.name for o in of_service(model) if o.step} == {step.name for step in model.steps}
    assert failed(given, model) == set()


def test_a_deviation_makes_it_fail() -> None:
    """Recovery from whatever the targets hold: a flash, and its withdrawal, change what recovery yields."""
    assert failed(*deviating("recovery_from_newest")) == {"flash refines the service", "withdraw refines the service"}


def test_the_service_keeps_its_promise_at_every_size() -> None:
    """The image is closed after each action, whatever the two states are; without the action's own clauses it need not be."""
    write = parameter("w", Sort.WRITE)
    before = Service(
        S.issued, S.acknowledged, S.needs, S.covered, S.target, S.joined.some(), S.begun, S.committed.some()
    )
    after = Service(S.applied, S.caught, S.needs, S.flashed, S.secondary, S.ran.some(), S.cut, S.withdrawn.some())
    formulas = Formulas()

    def follows(action: Truth, then: Service) -> bool:
        solver = z3.Solver()
        solver.set("timeout", 10_000)
        known = promised(before) & (before.acknowledged <= before.issued) & action
        kept = promised(then) & (then.acknowledged <= then.issued)
        solver.add(formulas.of(known), z3.Not(formulas.of(kept)))
        return bool(solver.check() == z3.unsat)

    for name, action in ACTIONS.items():
        then = replace(after, needs=S.needs.record(write, S.acknowledged)) if name == "issue" else after
        assert follows(action(before, then), then), name
    assert not follows(after.issued <= after.issued, after)


def test_the_actions_of_the_service_all_happen() -> None:
    """Along the stored traces each action is some step's, so that none is there in vain."""
    seen: dict[str, set[str]] = {name: set() for name in ACTIONS}
    for case in catalogue.cases().values():
        if case.harmless:
            continue
        found = catalogue.counterexample(case)
        reading = BitsReading(case.setting.model(), case.setting.universe)
        for state, label in zip(found.states, found.labels, strict=False):
            event = reading.by_label[label]
            for name, truth in of_step(event.step, case.setting.configuration).items():
                if reading.truth(truth, state, event.parameters):
                    seen[name].add(event.step.name)
    assert seen["issue"] == {"issue_write"}
    assert seen["begin"] == {"start_increment"}
    assert {"commit"} <= seen["advance"]
    assert {"all_committed"} <= seen["end"]
    assert {"send_track"} <= seen["stutter"]


def test_what_breaks_the_promise_is_no_step_of_the_service() -> None:
    """Every stored counterexample leaves the service at the latest with its last step."""
    judged = 0
    for case in catalogue.cases().values():
        if case.harmless:
            continue
        found = catalogue.counterexample(case)
        if found.property not in SEEN_BY_THE_SERVICE:
            continue
        reading = BitsReading(case.setting.model(), case.setting.universe)
        options = case.setting.configuration
        kept = all(
            any(reading.truth(t, state, event.parameters) for t in of_step(event.step, options).values())
            for state, event in zip(found.states, (reading.by_label[label] for label in found.labels), strict=False)
        )
        assert not kept, case.name
        judged += 1
    assert judged > 30


def test_the_service_knows_nothing_of_the_protocol() -> None:
    for given in (HARDENED, SEED):
        service = promised_service(S, given.options)
        assert service.issued is S.issued
        assert service.due is S.begun
    used = {name for f in (service.image, service.offered, service.forming) for name in f.leaves()}
    assert used & {"out_of_sync", "change_recording", "in_flight", "pending", "in_progress"} == set()
