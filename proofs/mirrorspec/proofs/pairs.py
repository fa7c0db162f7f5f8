"""Two steps, one after the other: as terms, so that their order can be reasoned about at every size.

Both may have a parameter of the same name, so those of the second are renamed (`other`). The state after two steps is had by
substitution, as that after one is: the second step's changes, spoken of the state after the first.
"""

from __future__ import annotations

from mirrorspec.spec.model import Parameters, StagedStep, substitute
from mirrorspec.spec.step import Changes, Guards
from mirrorspec.spec.terms import Term, Truth, parameter, rebuild

MARK = "other_"


def other(step: StagedStep) -> StagedStep:
    """The step about other things: each parameter has a name that no step has."""
    table: dict[int, Term] = {id(parameter(n, sort)): parameter(MARK + n, sort) for n, sort in step.parameters}
    parameters: Parameters = tuple((MARK + n, sort) for n, sort in step.parameters)
    guards: Guards = {n: rebuild(g, dict(table)) for n, g in step.guards.items()}
    changes: Changes = {n: rebuild(c, dict(table)) for n, c in step.changes.items()}
    return StagedStep(step.name, parameters, guards, changes)


def guards_after(first: StagedStep, second: StagedStep) -> Guards:
    """The guards of the second step in the state after the first."""
    return {name: substitute(guard, first.changes) for name, guard in second.guards.items()}


def changes_after(first: StagedStep, second: StagedStep) -> Changes:
    """What both steps change, the first before the second, in terms of the state before both."""
    return {**first.changes, **{name: substitute(term, first.changes) for name, term in second.changes.items()}}


def both(first: StagedStep, second: StagedStep) -> tuple[tuple[str, Truth], ...]:
    """The guards of both steps, each with a name of its own."""
    return (
        *((f"{first.name}.{name}", guard) for name, guard in first.guards.items()),
        *((f"then {second.name}.{name}", guard) for name, guard in second.guards.items()),
    )
