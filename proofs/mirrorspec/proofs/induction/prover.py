"""The proof as a run: a scope, made into a plan, discharged on several cores, one line after another.

What crosses from one process to another is what is wanted, which is a few names, the number of a task, and the lines that
come of it: every process makes the plan for itself, and the same scope always gives the same plan.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mirrorspec.proofs import completion
from mirrorspec.proofs.induction.cases import cases, deviating, model_of, named
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.discharge import Answer, Discharged, Formulas, Limits, discharge
from mirrorspec.proofs.induction.failure import Failure, smallest
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.plan import Plan, collected, plan
from mirrorspec.proofs.induction.smtlib import file_name, script
from mirrorspec.proofs.reorderings import altered, amended, exchange
from mirrorspec.proofs.workers import spread

if TYPE_CHECKING:
    from mirrorspec.proofs.induction.second import Second


class Subject(StrEnum):
    """What is shown of the protocol."""

    PROMISES = "promises"
    """That it keeps its promises, whatever fails."""
    COMPLETION = "completion"
    """That every increment completes where nobody gives up."""
    REORDERINGS = "reorderings"
    """That the orders which are called safe are (`spec.reorderings`)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be proved: by default every case; else one configuration, or the protocol with one thing done wrong."""

    configuration: str | None = None
    deviation: str | None = None
    subject: Subject = Subject.PROMISES


class Solvers(StrEnum):
    """Whose answer counts."""

    Z3 = "z3"
    CVC5 = "cvc5"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to do."""

    scope: Scope = Scope()
    limits: Limits = Limits()
    solvers: Solvers = Solvers.Z3
    folder: str | None = None
    """Where each obligation is written, and with cvc5 its proof."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one distinct obligation."""

    name: str
    cases: tuple[str, ...]
    answer: Answer
    """The upshot: where two solvers are asked, both must have proved it."""
    seconds: float
    """How long Z3 took."""
    reason: str
    """Why the upshot is not known."""
    seed: int
    place: tuple[int, int]
    """The number of its task in the plan, and its own in the task."""
    core: tuple[str, ...] | None = None
    """The hypotheses that it needs, where they were asked for."""
    first: Answer = Answer.UNKNOWN
    """What Z3 says."""
    second: Second | None = None
    """What cvc5 says, where it was asked; its proof is in the folder."""
    file: str = ""
    """The name of the file that the obligation was written to, and of its proof but for the ending."""


def chosen(scope: Scope) -> tuple[Given, ...]:
    """The cases of a scope, deviations apart. Raises `BadInputError` for a name that does not exist."""
    return cases() if scope.configuration is None else (named(scope.configuration),)


@cache
def planned(scope: Scope) -> Plan:
    """The plan of a scope. Raises `BadInputError` for a name that does not exist."""
    if scope.deviation is not None:
        given, model = deviating(scope.deviation)
        return plan([(given, model, amended.invariant(scope.deviation, given))])
    wanted = {given.options.name for given in chosen(scope)}
    if scope.subject is Subject.COMPLETION:
        return collected(
            (given, len(completion.known(given)), completion.asked(given))
            for given in completion.givens()
            if given.options.name in wanted
        )
    if scope.subject is Subject.REORDERINGS:
        pairs = ((given, len(staged(given)), exchange.asked(given)) for given in chosen(scope))
        return collected((*pairs, *(case for name in wanted for case in altered.of(name))))
    return plan((given, model_of(given), staged(given)) for given in chosen(scope))


@cache
def formulas() -> Formulas:
    """The formulas of this process."""
    return Formulas()


def lines(wanted: Wanted, task: int) -> list[Line]:
    """What becomes of each obligation of one task."""
    done = discharge(planned(wanted.scope).tasks[task], formulas(), wanted.limits)
    return [_line(wanted, (task, i), d) for i, d in enumerate(done)]


def _line(wanted: Wanted, place: tuple[int, int], d: Discharged) -> Line:
    line = Line(
        d.obligation.name,
        tuple(given.name for given in d.question.cases),
        d.answer,
        d.seconds,
        d.reason,
        wanted.limits.seed,
        place,
        d.core,
        d.answer,
    )
    if wanted.solvers is Solvers.Z3 and wanted.folder is None:
        return line
    text = script(planned(wanted.scope).tasks[place[0]], d.question, d.answer, d.core)
    if wanted.folder is not None:
        line = replace(line, file=file_name(place, d.question))
        (Path(wanted.folder) / f"{line.file}.smt2").write_text(text, encoding="utf-8")
    if wanted.solvers is Solvers.Z3:
        return line
    from mirrorspec.proofs.induction.second import ask

    second = ask(text, wanted.limits.seconds, prove=wanted.folder is not None)
    if wanted.folder is not None and second.proof:
        (Path(wanted.folder) / f"{line.file}.cpc").write_text(second.proof, encoding="utf-8")
    answer, reason = _upshot(wanted.solvers, d.answer, second.answer)
    return replace(line, answer=answer, reason=reason or d.reason, second=replace(second, proof=""))


def _upshot(solvers: Solvers, first: Answer, second: Answer) -> tuple[Answer, str]:
    """What two answers amount to, and why it is not known where they differ."""
    if solvers is Solvers.CVC5:
        return second, "" if second is not Answer.UNKNOWN else "cvc5 does not know"
    if first is second:
        return first, ""
    return Answer.UNKNOWN, f"z3: {first}, cvc5: {second}"


def explained(scope: Scope, line: Line) -> Failure | None:
    """The smallest failure of a refuted line; None where none is small."""
    whole = planned(scope)
    return smallest(whole.tasks[line.place[0]], whole.question(line.place), formulas())


def prove(wanted: Wanted, seeds: int = 1, jobs: int = 1) -> Generator[Line, None, None]:
    """Every distinct obligation of the scope with its answer, in the order of the plan, once for each of so many seeds."""
    tasks = range(len(planned(wanted.scope).tasks))
    for seed in range(wanted.limits.seed, wanted.limits.seed + seeds):
        seeded = replace(wanted, limits=replace(wanted.limits, seed=seed))
        with closing(spread(partial(lines, seeded), tasks, jobs)) as work:
            for found in work:
                yield from found
