"""PROGRESS, proved: where nobody gives up, every increment completes, however many of everything there are.

The rule is the classic one for justice (weak fairness): a step that can always be taken is taken in the end. A step *helps* in
a state when it is one of `HELPFUL`, can be taken, and lowers the measure. To be shown, each as obligations of the induction:

    kept    what is taken for granted beside the invariant is itself an invariant (`measure.CONJUNCTS`);
    falls   no step but the one that completes the increment raises any component of the measure;
    helps   in every state one of `measure.SITUATIONS` is the case, and in each of these one of its steps helps, or the
            increment can be completed at once;
    stays   a step that helps does so until the measure falls (or, for a transfer, until that one is lost).

So some step helps, and stays helpful until it is taken or another lowers the measure; that can happen only so often; then
nothing is left that helps, and the increment can be completed. Links may double, delay and reorder as they like. A loss sets
one track's transfer back, and *falls* shows it does no more than that: so of links nothing is asked but that a track which is
sent again and again is acknowledged in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

from mirrorspec.proofs.induction.cases import cases
from mirrorspec.proofs.induction.conjunct import Given, StagedConjunct
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.obligations import Obligation, Stage, of_initial_state, of_step
from mirrorspec.proofs.induction.plan import Asked
from mirrorspec.proofs.measure import (
    CONJUNCTS,
    ENVIRONMENT,
    GIVING_UP,
    GOAL,
    HELPFUL,
    LOSING,
    MEASURE,
    SITUATIONS,
    Component,
)
from mirrorspec.proofs.pairs import both, guards_after, other
from mirrorspec.spec.configuration import Restart
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import Model, StagedStep, build, stage, substitute
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import FALSE, SetTerm, Truth, all_of, parameter


def givens() -> tuple[Given, ...]:
    """The cases: those of the promises, where nobody gives up; nothing crashes, so it is all one how a unit restarts."""
    return tuple(
        Given(given.options, ENVIRONMENTS[ENVIRONMENT[given.options.hardened]])
        for given in cases()
        if given.options.restart is Restart.RESUME
    )


def model_of(given: Given, alter: list[StagedStep] | None = None) -> Model:
    """The complete model in which nobody gives up."""
    steps = stage(given.options, given.environment) if alter is None else alter
    return build(
        given.options,
        given.environment,
        alter=[step for step in steps if step.name not in GIVING_UP],
        kinds=(),
        complete=True,
    )


def known(given: Given) -> tuple[StagedConjunct, ...]:
    """All that is taken for granted: the invariant of the promises, and what is true where nobody gives up."""
    return (*staged(given), *(c for c in (conjunct.stage(given) for conjunct in CONJUNCTS) if c is not None))


def value(component: Component) -> SetTerm:
    """The component as a term."""
    return component.of(symbolic_state())


def lowers(step: StagedStep) -> Truth:
    """Whether the step takes anything out of any component."""
    fallen = [~(value(m) <= substitute(value(m), step.changes)) for m in MEASURE if _touches(step, m)]
    return reduce(lambda a, b: a | b, fallen, FALSE)


def _touches(step: StagedStep, component: Component) -> bool:
    return bool(value(component).leaves() & step.changes.keys())


def asked(given: Given, alter: list[StagedStep] | None = None) -> Iterator[Asked]:
    """Every obligation of the argument for one case; *alter* are its steps where they are changed."""
    model = model_of(given, alter)
    invariant = known(given)
    for obligation in of_initial_state(model, invariant):
        yield obligation, (), ()
    for step in model.steps:
        for obligation in of_step(step, invariant):
            yield obligation, invariant, tuple(step.guards.items())
    yield from _falls(model, invariant)
    yield from _helps(model, invariant)
    yield from _stays(model, invariant)


def _about_one_thing(step: StagedStep, second: StagedStep) -> Truth:
    """That both are about the same track, or whatever the second is about; false where the first is about no such thing."""
    ((name, sort),) = second.parameters
    mine = [parameter(n, kind) for n, kind in step.parameters if kind is sort]
    return mine[0] <= parameter(name, sort) if mine else FALSE


def _falls(model: Model, invariant: tuple[StagedConjunct, ...]) -> Iterator[Asked]:
    for step in model.steps:
        if step.name == GOAL:
            continue
        for m in MEASURE:
            if not _touches(step, m):
                continue
            now = value(m)
            if step.name == LOSING and m.transfer:
                ((name, sort),) = step.parameters
                now = now | parameter(name, sort)
            goal = substitute(value(m), step.changes) <= now
            yield (
                Obligation(Stage.STEP, step, m.name, (), goal, False, f"{step.name} does not raise {m.name}"),
                invariant,
                tuple(step.guards.items()),
            )


def _helps(model: Model, invariant: tuple[StagedConjunct, ...]) -> Iterator[Asked]:
    s = symbolic_state()
    some = reduce(lambda a, b: a | b, (situation.of(s) for situation in SITUATIONS), FALSE)
    yield (
        Obligation(Stage.PROMISE, None, "situation", (), some, False, "an increment is in one of the situations"),
        invariant,
        (),
    )
    for situation in SITUATIONS:
        never = [_never_helps(step) for step in model.steps if step.name in situation.steps]
        title = f"where {situation.name}, {' or '.join(c.name for c in never)} helps"
        here = (("the situation", situation.of(s)),)
        silent = tuple(replace(c, name=f"{c.name} does not help") for c in never)
        yield Obligation(Stage.PROMISE, None, "helps", (), FALSE, False, title), (*invariant, *silent), here


def _never_helps(step: StagedStep) -> StagedConjunct:
    truth = ~(step.enabled if step.name == GOAL else step.enabled & lowers(step))
    return StagedConjunct(step.name, step.parameters, truth, truth.leaves())


def _stays(model: Model, invariant: tuple[StagedConjunct, ...]) -> Iterator[Asked]:
    for step in model.steps:
        if step.name not in HELPFUL:
            continue
        helps = step.enabled & lowers(step)
        for second in map(other, model.steps):
            if second.name == GOAL or not (helps.leaves() & second.changes.keys()):
                continue
            later = all_of(guards_after(second, step).values()) & substitute(lowers(step), second.changes)
            if second.name == LOSING:
                later = later | _about_one_thing(step, second)
            title = f"{step.name} helps until the measure falls, also after {second.name}"
            yield (
                Obligation(Stage.STEP, step, "stays", second.parameters, later | lowers(second), False, title),
                invariant,
                (*both(step, second), ("it lowers the measure", lowers(step))),
            )
