"""Can it happen? A failing induction shows a state that need not be reachable; the exhaustive search is asked whether one is.

At the size of the shown state, every reachable state is looked at for one in which the claim does not hold. Were the shown
state reachable, the step after it would lead to such a one: so where there is none, it is not reachable at this size. Where
there is one, the shortest way to it is given: the invariant is not merely too weak, the claim is false. Ghosts are among the
fields, since claims speak of them; so nothing is left out of the model, and the search is kept to a limit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import StrEnum

from mirrorspec.proofs.induction.cases import deviating, model_of
from mirrorspec.proofs.induction.failure import Failure
from mirrorspec.proofs.induction.plan import Question, Task
from mirrorspec.proofs.search import Progress, SearchResult, search
from mirrorspec.spec.model import Model, StagedProperty
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.universe import Universe
from mirrorspec.spec.verdict import Verdict

MOST_STATES = 2_000_000
MOST_SECONDS = 20.0


class Reachable(StrEnum):
    """What the search says of it."""

    YES = "yes"
    NO = "no"
    NOT_DECIDED = "not decided"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a state is reachable from which the obligation fails."""

    reachable: Reachable
    claim: str
    universe: Universe
    states: int
    labels: tuple[str, ...] = ()
    """The events after which the claim does not hold: no trace is shorter."""
    reason: str = ""
    """Why it is not decided."""

    def words(self) -> list[str]:
        """The answer as lines for people."""
        size = _size(self.universe)
        if self.reachable is Reachable.YES:
            steps = ", ".join(self.labels) or "nothing, initially"
            return [f"reachable: {self.claim} does not hold after {len(self.labels)} steps ({size}):", f"  {steps}"]
        if self.reachable is Reachable.NO:
            return [f"not reachable within these bounds: {self.claim} holds in all {self.states:,} states ({size})"]
        return [f"whether it is reachable is not decided: {self.reason} ({size})"]


class _TooLongError(Exception):
    """The time is over."""


def ask(
    failure: Failure,
    task: Task,
    question: Question,
    model: Model,
    *,
    most_states: int = MOST_STATES,
    most_seconds: float = MOST_SECONDS,
) -> Answer | None:
    """Whether the failure of a question of *model* can happen at its size; None where the claim is about something else."""
    claim = _claim(task, question, model)
    if claim is None:
        return None
    asked = replace(model, properties=(claim,))
    until = time.monotonic() + most_seconds
    seen = 0

    def within(progress: Progress) -> None:
        nonlocal seen
        seen = progress.states
        if time.monotonic() > until:
            raise _TooLongError

    try:
        result = search(asked, failure.universe, engine="batch", threads=1, max_states=most_states, progress=within)
    except _TooLongError:
        reason = f"the limit of {most_seconds:g} s was reached after {seen:,} states"
        return Answer(Reachable.NOT_DECIDED, claim.name, failure.universe, seen, reason=reason)
    return _answer(claim.name, failure.universe, result)


def of_case(failure: Failure, task: Task, question: Question, deviation: str | None) -> Answer | None:
    """The same, of the first case that has the question; *deviation* is what is done wrong in it."""
    model = model_of(question.cases[0]) if deviation is None else deviating(deviation)[1]
    return ask(failure, task, question, model)


def _answer(claim: str, universe: Universe, result: SearchResult) -> Answer:
    if result.verdict is Verdict.VIOLATED:
        return Answer(Reachable.YES, claim, universe, result.states, result.labels)
    if result.verdict is Verdict.EXHAUSTED:
        return Answer(Reachable.NO, claim, universe, result.states)
    reason = f"the limit of states was reached after {result.states:,} states and {result.depth} steps"
    return Answer(Reachable.NOT_DECIDED, claim, universe, result.states, reason=reason)


def _claim(task: Task, question: Question, model: Model) -> StagedProperty | None:
    name = question.obligation.claim
    for c in task.invariant:
        if c.name == name:
            return StagedProperty(name, Kind.SAFETY, c.parameters, c.truth, {})
    return next((p for p in model.properties if p.name == name), None)


def _size(universe: Universe) -> str:
    counts = ((universe.sizes[sort], str(sort)) for sort in Sort if sort is not Sort.CHANNEL)
    return ", ".join(f"{n} {name}{'s' if n != 1 else ''}" for n, name in counts)
