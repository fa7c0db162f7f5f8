"""The inductive proof goes through, and it is seen to fail where the protocol or the invariant is not what it should be."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from mirrorspec.proofs.induction.cases import cases, model_of
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.discharge import Answer, Discharged, Formulas, Limits, discharge
from mirrorspec.proofs.induction.invariant import INVARIANT, staged
from mirrorspec.proofs.induction.plan import plan
from mirrorspec.proofs.refinement import SERVICE
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import Model, stage
from mirrorspec.spec.readings.bits import BitsReading, choices
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import parameter
from mirrorspec.spec.universe import Universe

CASES = {given.name: given for given in cases()}
HARDENED = CASES["hardened in all"]
IN_CACHE = CASES["hardened+in_cache in all"]
SEED = CASES["seed in reliable"]


def discharged(model: Model, given: Given, without: str = "") -> Iterator[Discharged]:
    """Every question of one case, with the invariant less the conjunct *without*."""
    invariant = tuple(c for c in staged(given) if c.name != without)
    formulas = Formulas()
    for task in plan([(given, model, invariant)]).tasks:
        yield from discharge(task, formulas, Limits(seconds=1))


def failed(answers: Iterable[Discharged]) -> set[str]:
    """The names of the obligations that were not proved."""
    return {d.obligation.name for d in answers if d.answer is not Answer.PROVED}


def dropping(given: Given, step: str, guard: str) -> Model:
    """The model of the case with one guard left out."""
    steps = [
        replace(s, guards={n: g for n, g in s.guards.items() if (s.name, n) != (step, guard)})
        for s in stage(given.options, given.environment)
    ]
    return model_of(given, alter=steps)


def test_every_case_is_proved() -> None:
    models = [(given, model_of(given), staged(given)) for given in CASES.values()]
    whole = plan(models)
    formulas = Formulas()
    answers = [d for task in whole.tasks for d in discharge(task, formulas, Limits())]
    assert failed(answers) == set()
    assert len(answers) > 1_000


@pytest.mark.parametrize(
    ("conjunct", "first"),
    [
        ("leader_is_the_highest_heard", "withdraw keeps committing_when_all_are_flashed"),
        ("target_is_the_cut", "safety consistent"),
        ("drained_secondary_is_the_cut", "flash keeps target_is_the_cut"),
        ("cuts_fit_one_another", "safety consistent"),
        ("held_write_is_not_acknowledged", "start_increment keeps cuts_fit_one_another"),
    ],
)
def test_a_conjunct_less_is_noticed(conjunct: str, first: str) -> None:
    assert first in failed(discharged(model_of(IN_CACHE), IN_CACHE, without=conjunct))


def test_acknowledging_the_cut_while_pending_is_harmless() -> None:
    """Where held writes wait before the cache, all that a pending unit could acknowledge is in its cut."""
    assert failed(discharged(dropping(HARDENED, "acknowledge_write", "released"), HARDENED)) == set()


@pytest.mark.parametrize(
    ("step", "guard", "obligation"),
    [
        ("flash", "untainted", "flash keeps target_is_the_cut"),
        ("flash", "current", "flash keeps one_flashes_when_all_have_drained"),
        ("run", "obeyed", "run keeps one_runs_when_all_have_joined"),
        ("acknowledge_write", "released", "acknowledge_write keeps held_write_is_not_acknowledged"),
        ("all_joined", "current", "all_joined keeps running_when_all_have_joined"),
        ("take_abort", "uncommitted", "take_abort keeps committed_means_committing"),
    ],
)
def test_a_guard_less_is_noticed(step: str, guard: str, obligation: str) -> None:
    assert obligation in failed(discharged(dropping(IN_CACHE, step, guard), IN_CACHE))


ENDED_BY_A_SESSION_THAT_NO_MEMBER_HEEDS = {
    *(f"{step} keeps running_when_all_have_joined" for step in ("all_committed", "all_aborted")),
    *(f"{step} keeps flashing_when_all_have_drained" for step in ("all_committed", "all_aborted")),
    "all_committed keeps committing_when_all_are_flashed",
}


def test_a_session_that_only_outsiders_heed_may_not_end_an_increment() -> None:
    """The induction fails at named obligations where units outside the session count as heeding it."""
    given = Given(HARDENED.options, ENVIRONMENTS["all"])
    s = symbolic_state()
    heeded = (parameter("k", Sort.SESSION).channels & ~s.fenced).some()
    steps = [
        replace(step, guards={**step.guards, "heeded": heeded}) if "heeded" in step.guards else step
        for step in stage(given.options, given.environment)
    ]
    assert failed(discharged(model_of(given, alter=steps), given)) == ENDED_BY_A_SESSION_THAT_NO_MEMBER_HEEDS


def steps_of_a_walk(model: Model, universe: Universe, draw: random.Random) -> Iterator[dict[str, object]]:
    """The states of a random walk from the initial state."""
    reading = BitsReading(model, universe)
    state = reading.initial()
    for _ in range(100):
        yield state
        by_step: dict[str, list[object]] = {}
        for event in reading.enabled(state):
            by_step.setdefault(event.step.name, []).append(event)
        if not by_step:
            return
        state = reading.after(draw.choice(by_step[draw.choice(sorted(by_step))]), state)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [HARDENED, SEED], ids=lambda g: g.options.name)
def test_reachable_states_meet_the_invariant(given: Given) -> None:
    model = model_of(given)
    universe = Universe.of((((2,),), ((1,),)), given.environment.sessions)
    reading = BitsReading(model, universe)
    draw = random.Random(given.name)
    for _ in range(2):
        for state in steps_of_a_walk(model, universe, draw):
            for c in staged(given):
                for things in choices(c.parameters, universe):
                    names = dict(zip((name for name, _ in c.parameters), things, strict=True))
                    assert reading.truth(c.truth, state, names), c.name


def test_conjuncts_have_names_of_their_own_and_reasons() -> None:
    assert len({c.name for c in INVARIANT}) == len(INVARIANT)
    assert [c.name for c in INVARIANT if not c.reason.endswith(".")] == []


def test_untouched_conjuncts_are_evident() -> None:
    whole = plan([(SEED, model_of(SEED), staged(SEED))])
    asked = sum(len(task.questions) for task in whole.tasks)
    assert asked == whole.distinct
    assert asked + whole.evident == whole.obligations
    assert {q.obligation.claim for t in whole.tasks for q in t.questions.values() if t.invariant} <= {
        *(c.name for c in INVARIANT),
        *(p.name for p in model_of(SEED).properties),
        SERVICE,
    }
