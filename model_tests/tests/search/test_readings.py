"""One term, one value: the bits, batch and scalar readings agree on every guard, change and property, in any state at all."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.spec.configuration import CONFIGURATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.readings.batch import Batch, word_type
from mirrorspec.spec.readings.bits import Bits, BitsReading, choices
from mirrorspec.spec.readings.scalar import Scalar
from mirrorspec.spec.terms import Term, fold
from mirrorspec.spec.universe import Layout, Universe

LAYOUTS: tuple[Layout, ...] = (
    (((2,),), ((1,),)),
    (((1, 1),), ((1,),)),
    (((1,), (2,)), ((1, 0),)),
    (((5, 4),), ((3,),)),
)
STATES = 6


@cache
def _model(options: str, environment: str, complete: bool) -> Model:
    return build(CONFIGURATIONS[options], ENVIRONMENTS[environment], complete=complete)


@given(
    st.sampled_from(sorted(CONFIGURATIONS)),
    st.sampled_from(["standard", "crashes", "takeover", "membership", "all"]),
    st.booleans(),
    st.sampled_from(LAYOUTS),
    st.integers(0, 2**32),
)
def test_the_readings_agree(options: str, environment: str, complete: bool, layout: Layout, seed: int) -> None:
    model = _model(options, environment, complete)
    universe = Universe.of(layout, ENVIRONMENTS[environment].sessions)
    random = np.random.default_rng(seed)
    states = [_any_state(model, universe, random) for _ in range(STATES)]
    for event in random.permutation(np.array(BitsReading(model, universe).events, dtype=object))[:12]:
        for term in [*event.step.guards.values(), *event.step.changes.values()]:
            _agree(term, universe, states, event.parameters)
        for p in model.properties:
            if event.step.name in p.of_step:
                _agree(p.of_step[event.step.name], universe, states, event.parameters)
    for p in model.properties:
        for things in choices(p.parameters, universe):
            _agree(p.of_state, universe, states, dict(zip((n for n, _ in p.parameters), things, strict=True)))


def _any_state(model: Model, universe: Universe, random: np.random.Generator) -> dict[str, Any]:
    def word(width: int) -> int:
        return int(random.integers(1 << width))

    return {
        f.name: tuple(word(universe.sizes[f.sort]) for _ in range(universe.sizes[f.sort]))
        if f.relation
        else word(universe.sizes[f.sort])
        for f in model.fields
    }


def _agree(term: Term, universe: Universe, states: list[dict[str, Any]], parameters: dict[str, int]) -> None:
    expected = [fold(term, Bits(universe, state, parameters)) for state in states]
    kind = word_type(universe)
    columns = {
        name: tuple(np.array(column, kind) for column in zip(*(s[name] for s in states), strict=True))
        if isinstance(states[0][name], tuple)
        else np.array([s[name] for s in states], kind)
        for name in states[0]
    }
    batch = fold(term, Batch(universe, columns, parameters))
    parts = batch if isinstance(batch, tuple) else (batch,)
    rows = zip(*(np.broadcast_to(part, len(states)).tolist() for part in parts), strict=True)
    assert [row if isinstance(batch, tuple) else row[0] for row in rows] == expected

    def read(name: str) -> Any:
        relation = isinstance(states[0][name], tuple)
        return tuple(f"{name}[{i}]" for i in range(len(states[0][name]))) if relation else name

    text = fold(term, Scalar(universe, read, parameters))
    for state, value in zip(states, expected, strict=True):
        assert _evaluated(text, state) == value


def _evaluated(text: Any, state: dict[str, Any]) -> Any:
    if isinstance(text, tuple):
        return tuple(_evaluated(part, state) for part in text)
    return eval(text, {}, state) if isinstance(text, str) else text
