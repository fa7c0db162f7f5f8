"""Does the symbols reading agree with the bits reading? Random states, every step, about random things.

The solver is told a finite universe and a state in formulas, and asked whether any guard or any changed field could differ from
what the bits reading says. The two readings share no code but the fold.
"""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import z3

from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.bits import BitsReading, Event
from mirrorspec.spec.readings.symbols import Symbols, Vocabulary, described, equal, pinned, things
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import field_table
from mirrorspec.spec.terms import Relation, SetTerm, Term, Truth, fold
from mirrorspec.spec.universe import Universe

UNIVERSE = Universe.of((((2, 1),), ((1,), (1,))), sessions=2)
VOCABULARY = Vocabulary()
FUNCTIONS = VOCABULARY.functions()


def random_state(draw: random.Random) -> dict[str, Any]:
    """Any state at all: each thing is in each set with the same odds, so that rare guards are met too."""
    state: dict[str, Any] = {}
    for name, f in field_table().items():
        odds = draw.choice((0.1, 0.5, 0.9))
        size = UNIVERSE.sizes[f.sort]
        word = [sum(1 << i for i in range(size) if draw.random() < odds) for _ in range(size if f.relation else 1)]
        state[name] = tuple(word) if f.relation else word[0]
    return state


def solver(state: dict[str, Any]) -> z3.Solver:
    """A solver that knows the universe and the state."""
    made = z3.Solver()
    made.set("timeout", 10_000)
    made.add(*pinned(VOCABULARY, UNIVERSE), *described(VOCABULARY, UNIVERSE, FUNCTIONS, state))
    return made


def agrees(term: Term, value: Any, memory: dict[int, Any]) -> Any:
    """That the term has in the symbols reading the value that it has in the bits reading."""
    there = things(VOCABULARY, UNIVERSE)
    symbol = fold(term, Symbols(VOCABULARY, FUNCTIONS), memory)
    if isinstance(term, Truth):
        same = symbol == bool(value)
    elif isinstance(term, SetTerm):
        same = z3.And([symbol.holds(c) == bool(value >> i & 1) for i, c in enumerate(there[term.sort])])
    else:
        assert isinstance(term, Relation)
        writes = there[Sort.WRITE]
        same = z3.And(
            [symbol(a, b) == bool(value[i] >> j & 1) for (i, a), (j, b) in product(enumerate(writes), repeat=2)]
        )
    return same


def about(event: Event) -> Any:
    """That the parameters are the event's things."""
    there = things(VOCABULARY, UNIVERSE)
    names = zip(event.step.parameters, event.things, strict=True)
    return z3.And([equal(VOCABULARY.thing(name, sort), there[sort][i]) for (name, sort), i in names])


def disagreements(model: Model, draw: random.Random) -> list[str]:
    """The events, one for each step, whose guards or changes differ in a random state."""
    reading = BitsReading(model, UNIVERSE)
    state = random_state(draw)
    ask = solver(state)
    events = {event.step.name: event for event in draw.sample(reading.events, len(reading.events))}
    claims = {}
    for name, event in events.items():
        refused = reading.refusals(event, state)
        after = reading.after(event, state)
        memory: dict[int, Any] = {}
        same = [agrees(g, n not in refused, memory) for n, g in event.step.guards.items()]
        same += [agrees(c, after[n], memory) for n, c in event.step.changes.items()]
        claims[name] = z3.Implies(about(event), z3.And(same))
    if ask.check(z3.Not(z3.And(list(claims.values())))) == z3.unsat:
        return []
    return [name for name, claim in claims.items() if ask.check(z3.Not(claim)) != z3.unsat]
