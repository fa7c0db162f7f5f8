"""Every guard and every changed field of every step, left out in turn: where does the induction fail?

A mutant that keeps every conjunct and every promise is *harmless*: what was left out is not needed for them, in any case and
at any size. One at which the induction fails is *suspected*: whether it does harm is for a search to say. Only the mutated
step is proved anew, the others are as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from mirrorspec.proofs.induction.cases import model_of
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.plan import plan
from mirrorspec.spec.model import StagedStep


class Part(StrEnum):
    """What is left out of a step."""

    GUARD = "guard"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One guard, or one changed field, left out."""

    step: str
    part: Part
    of_step: str
    """The guard or the field, by its name in the step."""

    @property
    def name(self) -> str:
        """The mutant as it is printed and cited: what is left out of what."""
        return f"{self.step} without {self.part} {self.of_step}"

    def of(self, step: StagedStep) -> StagedStep | None:
        """The step with this left out; None where it is another step, or has no such part."""
        parts = step.guards if self.part is Part.GUARD else step.changes
        if step.name != self.step or self.of_step not in parts:
            return None
        less = {name: term for name, term in parts.items() if name != self.of_step}
        return replace(step, **{"guards" if self.part is Part.GUARD else "changes": less})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mutant: the obligations that were not proved, each with the cases in which it was not."""

    mutant: Mutant
    failed: dict[str, tuple[str, ...]]

    @property
    def harmless(self) -> bool:
        """Whether every promise is proved without what was left out."""
        return not self.failed


def mutants(givens: Iterable[Given]) -> tuple[Mutant, ...]:
    """Every mutant of every step that any of the cases has, in reading order."""
    found: dict[Mutant, None] = {}
    for given in givens:
        for step in model_of(given).steps:
            found |= dict.fromkeys(Mutant(step.name, Part.GUARD, name) for name in step.guards)
            found |= dict.fromkeys(Mutant(step.name, Part.CHANGE, name) for name in step.changes)
    return tuple(found)


def fates(givens: tuple[Given, ...], chosen: Iterable[Mutant], formulas: Formulas, limits: Limits) -> Iterator[Fate]:
    """What becomes of each mutant in all of the cases together."""
    known = [(given, model_of(given), staged(given)) for given in givens]
    for mutant in chosen:
        mutated = [
            (given, replace(model, steps=(changed,)), invariant)
            for given, model, invariant in known
            for step in model.steps
            if (changed := mutant.of(step)) is not None
        ]
        failed: dict[str, tuple[str, ...]] = {}
        for task in plan(mutated).tasks:
            if any(question.obligation.step is not None for question in task.questions.values()):
                for d in discharge(task, formulas, limits):
                    if d.answer is not Answer.PROVED:
                        name = d.obligation.name
                        failed[name] = (*failed.get(name, ()), *(given.name for given in d.question.cases))
        yield Fate(mutant, failed)
