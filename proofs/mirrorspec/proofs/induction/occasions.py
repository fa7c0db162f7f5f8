"""That the proof is not empty: the invariant leaves room for every step to happen, and for all that must happen sometimes.

For each step a small state of the invariant in which it is enabled, for each SOMETIMES one in which it holds, both confirmed
by the bits reading. Without this, an invariant that excludes what the protocol is for would be proved just as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mirrorspec.proofs.induction.cases import model_of
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.discharge import Formulas
from mirrorspec.proofs.induction.failure import Failure, smallest
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.obligations import Obligation, Stage
from mirrorspec.proofs.induction.plan import Question, Task
from mirrorspec.spec.properties import PROPERTIES, Kind
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import FALSE

NEVER = {
    "deliver_lingering": "a copy that lingers is older than what the secondary has seen, so it is refused for ever"
}
"""The steps that the protocol makes impossible, and how: they are there for the deviations that allow them."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A step or a SOMETIMES property, and a state of the invariant for it; None where no small one exists."""

    name: str
    state: Failure | None

    @property
    def good(self) -> bool:
        """Whether it is as it should be."""
        return (self.state is None) == (self.name in NEVER)


def occasions(given: Given, formulas: Formulas) -> Iterator[Occasion]:
    """The occasion for every step of a case, then for everything that must happen sometimes."""
    model, invariant, s = model_of(given), staged(given), symbolic_state()
    for step in model.steps:
        never = Obligation(Stage.STEP, step, "never happening", (), FALSE, False)
        task = Task(invariant, tuple(step.guards.items()))
        yield Occasion(step.name, smallest(task, Question(never, [given]), formulas, emptied=False))
    names = {step.name for step in model.steps}
    for p in PROPERTIES.values():
        if p.kind is Kind.SOMETIMES and (not p.needs_step or p.needs_step in names):
            never = Obligation(Stage.PROMISE, None, p.name, (), ~p.truth(s, s, given.options), False)
            yield Occasion(p.name, smallest(Task(invariant, ()), Question(never, [given]), formulas, emptied=False))
