"""What must be shown for the invariant to be one: each obligation is hypotheses and a goal, as terms.

    initial   each conjunct holds in the initial state;
    step      each step keeps each conjunct: all conjuncts and the step's guards imply the conjunct of the changed state;
    promise   the conjuncts imply SAFETY, and what PROGRESS and AVAILABILITY say of a state or of a step; what speaks of a
              step, together with that step's guards;
    service   what the promise comes to as a whole: every step is one of the service's, or nothing (`refinement`).

The changed state is not described, it is substituted, so a conjunct that a step does not touch is seen to be kept without
asking a solver: such an obligation is *evident*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mirrorspec.proofs.induction.conjunct import StagedConjunct
from mirrorspec.proofs.refinement import SERVICE, refinement
from mirrorspec.spec.model import Model, Parameters, StagedStep, after, substitute
from mirrorspec.spec.properties import PROPERTIES, Kind
from mirrorspec.spec.simplify import evident
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import TRUE, Truth

PROMISES = (Kind.SAFETY, Kind.PROGRESS, Kind.AVAILABILITY)
"""The kinds of property that are proved."""


class Stage(StrEnum):
    """The kinds of obligation."""

    INITIAL = "initial"
    STEP = "step"
    PROMISE = "promise"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing to show."""

    stage: Stage
    step: StagedStep | None
    """The step whose guards are hypotheses too."""
    claim: str
    """The conjunct or property."""
    parameters: Parameters
    """Those of the claim: it is to hold for every choice."""
    goal: Truth
    evident: bool
    title: str = ""
    """How it is called, where its stage does not say."""

    @property
    def name(self) -> str:
        """The obligation as it is printed and cited."""
        if self.title:
            return self.title
        if self.stage is Stage.INITIAL:
            return f"initially {self.claim}"
        if self.stage is Stage.STEP and self.step is not None:
            return f"{self.step.name} keeps {self.claim}"
        if self.stage is Stage.SERVICE:
            return f"{self.step.name} refines the service" if self.step else "initially the service"
        return f"{PROPERTIES[self.claim].kind} {self.claim}" + (f" across {self.step.name}" if self.step else "")


def of_initial_state(model: Model, invariant: tuple[StagedConjunct, ...]) -> Iterator[Obligation]:
    """Each conjunct holds initially."""
    for c in invariant:
        goal = substitute(c.truth, model.initial)
        yield Obligation(Stage.INITIAL, None, c.name, c.parameters, goal, goal is TRUE)


def of_step(step: StagedStep, invariant: tuple[StagedConjunct, ...]) -> Iterator[Obligation]:
    """The step keeps each conjunct."""
    touched = step.changes.keys()
    text = tuple((name, id(term)) for name, term in step.changes.items())
    for c in invariant:
        goal = c.truth
        if c.reads & touched:
            key = (id(goal), text)
            if key not in _goals:
                _goals[key] = substitute(goal, step.changes)
            goal = _goals[key]
        yield Obligation(Stage.STEP, step, c.name, c.parameters, goal, goal is c.truth or goal is TRUE)


_goals: dict[tuple[int, tuple[tuple[str, int], ...]], Truth] = {}
"""What became of a conjunct in a step: most steps are the same in many cases. Terms live on, so their ids stay theirs."""


def of_promises(model: Model) -> Iterator[Obligation]:
    """The conjuncts imply each promise of the model."""
    s = symbolic_state()
    for p in model.of_kind(*PROMISES):
        written = PROPERTIES[p.name]
        if not written.of_step:
            yield Obligation(Stage.PROMISE, None, p.name, p.parameters, p.of_state, p.of_state is TRUE)
            continue
        for step in model.steps:
            # Written out anew, so that what a guard makes certain is for the solver to say.
            goal = evident(written.truth(s, after(step.changes), model.configuration))
            yield Obligation(Stage.PROMISE, step, p.name, (), goal, goal is TRUE)


def of_service(model: Model) -> Iterator[Obligation]:
    """The model refines the service."""
    for step, goal in refinement(model):
        yield Obligation(Stage.SERVICE, step, SERVICE, (), goal, goal is TRUE)


def obligations(model: Model, invariant: tuple[StagedConjunct, ...]) -> Iterator[Obligation]:
    """Every obligation of the proof, in the order in which they are discharged."""
    yield from of_initial_state(model, invariant)
    for step in model.steps:
        yield from of_step(step, invariant)
    yield from of_promises(model)
    yield from of_service(model)
