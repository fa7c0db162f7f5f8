"""Asking Z3: one solver a task, which learns the hypotheses once and is asked for one goal after another.

A goal is refuted in its negation; *unsat* means that it follows, at every size. Each answer comes with its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import z3

from mirrorspec.proofs.induction.conjunct import StagedConjunct
from mirrorspec.proofs.induction.obligations import Obligation
from mirrorspec.proofs.induction.plan import Question, Task
from mirrorspec.spec.readings.symbols import Formula, Symbols, Vocabulary
from mirrorspec.spec.terms import Truth, fold


class Answer(StrEnum):
    """What a solver says of an obligation."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


ANSWERS = {"unsat": Answer.PROVED, "sat": Answer.REFUTED, "unknown": Answer.UNKNOWN}
"""What it means that a solver says so of hypotheses and the negated goal."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a solver may think about one obligation, and the seed that its choices begin with."""

    seconds: float = 10.0
    seed: int = 0
    cores: bool = False
    """Whether to find out of each goal which hypotheses it needs."""


@dataclass(frozen=True, slots=True)
class Discharged:
    """A question with its answer, and the seconds that it took."""

    question: Question
    answer: Answer
    seconds: float
    reason: str = ""
    """Why a solver does not know."""
    core: tuple[str, ...] | None = None
    """The names of hypotheses that suffice, and of which none can be spared; None where they were not asked for."""

    @property
    def obligation(self) -> Obligation:
        """What was asked."""
        return self.question.obligation


class Formulas:
    """The terms of one state as formulas; shared terms are translated once."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self.functions = self.vocabulary.functions()
        self.algebra = Symbols(self.vocabulary, self.functions)
        self.memory: dict[int, Any] = {}
        self.assumptions = self.vocabulary.assumptions()

    def of(self, truth: Truth) -> Formula:
        """A truth about the state and whatever its parameters stand for."""
        return fold(truth, self.algebra, self.memory)

    def of_every(self, conjunct: StagedConjunct) -> Formula:
        """A conjunct, for every choice of its parameters."""
        bound = [part for name, sort in conjunct.parameters for part in self.vocabulary.thing(name, sort)]
        body = self.of(conjunct.truth)
        return z3.ForAll(bound, body) if bound else body

    def hypotheses(self, task: Task, only: Container[str] | None = None) -> dict[str, Formula]:
        """All that a task takes for granted, by name; or of it only what is named."""
        makers: dict[str, Callable[[], Formula]] = {
            **{f"assumption {name}": partial(_itself, formula) for name, formula in self.assumptions.items()},
            **{f"conjunct {c.name}": partial(self.of_every, c) for c in task.invariant},
            **{f"guard {name}": partial(self.of, guard) for name, guard in task.guards},
        }
        return {name: make() for name, make in makers.items() if only is None or name in only}


def _itself(formula: Formula) -> Formula:
    return formula


def discharge(task: Task, formulas: Formulas, limits: Limits) -> Iterator[Discharged]:
    """Each question of the task with its answer, in order."""
    solver = z3.Solver()
    solver.set("timeout", round(limits.seconds * 1000))
    solver.set("random_seed", limits.seed)
    hypotheses = formulas.hypotheses(task)
    marks = {z3.Bool(name): formula for name, formula in hypotheses.items()} if limits.cores else {}
    solver.add(*(z3.Implies(mark, formula) for mark, formula in marks.items()))
    if not limits.cores:
        solver.add(*hypotheses.values())
    for question in task.questions.values():
        began = time.perf_counter()
        solver.push()
        solver.add(z3.Not(formulas.of(question.obligation.goal)))
        said = solver.check(*marks)
        seconds = time.perf_counter() - began
        reason = solver.reason_unknown() if said == z3.unknown else ""
        core = _least(solver) if limits.cores and said == z3.unsat else None
        solver.pop()
        yield Discharged(question, ANSWERS[str(said)], seconds, reason, core)


def _least(solver: Any) -> tuple[str, ...]:
    """The marks of hypotheses that suffice: from those the solver used, each is left out where the rest will do."""
    core = list(solver.unsat_core())
    needed: list[Any] = []
    while core:
        spared = core.pop()
        if solver.check(*core, *needed) == z3.unsat:
            used = {str(mark) for mark in solver.unsat_core()}
            core = [mark for mark in core if str(mark) in used]
        else:
            needed.append(spared)
    return tuple(sorted(mark.decl().name() for mark in needed))
