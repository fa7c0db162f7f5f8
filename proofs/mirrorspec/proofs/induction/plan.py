"""The whole proof as a list of tasks, each distinct question once.

Terms that are equal are the same object. So where two cases have a step, its goal and the invariant in common, that is seen
at once, and the solver is asked a single time: most steps do not depend on the options at all. A task is what one solver
does: it learns the hypotheses and is asked for the goals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mirrorspec.proofs.induction.conjunct import Given, StagedConjunct
from mirrorspec.proofs.induction.obligations import Obligation, Stage, obligations
from mirrorspec.spec.model import Model
from mirrorspec.spec.terms import Truth


@dataclass(slots=True)
class Question:
    """An obligation, and the cases that have it."""

    obligation: Obligation
    cases: list[Given]


@dataclass(slots=True)
class Task:
    """The questions with the same hypotheses: none for the initial state, else the invariant and perhaps a step's guards."""

    invariant: tuple[StagedConjunct, ...]
    guards: tuple[tuple[str, Truth], ...]
    questions: dict[tuple[str, int], Question] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """All tasks, and how many obligations they and what is evident amount to."""

    cases: tuple[str, ...]
    tasks: list[Task]
    conjuncts: int
    """So many are there in the case that has most."""
    obligations: int
    evident: int

    @property
    def distinct(self) -> int:
        """So many questions are left for a solver."""
        return sum(len(task.questions) for task in self.tasks)

    def question(self, place: tuple[int, int]) -> Question:
        """The question of that place: the number of its task, and its own in the task."""
        task, question = place
        return list(self.tasks[task].questions.values())[question]


Asked = tuple[Obligation, tuple[StagedConjunct, ...], tuple[tuple[str, Truth], ...]]
"""An obligation with its hypotheses: conjuncts, and guards by name."""


def plan(models: Iterable[tuple[Given, Model, tuple[StagedConjunct, ...]]]) -> Plan:
    """The tasks of the proof of the promises over all *models*."""
    return collected((given, len(invariant), promises(model, invariant)) for given, model, invariant in models)


def promises(model: Model, invariant: tuple[StagedConjunct, ...]) -> Iterator[Asked]:
    """All that is to be asked of one case for its promises."""
    for obligation in obligations(model, invariant):
        known = () if obligation.stage is Stage.INITIAL else invariant
        yield obligation, known, tuple(obligation.step.guards.items()) if obligation.step else ()


def collected(cases: Iterable[tuple[Given, int, Iterable[Asked]]]) -> Plan:
    """The tasks of all cases, each with the number of its conjuncts and what is to be asked of it."""
    tasks: dict[tuple[object, ...], Task] = {}
    made = Plan((), [], 0, 0, 0)
    for given, conjuncts, asked in cases:
        made.cases += (given.name,)
        made.conjuncts = max(made.conjuncts, conjuncts)
        for obligation, known, guards in asked:
            made.obligations += 1
            if obligation.evident:
                made.evident += 1
                continue
            task = _task(tasks, obligation, known, guards)
            key = (obligation.name, id(obligation.goal))
            task.questions.setdefault(key, Question(obligation, [])).cases.append(given)
    made.tasks = list(tasks.values())
    return made


def _task(
    tasks: dict[tuple[object, ...], Task],
    obligation: Obligation,
    known: tuple[StagedConjunct, ...],
    guards: tuple[tuple[str, Truth], ...],
) -> Task:
    key = (
        obligation.step.name if obligation.step else "",
        tuple((c.name, id(c.truth)) for c in known),
        tuple((name, id(guard)) for name, guard in guards),
    )
    return tasks.setdefault(key, Task(known, guards))
