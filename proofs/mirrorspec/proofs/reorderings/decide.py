"""What becomes of each row of the table of reorderings: the obligations that decide it, or a state in which two orders differ.

A row with a counterexample is decided where the counterexamples are kept (`model_tests`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mirrorspec.proofs.induction.cases import cases, model_of
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.discharge import Answer, Formulas
from mirrorspec.proofs.induction.failure import Failure, smallest
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.obligations import Obligation, Stage
from mirrorspec.proofs.induction.plan import Question, Task
from mirrorspec.proofs.induction.prover import Line
from mirrorspec.proofs.pairs import both, guards_after, other
from mirrorspec.proofs.reorderings.exchange import WRITES, same_end, titles
from mirrorspec.spec.reordering import Altered, Either, Exchange, Pair, Reordering
from mirrorspec.spec.terms import all_of
from mirrorspec.spec.verdict import Verdict


def verdict(lines: Iterable[Line]) -> Verdict:
    """What the obligations of a row amount to: proved where there are any, and all are."""
    answers = {line.answer for line in lines}
    return Verdict.PROVED if answers == {Answer.PROVED} else Verdict.INCONCLUSIVE


def of_row(row: Reordering) -> Callable[[Line], bool]:
    """Which obligations decide the row: those of its pairs, or those of the altered protocol."""
    if isinstance(row.decision, Exchange):
        named = {title for pair in row.decision.pairs for title in titles(pair, row.decision.apart)}
        return lambda line: line.name in named
    if isinstance(row.decision, Altered):
        begins = f"{row.decision.name}: "
        return lambda line: any(case.startswith(begins) for case in line.cases)
    raise TypeError(f"no obligation decides {row.name}")


def chosen(option: str) -> tuple[Given, ...]:
    """The cases of the proof with that option; none means that it is not proved."""
    return tuple(
        given
        for given in cases()
        if option in (given.options.hold, given.options.collision, given.options.switch) and given.options.hardened
    )


def conflict(pair: Pair, given: Given, formulas: Formulas) -> Failure | None:
    """The smallest state of the invariant in which both steps can be taken and their order makes a difference.

    The bits reading has confirmed it. None where no small state is one.
    """
    steps = {step.name: step for step in model_of(given).steps}
    first, second = steps[pair[0]], other(steps[pair[1]])
    follows = all_of((*guards_after(first, second).values(), *guards_after(second, first).values()))
    parameters = (*second.parameters, *WRITES)
    goal = follows & same_end(first, second)
    asked = Obligation(Stage.STEP, first, "order", parameters, goal, False, f"{pair[0]} and {pair[1]} in either order")
    task = Task(staged(given), both(first, second))
    return smallest(task, Question(asked, [given]), formulas, emptied=False)


def both_orders(decision: Either, given: Given, formulas: Formulas) -> tuple[Failure | None, ...]:
    """For each pair the state in which its order makes a difference."""
    return tuple(conflict(pair, given, formulas) for pair in decision.pairs)
