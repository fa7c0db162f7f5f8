"""PROGRESS [0041, 0047-0048]: where nobody gives up every increment completes, by a measure that falls at every size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mirrorspec.cli.main import run
from mirrorspec.model_tests import proof_checks
from mirrorspec.proofs import completion, measure
from mirrorspec.proofs.completion import asked, givens, lowers, model_of
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.failure import smallest
from mirrorspec.proofs.induction.obligations import Obligation, Stage
from mirrorspec.proofs.induction.plan import Question, Task, collected
from mirrorspec.proofs.induction.prover import Scope
from mirrorspec.proofs.measure import HELPFUL, MEASURE, SITUATIONS
from mirrorspec.spec.model import StagedStep, stage
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.terms import FALSE
from mirrorspec.spec.universe import Universe

GIVEN = {given.options.name: given for given in givens()}
HARDENED, SEED, BEFORE = GIVEN["hardened"], GIVEN["seed"], GIVEN["hardened+before_start"]


def failed(given: Given, alter: list[StagedStep] | None = None) -> set[str]:
    """The obligations of the argument that are not proved."""
    return {
        d.obligation.name
        for task in collected([(given, 0, asked(given, alter))]).tasks
        for d in discharge(task, Formulas(), Limits(seconds=3))
        if d.answer is not Answer.PROVED
    }


def altered(given: Given, name: str, change: Callable[[StagedStep], StagedStep | None]) -> list[StagedStep]:
    """The steps of a case with one changed, or left out."""
    steps = stage(given.options, given.environment)
    return [new for s in steps if (new := change(s) if s.name == name else s) is not None]


@pytest.mark.parametrize("given", [HARDENED, SEED, BEFORE], ids=lambda g: g.options.name)
def test_every_increment_completes(given: Given) -> None:
    assert failed(given) == set()


def test_the_check_asks_for_all_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_checks, "Scope", lambda subject: Scope("seed", subject=subject))
    rows = list(proof_checks.completes(False, lambda _: None))
    assert [(row.check, row.good) for row in rows] == [("completion", True)]


@pytest.mark.parametrize(
    ("step", "situation"),
    [
        ("report_drained", "where the frozen set is empty, "),
        ("deliver_track", "where units are draining, "),
        ("flash", "where volumes are flashed, "),
        ("increment_complete", "where units are leaving, "),
    ],
)
def test_without_a_step_nothing_helps_in_its_situation(step: str, situation: str) -> None:
    assert any(name.startswith(situation) for name in failed(HARDENED, altered(HARDENED, step, lambda _: None)))


def test_a_session_may_not_give_up() -> None:
    """With *abandon* it can go on for ever without completing anything: the argument needs that nobody gives up."""
    steps = altered(HARDENED, "abandon", lambda s: replace(s, name="abandon_all_the_same"))
    assert any("abandon_all_the_same" in name for name in failed(HARDENED, steps))


def test_a_step_that_adds_to_the_frozen_set_is_noticed() -> None:
    """A write that is marked out of sync in progress [0041] 554 raises what is still to be drained."""

    def wrong(step: StagedStep) -> StagedStep:
        track = step.changes["change_recording"]
        return replace(step, changes={**step.changes, "out_of_sync": track})

    assert "apply_write does not raise to_drain" in failed(HARDENED, altered(HARDENED, "apply_write", wrong))


def test_a_situation_less_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "SITUATIONS", [s for s in SITUATIONS if s.name != "all have drained"])
    assert failed(HARDENED) == {"an increment is in one of the situations"}


@pytest.mark.parametrize("name", HELPFUL)
def test_every_helpful_step_helps_in_some_state(name: str) -> None:
    """The argument is not empty: in a state of all that is taken for granted the step can be taken and lowers the measure."""
    given = BEFORE if name == "apply_write" else HARDENED
    step = next(step for step in model_of(given).steps if step.name == name)
    guards = (*step.guards.items(), ("it lowers the measure", lowers(step)))
    never = Obligation(Stage.STEP, step, "never", (), FALSE, False)
    assert smallest(Task(completion.known(given), guards), Question(never, [given]), Formulas(), emptied=False)


@pytest.mark.parametrize("given", [HARDENED, SEED], ids=lambda g: g.options.name)
def test_taking_whatever_helps_completes_increments(given: Given) -> None:
    """In the bits reading: from the first state, as long as something helps it is taken; then the increment completes."""
    universe = Universe.of((((2, 1),), ((1,), (1,))))
    model = model_of(given)
    reading = BitsReading(model, universe)
    state = reading.initial()
    completed = 0
    sizes: list[int] = []
    for _ in range(200):
        sizes.append(sum(int(reading.value(completion.value(m), state)).bit_count() for m in MEASURE))
        enabled = list(reading.enabled(state))
        helps = [e for e in enabled if reading.truth(lowers(e.step), state, e.parameters) and e.step.name in HELPFUL]
        if helps:
            state = reading.after(helps[0], state)
            assert sum(int(reading.value(completion.value(m), state)).bit_count() for m in MEASURE) < sizes[-1]
            continue
        done = [e for e in enabled if e.step.name == measure.GOAL]
        assert done, "nothing helps, and the increment is not complete"
        state = reading.after(done[0], state)
        completed += 1
    assert completed >= 3


def test_the_command_line_shows_each_subject(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", "--quiet", "--configuration", "seed", "--subject", "completion", "--jobs", "1"]) == 0
    assert "proved: 1 case" in capsys.readouterr().out
    assert run(["prove", "--subject", "completion", "--deviate", "old_run_accepted"]) == 2
    assert run(["prove", "--subject", "progress"]) == 2
