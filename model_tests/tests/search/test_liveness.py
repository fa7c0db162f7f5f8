"""Emptying what can no longer be read is sound: no guard and no property can tell, along walks through the whole model.

The model that empties and the complete one, which does not, take the same steps side by side. After each, the complete one
must enable every event that the other does, both must judge the properties alike, and the emptied state must hold nothing
that the complete one has not. What the complete model alone enables (a step of a session that no unit heeds any more) is
taken by it alone, and after it all this must still hold.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from mirrorspec.spec.configuration import CONFIGURATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading, choices
from mirrorspec.spec.universe import Layout, Universe

LAYOUTS: tuple[Layout, ...] = ((((2,),), ((1,),)), (((1, 1),), ((2,),)), (((1,), (1,)),))
WALKS, LENGTH = 6, 60
UNSEEN = 0.3
"""How often a step is taken that the emptying model has not: it may change only what is dead, so nothing must follow."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_nothing_can_tell(configuration: str, environment: str) -> None:
    options, world = CONFIGURATIONS[configuration], ENVIRONMENTS[environment]
    emptying, complete = build(options, world), build(options, world, complete=True)
    for seed in range(WALKS):
        universe = Universe.of(LAYOUTS[seed % len(LAYOUTS)], world.sessions)
        walk_side_by_side(emptying, complete, universe, random.Random(seed), LENGTH)


def walk_side_by_side(emptying: Model, complete: Model, universe: Universe, chance: random.Random, length: int) -> None:
    """Walk at random through both models at once, and fail where they differ."""
    small, whole = BitsReading(emptying, universe), BitsReading(complete, universe)
    a, b = small.initial(), whole.initial()
    for _ in range(length):
        possible = [event.label(universe) for event in small.enabled(a)]
        also = {event.label(universe) for event in whole.enabled(b)}
        assert set(possible) <= also
        kept, all_of_it = _judged(emptying, universe, a), _judged(complete, universe, b)
        for p in emptying.properties:
            # A session that nobody heeds may still reach a SOMETIMES by itself: never seen where it is not, that suffices.
            assert kept[p.name] == all_of_it[p.name] or (p.kind is Kind.SOMETIMES and all_of_it[p.name])
        assert not [name for name in a if not _within(a[name], b[name])]
        unseen = sorted(also - set(possible))
        if unseen and chance.random() < UNSEEN:
            b = whole.after(whole.by_label[chance.choice(unseen)], b)
            continue
        if not possible:
            return
        label = chance.choice(possible)
        before_a, before_b = a, b
        a, b = small.after(small.by_label[label], a), whole.after(whole.by_label[label], b)
        names = {p.name for p in emptying.properties}
        assert set(small.broken(before_a, small.by_label[label], a)) == names & set(
            whole.broken(before_b, whole.by_label[label], b)
        )


def _judged(model: Model, universe: Universe, state: dict[str, Any]) -> dict[str, bool]:
    reading = BitsReading(model, universe)
    return {
        p.name: all(
            reading.truth(p.of_state, state, dict(zip((n for n, _ in p.parameters), things, strict=True)))
            for things in choices(p.parameters, universe)
        )
        for p in model.properties
    }


def _within(small: Any, whole: Any) -> bool:
    pairs = zip(small, whole, strict=True) if isinstance(small, tuple) else [(small, whole)]
    return all(not a & ~b for a, b in pairs)
