"""The checks of the main job that ask a solver: the proof and what carries it, completion, reorderings, the symbols reading.

Imported only where Z3 is installed (`rows.needing`).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

from mirrorspec.model_tests import catalogue, mutants
from mirrorspec.model_tests.rows import LEFT_OUT, Report, Row, installed
from mirrorspec.model_tests.symbols_agreement import disagreements
from mirrorspec.proofs.induction.cases import named
from mirrorspec.proofs.induction.cores import idle_conjuncts
from mirrorspec.proofs.induction.discharge import Answer, Limits
from mirrorspec.proofs.induction.plan import Plan
from mirrorspec.proofs.induction.prover import Line, Scope, Solvers, Subject, Wanted, formulas, planned, prove
from mirrorspec.proofs.induction.report import summary
from mirrorspec.proofs.mutation.table import outcomes, score, subjects
from mirrorspec.proofs.reorderings.decide import both_orders, chosen, of_row, verdict
from mirrorspec.spec.configuration import HARDENED, SEED
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.model import build
from mirrorspec.spec.reordering import Altered, Choice, Either, Exchange, Reordering, Wrong
from mirrorspec.spec.reorderings import REORDERINGS
from mirrorspec.spec.verdict import Verdict

TIMEOUT_SECONDS = 10.0
"""For one obligation."""
SYMBOL_STATES, SAMPLE_SEED = 3, 20260000
ALL_NEEDED = "every conjunct is needed"
AGREES = "agrees on every one"
NONE_OPEN = "none is open"


def proof(full: bool, report: Report) -> Iterator[Row]:
    """The induction, for every safe variant and any number of everything; what it rests on; and a second solver's answers."""
    second = installed("cvc5")
    began = time.monotonic()
    plan, lines = _run(Subject.PROMISES, Solvers.BOTH if second else Solvers.Z3, report)
    seconds = time.monotonic() - began
    yield from _failed(lines)
    yield _whole("proof", plan, lines, seconds)
    idle = idle_conjuncts(plan, lines)
    got = f"nothing needs {', '.join(idle)}" if idle else ALL_NEEDED
    figures = f"cores of {sum(line.core is not None for line in lines):,} obligations"
    yield Row("cores", f"{len(plan.cases)} cases", ALL_NEEDED, got, figures, 0.0)
    if not second:
        yield Row("cvc5", f"{len(plan.cases)} cases", AGREES, LEFT_OUT, "the Python package cvc5 is not installed", 0.0)
        return
    said = [line.second for line in lines if line.second is not None]
    differs = [line.name for line in lines if line.second is None or line.second.answer is not line.first]
    got = f"differs: {', '.join(differs)}" if differs else AGREES
    figures = f"{len(said):,} obligations, slowest {max((s.seconds for s in said), default=0.0):.2f} s"
    yield Row("cvc5", f"{len(plan.cases)} cases", AGREES, got, figures, sum(s.seconds for s in said))


def completes(full: bool, report: Report) -> Iterator[Row]:
    """Where nobody gives up, every increment completes."""
    began = time.monotonic()
    plan, lines = _run(Subject.COMPLETION, Solvers.BOTH if full and installed("cvc5") else Solvers.Z3, report)
    yield from _failed(lines)
    yield _whole("completion", plan, lines, time.monotonic() - began)


def reorderings(full: bool, report: Report) -> Iterator[Row]:
    """Every row of the table of reorderings, decided."""
    began = time.monotonic()
    plan, lines = _run(Subject.REORDERINGS, Solvers.BOTH if full and installed("cvc5") else Solvers.Z3, report)
    yield from _failed(lines)
    yield _whole("orders", plan, lines, time.monotonic() - began)
    for row in REORDERINGS.values():
        began = time.monotonic()
        got, figures = _decided(row, lines)
        expected = Verdict.PROVED if row.safe else Verdict.VIOLATED
        yield Row("reordering", row.name, expected, got, figures, time.monotonic() - began)


