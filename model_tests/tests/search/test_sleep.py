"""What sleeps is found all the same: independent events commute, and a search finds, counts and breaks what it does without."""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.model_tests import naive
from mirrorspec.proofs.search import search
from mirrorspec.proofs.search.batch import BatchEngine, initial_key
from mirrorspec.proofs.search.independence import Footprint
from mirrorspec.proofs.search.sleep import MARKED, Sleep
from mirrorspec.proofs.search.store import Store
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import CONFIGURATIONS, HARDENED
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.layout import Layout as Packing
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.universe import Layout, Universe

LAYOUTS: tuple[Layout, ...] = ((((2,),), ((1,),)), (((1, 1),), ((1,),)), (((1,), (2,)),))
STATES = 3
STEP_BREAKERS = [d for d in DEVIATIONS.values() if d.bounds in ("1u1t2w", "1u2t2w", "1u2v2w", "2u2t2w")]


@cache
def _pairs(options: str, environment: str, layout: Layout) -> tuple[BitsReading, list[tuple[int, int]]]:
    world = ENVIRONMENTS[environment]
    model, universe = build(CONFIGURATIONS[options], world), Universe.of(layout, world.sessions)
    footprints = _engine(model, universe).footprints()
    pairs = [(a, b) for a, b in permutations(range(len(footprints)), 2) if footprints[a].independent(footprints[b])]
    return BitsReading(model, universe), pairs


def _engine(model: Model, universe: Universe) -> BatchEngine:
    safety = frozenset(p.name for p in model.properties if p.kind is not Kind.SOMETIMES)
    return BatchEngine(model, universe, Packing.of(model, universe), safety, None)


@given(
    st.sampled_from(sorted(CONFIGURATIONS)),
    st.sampled_from(["standard", "crashes", "takeover", "membership", "all"]),
    st.sampled_from(LAYOUTS),
    st.integers(0, 2**32),
)
def test_independent_events_commute_in_any_state_at_all(
    options: str, environment: str, layout: Layout, seed: int
) -> None:
    reading, pairs = _pairs(options, environment, layout)
    random = np.random.default_rng(seed)
    assert len(pairs) > len(reading.events)
    for pick in random.choice(len(pairs), 40):
        a, b = (reading.events[e] for e in pairs[pick])
        for _ in range(STATES):
            state = _any_state(reading, random)
            later = reading.after(b, state)
            assert bool(reading.refusals(a, later)) is bool(reading.refusals(a, state))
            assert reading.after(a, later) == reading.after(b, reading.after(a, state))
            for p in reading.model.properties:
                if a.step.name in p.of_step:
                    term = p.of_step[a.step.name]
                    assert reading.truth(term, later, a.parameters) == reading.truth(term, state, a.parameters)


def _any_state(reading: BitsReading, random: np.random.Generator) -> dict[str, Any]:
    sizes = reading.universe.sizes
    return {
        f.name: tuple(int(random.integers(1 << sizes[f.sort])) for _ in range(sizes[f.sort]))
        if f.relation
        else int(random.integers(1 << sizes[f.sort]))
        for f in reading.model.fields
    }


def test_one_event_is_not_independent_of_what_it_enables_or_is_judged_by() -> None:
    reads, writes = Footprint(0b0011, 0b0001), Footprint(0b0100, 0b0010)
    assert not reads.independent(writes)
    assert not writes.independent(reads)
    assert not Footprint(0, 1).independent(Footprint(0, 1))
    assert Footprint(0b0110, 0b0001).independent(Footprint(0b0110, 0b1000))


@pytest.mark.parametrize("environment", ["reliable", "standard", "crashes"])
def test_levels_are_the_same_with_fewer_successors(environment: str) -> None:
    world = ENVIRONMENTS[environment]
    model, universe = build(HARDENED, world), Universe.of((((1,),), ((1,),)), world.sessions)
    asleep, plain = _levels(model, universe, sleep=True), _levels(model, universe, sleep=False)
    assert [level for level, _ in asleep] == [level for level, _ in plain]
    taken, all_of_them = (sum(count for _, count in run) for run in (asleep, plain))
    assert taken < 0.75 * all_of_them


def _levels(model: Model, universe: Universe, *, sleep: bool) -> list[tuple[set[tuple[int, ...]], int]]:
    """Each level's states, and how many successors were computed of it; expanded in uneven pieces."""
    engine = _engine(model, universe)
    if not sleep:
        engine.sleep = None
    store = Store(engine.layout.words, 1 << 20)
    store.insert(initial_key(model, universe, engine.layout))
    levels, begin, end = [], 0, 1
    while begin < end:
        computed = 0
        for first in range(begin, end, 7_777):
            violation, found = engine.expand(store, first, min(end, first + 7_777))
            assert violation is None
            computed += len(found.keys)
            engine.enter(store, found)
        levels.append(({tuple(map(int, key)) for key in store.keys[begin:end]}, computed))
        begin, end = end, store.count
    return levels


@pytest.mark.parametrize("deviation", STEP_BREAKERS, ids=lambda deviation: deviation.name)
def test_what_a_step_breaks_is_found_as_soon(deviation: Deviation, monkeypatch: pytest.MonkeyPatch) -> None:
    world = ENVIRONMENTS[deviation.environment]
    model, universe = deviation.model(world), BOUNDS[deviation.bounds].universe(world)
    names = [p.name for p in model.properties if p.of_step and p.kind is not Kind.SOMETIMES]
    found = search(model, universe, engine="batch", symmetry=False, properties=names, max_states=200_000)
    monkeypatch.setattr(BatchEngine, "footprints", lambda self: [Footprint(1, 1)] * len(self.events))
    plain = search(model, universe, engine="batch", symmetry=False, properties=names, max_states=200_000)
    assert (found.verdict, found.depth, len(found.labels)) == (plain.verdict, plain.depth, len(plain.labels))


def test_more_events_than_marks_leave_the_rest_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ENVIRONMENTS["all"]
    model, universe = build(HARDENED, world), Universe.of((((1,),), ((1,),)), world.sessions)
    engine = _engine(model, universe)
    assert engine.sleep is not None
    assert len(engine.events) > MARKED == len(engine.sleep.bit)
    monkeypatch.setattr("mirrorspec.proofs.search.sleep.MARKED", 5)
    model, universe = build(HARDENED, ENVIRONMENTS["standard"]), Universe.of((((1,),),))
    found, expected = search(model, universe, engine="batch", symmetry=False), naive.search(model, universe)
    assert (found.states, found.fired, found.depth) == (expected.states, expected.fired, expected.depth)


def test_marks_come_back_in_the_order_of_the_states() -> None:
    sleep = Sleep([Footprint(1, 0), Footprint(2, 0)])
    sleep.wait(np.arange(1, 6, dtype=np.uint64))
    sleep.wait(np.arange(6, 9, dtype=np.uint64))
    assert [sleep.next(n).tolist() for n in (1, 2, 5, 1)] == [[0], [1, 2], [3, 4, 5, 6, 7], [8]]
