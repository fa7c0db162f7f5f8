"""The whole proof as a list of tasks, each distinct question once.

Terms that are equal are the same object. So where two cases have a step, its goal and the invariant in common, that is seen
at once, and the solver is asked a single time: most steps do not depend on the options at all. A task is what one solver
does: it learns the hypotheses and is asked for the goals.
"""

from __future__ import annotations

from collections.abc import Iterable
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


def plan(models: Iterable[tuple[Given, Model, tuple[StagedConjunct, ...]]]) -> Plan:
    """The tasks of the proof over all *models*."""
    tasks: dict[tuple[object, ...], Task] = {}
    made = Plan((), [], 0, 0, 0)
    for given, model, invariant in models:
        made.cases += (given.name,)
        made.conjuncts = max(made.conjuncts, len(invariant))
        for obligation in obligations(model, invariant):
            made.obligations += 1
            if obligation.evident:
                made.evident += 1
                continue
            task = _task(tasks, obligation, invariant)
            key = (obligation.name, id(obligation.goal))
            task.questions.setdefault(key, Question(obligation, [])).cases.append(given)
    made.tasks = list(tasks.values())
    return made


def _task(tasks: dict[tuple[object, ...], Task], obligation: Obligation, invariant: tuple[StagedConjunct, ...]) -> Task:
    known = () if obligation.stage is Stage.INITIAL else invariant
    step = obligation.step
    guards = tuple(step.guards.items()) if step else ()
    key = (
        step.name if step else "",
        tuple((c.name, id(c.truth)) for c in known),
        tuple((name, id(guard)) for name, guard in guards),
    )
    return tasks.setdefault(key, Task(known, guards))
