"""A failing induction made small: the least state that meets the invariant, and the step out of it after which a claim fails.

It is *not necessarily reachable*: the invariant may be too weak to exclude it. Universes are tried from the smallest, then
every field that can be empty is made empty. What the solver found is run again in the bits reading, and is only believed
when that reading agrees: the invariant holds, the step is enabled, the goal is false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import z3

from mirrorspec.proofs.induction.discharge import Formulas
from mirrorspec.proofs.induction.plan import Question, Task
from mirrorspec.spec.readings.bits import Bits, choices
from mirrorspec.spec.readings.symbols import equal, found, pinned, things
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import field_table
from mirrorspec.spec.terms import Term, fold
from mirrorspec.spec.universe import Layout, Universe
from mirrorspec.spec.witness import witnesses

LAYOUTS: tuple[Layout, ...] = (
    (((1,),),),
    (((2,),),),
    (((1, 1),),),
    (((1,), (1,)),),
    (((1,),), ((1,),)),
    (((2,),), ((1,),)),
    (((2,),), ((2,),)),
    (((1,),), ((1,),), ((1,),)),
)
"""From the smallest; every failure met so far shows in one of them."""
MOST_SESSIONS = 3
SECONDS_EACH = 5.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A state, and a step out of it, at which an obligation fails."""

    obligation: str
    universe: Universe
    state: Mapping[str, Any]
    event: str
    after: Mapping[str, Any]
    claim: str
    why: tuple[str, ...]

    def words(self) -> list[str]:
        """The failure as lines for people; empty fields of the state are left out."""
        shown = [f"  {name} = {_names(self.universe, name, v)}" for name, v in self.state.items() if _filled(v)]
        changed = [
            f"  {name}: {_names(self.universe, name, v)} becomes {_names(self.universe, name, self.after[name])}"
            for name, v in self.state.items()
            if v != self.after[name]
        ]
        why = [f"  it {reason}" for reason in self.why]
        if not self.event:
            return [f"{self.obligation}: the invariant allows this state, reachable or not", *shown, *why]
        return [
            f"{self.obligation}: the invariant allows this state, reachable or not",
            *shown,
            f"then {self.event}",
            *changed,
            f"and {self.claim} fails",
            *why,
        ]


def smallest(task: Task, question: Question, formulas: Formulas, *, emptied: bool = True) -> Failure | None:
    """The smallest failure of a refuted question; None where no universe that is tried has one.

    Unless *emptied*, the state is as the solver gives it, which is quicker.
    """
    for universe in _universes():
        solver = z3.Solver()
        solver.set("timeout", round(SECONDS_EACH * 1000))
        solver.add(*pinned(formulas.vocabulary, universe), *formulas.hypotheses(task).values())
        solver.add(z3.Not(formulas.of(question.obligation.goal)))
        solver.add(*_among(_parameters(question), formulas, universe))
        if solver.check() == z3.sat:
            if emptied:
                _empty(solver, formulas, universe)
            return _confirmed(task, question, universe, *_read(solver, question, formulas, universe))
    return None


def _universes() -> Iterator[Universe]:
    for sessions in range(1, MOST_SESSIONS + 1):
        for layout in LAYOUTS:
            yield Universe.of(layout, sessions)


def _parameters(question: Question) -> dict[str, Sort]:
    step = question.obligation.step
    return dict((*(step.parameters if step else ()), *question.obligation.parameters))


def _among(parameters: Mapping[str, Sort], formulas: Formulas, universe: Universe) -> list[Any]:
    """That each parameter is one of the universe's things: also a channel, which is a pair and has no sort of its own."""
    there = things(formulas.vocabulary, universe)
    return [
        z3.Or(*(equal(formulas.vocabulary.thing(name, sort), thing) for thing in there[sort]))
        for name, sort in parameters.items()
    ]


def _empty(solver: Any, formulas: Formulas, universe: Universe) -> None:
    """Have every field empty that can be."""
    there = things(formulas.vocabulary, universe)
    for name, function in formulas.functions.items():
        field = field_table()[name]
        each = there[field.sort]
        solver.push()
        solver.add(
            *(z3.Not(function(*x)) for x in ([(*a, *b) for a in each for b in each] if field.relation else each))
        )
        if solver.check() != z3.sat:
            solver.pop()
    solver.check()


def _read(
    solver: Any, question: Question, formulas: Formulas, universe: Universe
) -> tuple[dict[str, Any], dict[str, int]]:
    """The state and the choice of parameters that the solver has found."""
    there = things(formulas.vocabulary, universe)
    model = solver.model()
    chosen = {
        name: next(
            i
            for i, thing in enumerate(there[sort])
            if z3.is_true(model.eval(equal(formulas.vocabulary.thing(name, sort), thing), model_completion=True))
        )
        for name, sort in _parameters(question).items()
    }
    return found(model, formulas.vocabulary, universe, formulas.functions), chosen


def _confirmed(
    task: Task, question: Question, universe: Universe, state: dict[str, Any], chosen: dict[str, int]
) -> Failure:
    """The failure, once the bits reading has agreed to all of it."""

    def value(term: Term, about: Mapping[str, int]) -> Any:
        return fold(term, Bits(universe, state, about))

    obligation = question.obligation
    for c in task.invariant:
        for choice in choices(c.parameters, universe):
            if not value(c.truth, dict(zip((n for n, _ in c.parameters), choice, strict=True))):
                raise AssertionError(f"the readings disagree about {c.name}")
    wrong = [name for name, guard in task.guards if not value(guard, chosen)]
    if wrong or value(obligation.goal, chosen):
        raise AssertionError(f"the readings disagree about {obligation.name}: {wrong or 'the goal'}")
    step = obligation.step
    after = dict(state)
    event = ""
    if step is not None:
        after |= {name: value(term, chosen) for name, term in step.changes.items()}
        names = (universe.name(sort, chosen[n]) for n, sort in step.parameters)
        event = f"{step.name}({', '.join(names)})"
    why = tuple(w.words(universe) for w in witnesses(obligation.goal, universe, state, chosen))
    return Failure(obligation.name, universe, state, event, after, obligation.claim, why)


def _filled(value: Any) -> bool:
    return any(value) if isinstance(value, tuple) else bool(value)


def _names(universe: Universe, name: str, value: Any) -> str:
    sort = field_table()[name].sort
    if isinstance(value, tuple):
        rows = [f"{universe.name(sort, w)} needs {_set(universe, sort, row)}" for w, row in enumerate(value) if row]
        return "; ".join(rows) or "nothing"
    return _set(universe, sort, value)


def _set(universe: Universe, sort: Sort, word: int) -> str:
    return " ".join(universe.name(sort, i) for i in range(universe.sizes[sort]) if word >> i & 1) or "nothing"
