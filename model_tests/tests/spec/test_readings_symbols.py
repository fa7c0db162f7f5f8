"""The symbols reading says of a finite universe what the bits reading says.

For random states, reachable or not, every step of every configuration, about random things: the solver refutes that any
guard or any changed field differs from the bits reading's. The readings share no code but the fold.
"""

from __future__ import annotations

import random
from itertools import product

import pytest
import z3

from mirrorspec.model_tests.symbols_agreement import (
    FUNCTIONS,
    UNIVERSE,
    VOCABULARY,
    agrees,
    disagreements,
    random_state,
    solver,
)
from mirrorspec.spec.configuration import HARDENED, SEED, Collision, Configuration, Hold, Restart, Switch
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.readings.symbols import equal, found, pinned, things
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import parameter

VARIANTS = [
    SEED,
    *(
        HARDENED.with_options(hold=hold, collision=collision, switch=switch, restart=restart)
        for hold, collision, switch, restart in product(Hold, Collision, Switch, Restart)
    ),
]


@pytest.mark.parametrize("configuration", VARIANTS, ids=lambda c: c.name)
def test_every_step_agrees_with_the_bits_reading(configuration: Configuration) -> None:
    model = build(configuration, ENVIRONMENTS["all"], complete=True)
    assert disagreements(model, random.Random(configuration.name)) == []


@pytest.mark.parametrize("configuration", [SEED, HARDENED], ids=lambda c: c.name)
def test_every_property_agrees_with_the_bits_reading(configuration: Configuration) -> None:
    model = build(configuration, ENVIRONMENTS["all"], kinds=(Kind.SAFETY, Kind.SOMETIMES), complete=True)
    reading = BitsReading(model, UNIVERSE)
    draw = random.Random(1)
    for _ in range(5):
        state = random_state(draw)
        same = [agrees(p.of_state, reading.truth(p.of_state, state), {}) for p in model.properties]
        assert solver(state).check(z3.Not(z3.And(same))) == z3.unsat


def test_a_wrong_value_is_noticed() -> None:
    state = random_state(random.Random(2))
    term = parameter("u", Sort.UNIT).tracks
    for wrong in range(1 << UNIVERSE.sizes[Sort.TRACK]):
        claim = agrees(term, wrong, {})
        here = equal(VOCABULARY.thing("u", Sort.UNIT), things(VOCABULARY, UNIVERSE)[Sort.UNIT][0])
        answer = solver(state).check(here, z3.Not(claim))
        assert (answer == z3.unsat) == (wrong == 0b11)


def test_a_state_is_read_back_from_a_model() -> None:
    state = random_state(random.Random(3))
    ask = solver(state)
    assert ask.check() == z3.sat
    assert found(ask.model(), VOCABULARY, UNIVERSE, FUNCTIONS) == state


def test_a_finite_universe_meets_the_assumptions() -> None:
    ask = z3.Solver()
    ask.add(*pinned(VOCABULARY, UNIVERSE), *VOCABULARY.assumptions().values())
    assert ask.check() == z3.sat