def symbols(full: bool, report: Report) -> Iterator[Row]:
    """The symbols reading agrees with the bits reading on random states."""
    for options in (SEED, HARDENED):
        began = time.monotonic()
        report(f"symbols of {options.name}")
        model = build(options, ENVIRONMENTS["all"], complete=True)
        draw = random.Random(SAMPLE_SEED)
        rounds = SYMBOL_STATES * (10 if full else 1)
        wrong = [name for _ in range(rounds) for name in disagreements(model, draw)]
        got = f"differs: {', '.join(sorted(set(wrong)))}" if wrong else str(Verdict.NOTHING_FOUND)
        figures = f"bits and symbols, every step in {rounds} states, seed {SAMPLE_SEED}"
        yield Row("readings", options.name, Verdict.NOTHING_FOUND, got, figures, time.monotonic() - began)


def _run(subject: Subject, solvers: Solvers, report: Report) -> tuple[Plan, list[Line]]:
    scope = Scope(subject=subject)
    cores = subject is Subject.PROMISES or solvers is not Solvers.Z3
    wanted = Wanted(scope, Limits(TIMEOUT_SECONDS, cores=cores), solvers)
    plan, lines = planned(scope), list[Line]()
    for line in prove(wanted, jobs=os.cpu_count() or 1):
        lines.append(line)
        report(f"{subject}: {len(lines)} of {plan.distinct} obligations")
    return plan, lines


def _failed(lines: list[Line]) -> Iterator[Row]:
    for line in lines:
        if line.answer is not Answer.PROVED:
            yield Row("obligation", line.name, Verdict.PROVED, line.answer, ", ".join(line.cases), line.seconds)


def _whole(check: str, plan: Plan, lines: list[Line], seconds: float) -> Row:
    found = summary(plan, lines)
    figures = f"{found.conjuncts} conjuncts, {found.obligations:,} obligations, {found.asked:,} asked of the solver"
    return Row(check, f"{len(found.cases)} cases", Verdict.PROVED, found.verdict, figures, seconds)


def _decided(row: Reordering, lines: list[Line]) -> tuple[str, str]:
    """The verdict on a row, and what it rests on."""
    match row.decision:
        case Exchange() | Altered():
            mine = [line for line in lines if of_row(row)(line)]
            return verdict(mine), f"{len(mine)} obligations"
        case Either() as either:
            states = both_orders(either, named(HARDENED.name), formulas())
            met = [" and ".join(pair) for pair, state in zip(either.pairs, states, strict=True) if state is not None]
            got = Verdict.PROVED if len(met) == len(states) else Verdict.INCONCLUSIVE
            return got, f"the proof has both orders of {', '.join(met) or 'nothing'}"
        case Choice() as choice:
            counts = {option: len(chosen(option)) for option in choice.options}
            got = Verdict.PROVED if all(counts.values()) else Verdict.INCONCLUSIVE
            return got, "in the proof: " + ", ".join(f"{option} in {n} cases" for option, n in counts.items())
        case Wrong() as wrong:
            return _violated(wrong)


def _violated(wrong: Wrong) -> tuple[str, str]:
    figures = []
    for name in wrong.cases:
        try:
            found = catalogue.counterexample(catalogue.cases()[name])
        except BadInputError as error:
            return str(error), name
        figures.append(f"{name}: {found.property}, {len(found.labels)} steps")
    return Verdict.VIOLATED if figures else Verdict.INCONCLUSIVE, "; ".join(figures)


def mutation(full: bool, report: Report) -> Iterator[Row]:
    """The mutation table: its stored traces replayed, or with *full* every mutant judged anew."""
    began = time.monotonic()
    if full:
        wanted = subjects()
        found = []
        for outcome in outcomes(wanted, os.cpu_count() or 1):
            found.append(outcome)
            report(f"mutants: {len(found)} of {len(wanted)}")
        stale: list[str] = []
    else:
        report("mutants")
        found, stale = list(mutants.stored()), mutants.stale()
    total = score(found)
    wrong = [*total.open, *total.stale, *stale]
    got = f"open: {', '.join(dict.fromkeys(wrong))}" if wrong else NONE_OPEN
    figures = f"{total.caught} caught, {total.harmless} harmless" + ("" if full else "; traces replayed")
    yield Row("mutants anew" if full else "mutants", f"{len(found)}", NONE_OPEN, got, figures, time.monotonic() - began)
