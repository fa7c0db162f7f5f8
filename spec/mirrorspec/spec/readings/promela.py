"""The reading as Promela: the same model, over the same universe, for SPIN, an independent engine.

Each field is a variable, each event one indivisible option of one loop: its guards, then its changes. SPIN must store
the same number of states as our own search; what liveness empties is part of a model's changes, and so is emptied here.
SPIN must be told (`-o2`) to keep variables that are only written: properties may read them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.bits import BitsReading, Event, choices
from mirrorspec.spec.readings.scalar import Scalar, Syntax, Value
from mirrorspec.spec.terms import fold
from mirrorspec.spec.universe import Universe

PROMELA = Syntax(both="({a} && {b})", either="({a} || {b})", negate="(!{a})", choose="({truth} -> {a} : {b})")

TYPES = ((8, "byte"), (15, "short"), (31, "int"))
"""Promela's integers, by the number of bits that are never negative."""


def emit(model: Model, universe: Universe, *, property: str | None = None) -> str:
    """The model as a Promela text; with *property*, an assertion of it (of a state, not of a step) is checked."""
    return "\n".join(_lines(model, universe, property)) + "\n"


def _lines(model: Model, universe: Universe, property: str | None) -> Iterator[str]:
    yield f"/* {model.configuration.name} in environment {model.environment.name}, tracks {universe.layout},"
    yield f"   sessions {universe.sessions}{f', deviation {model.deviation}' if model.deviation else ''}."
    yield "   spin -o2 -a; gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c; ./pan -m1000000 */"
    reading = BitsReading(model, universe)
    initial = reading.initial()
    variables = _variables(model, universe)
    for f in model.fields:
        for name, value in zip(_tuple(variables[f.name]), _tuple(initial[f.name]), strict=True):
            yield f"{_type(universe.sizes[f.sort])} {name} = {value}; /* {f.meaning} */"
    for f in model.fields:
        for name in _tuple(variables[f.name]):
            yield f"hidden {_type(universe.sizes[f.sort])} new_{name};"
    yield "active proctype mirrorspec() {"
    yield "end: do"
    for event in reading.events:
        yield from _event(event, universe, variables)
    if property is not None:
        yield f"  :: d_step {{ (!({_assertion(model, universe, property, variables)})) -> assert(false) }}"
    yield "  od"
    yield "}"


def _variables(model: Model, universe: Universe) -> dict[str, Value]:
    """The variable of each field, or of a relation the variables, one a row."""
    return {
        f.name: tuple(f"{f.name}_{i}" for i in range(universe.sizes[f.sort])) if f.relation else f.name
        for f in model.fields
    }


def _event(event: Event, universe: Universe, variables: dict[str, Value]) -> Iterator[str]:
    """An option of the loop: all new values first, each change only then, unless there is nothing that could read it."""
    algebra = Scalar(universe, variables.__getitem__, event.parameters, PROMELA)
    guards = [guard for guard in (fold(g, algebra) for g in event.step.guards.values()) if guard is not True]
    if False in guards:
        return
    changes = []
    for field, term in event.step.changes.items():
        for name, value in zip(_tuple(variables[field]), _tuple(fold(term, algebra)), strict=True):
            if value != name:
                changes.append((name, value))
    at_once = [(name, value) for name, value in changes if isinstance(value, int)]
    computed = [(name, value) for name, value in changes if not isinstance(value, int)]
    yield f"  :: d_step {{ /* {event.label(universe)} */"
    yield f"       ({' && '.join(guards) or 'true'}) ->"
    statements = [f"new_{name} = {value}" for name, value in computed]
    statements += [f"{name} = new_{name}" for name, _ in computed]
    statements += [f"{name} = {value}" for name, value in at_once]
    yield "       " + ";\n       ".join(statements or ["skip"]) + " }"


def _assertion(model: Model, universe: Universe, property: str, variables: dict[str, Value]) -> str:
    p = next(p for p in model.properties if p.name == property)
    if p.of_step:
        raise BadInputError(f"{property} speaks of steps; only a property of states can be asserted in Promela")
    truths = []
    for things in choices(p.parameters, universe):
        names = (name for name, _ in p.parameters)
        chosen = dict(zip(names, things, strict=True))
        truths.append(fold(p.of_state, Scalar(universe, variables.__getitem__, chosen, PROMELA)))
    return " && ".join("true" if t is True else "false" if t is False else t for t in truths)


def _tuple(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _type(things: int) -> str:
    for bits, name in TYPES:
        if things <= bits:
            return name
    raise BadInputError(f"a set of {things} things does not fit an integer of Promela; at most {TYPES[-1][0]} do")
