"""The proof as a run: a scope, made into a plan, discharged on several cores, one line after another.

What crosses from one process to another is the scope, which is a few names, the number of a task, and the lines that come
of it: every process makes the plan for itself, and the same scope always gives the same plan.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

from mirrorspec.proofs.induction.cases import cases, deviating, model_of, named
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.failure import Failure, smallest
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.plan import Plan, plan


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be proved: by default every case; else one configuration, or the protocol with one thing done wrong."""

    configuration: str | None = None
    deviation: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one distinct obligation."""

    name: str
    cases: tuple[str, ...]
    answer: Answer
    seconds: float
    reason: str
    seed: int
    place: tuple[int, int]
    """The number of its task in the plan, and its own in the task."""
    core: tuple[str, ...] | None
    """The hypotheses that it needs, where they were asked for."""


@cache
def planned(scope: Scope) -> Plan:
    """The plan of a scope. Raises `BadInputError` for a name that does not exist."""
    if scope.deviation is not None:
        given, model = deviating(scope.deviation)
        return plan([(given, model, staged(given))])
    chosen = cases() if scope.configuration is None else (named(scope.configuration),)
    return plan((given, model_of(given), staged(given)) for given in chosen)


@cache
def formulas() -> Formulas:
    """The formulas of this process."""
    return Formulas()


def lines(scope: Scope, limits: Limits, task: int) -> list[Line]:
    """What becomes of each obligation of one task."""
    return [
        Line(
            d.obligation.name,
            tuple(given.name for given in d.question.cases),
            d.answer,
            d.seconds,
            d.reason,
            limits.seed,
            (task, i),
            d.core,
        )
        for i, d in enumerate(discharge(planned(scope).tasks[task], formulas(), limits))
    ]


def explained(scope: Scope, line: Line) -> Failure | None:
    """The smallest failure of a refuted line; None where none is small."""
    plan = planned(scope)
    return smallest(plan.tasks[line.place[0]], plan.question(line.place), formulas())


def prove(scope: Scope, limits: Limits, seeds: int = 1, jobs: int = 1) -> Iterator[Line]:
    """Every distinct obligation of the scope with its answer, in the order of the plan, once for each of so many seeds."""
    work = [
        (scope, replace(limits, seed=limits.seed + i), task)
        for i in range(seeds)
        for task in range(len(planned(scope).tasks))
    ]
    if jobs == 1:
        for scope_, limits_, task in work:
            yield from lines(scope_, limits_, task)
        return
    # A fresh interpreter and not a fork: the caller may have threads, and a solver's state is not to be shared.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            for found in pool.map(lines, *zip(*work, strict=True)):
                yield from found
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
