"""Symmetry changes how many states are stored, and nothing else: not the verdict, the depth, nor what is reached."""

from __future__ import annotations

from itertools import pairwise, permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.proofs.search import search
from mirrorspec.proofs.search.symmetry import MOST_IMAGES, Symmetry, exchanges
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import HARDENED, SEED, Configuration
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.layout import Layout as Packing
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.universe import Layout, Universe

LIMIT = 2_500_000
"""Enough for every universe here: the largest has 1.8 million states."""
LAYOUTS: tuple[Layout, ...] = ((((1,),),), (((2,),),), (((1, 1),),), (((1,), (1,)),), (((1,),), ((0,),)))
DEVIATED = [d for d in DEVIATIONS.values() if d.bounds in ("1u1t2w", "1u2t2w", "1u2v2w")][:8] + [
    DEVIATIONS[name] for name in ("old_flash_accepted", "run_before_all_joined")
]


def _same_but_for_the_number(model: Model, universe: Universe) -> None:
    plain = search(model, universe, engine="batch", symmetry=False, max_states=LIMIT)
    folded = search(model, universe, engine="batch", symmetry=True, max_states=LIMIT)
    assert "inconclusive" not in (plain.verdict, folded.verdict), "a search that says nothing compares nothing"
    assert (folded.verdict, folded.depth) == (plain.verdict, plain.depth)
    assert folded.states <= plain.states
    if plain.verdict == "exhausted":
        order = Symmetry(model, universe, Packing.of(model, universe)).order
        assert folded.states * order >= plain.states
        assert folded.sometimes == plain.sometimes
        assert {n for n, count in folded.fired.items() if count} == {n for n, count in plain.fired.items() if count}


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("options", [SEED, HARDENED], ids=lambda options: options.name)
def test_nothing_else_changes(options: Configuration, environment: str, layout: Layout) -> None:
    world = ENVIRONMENTS[environment]
    _same_but_for_the_number(build(options, world), Universe.of(layout, world.sessions))


@pytest.mark.parametrize("deviation", DEVIATED, ids=lambda deviation: deviation.name)
def test_nor_does_it_of_a_deviation(deviation: Deviation) -> None:
    world = ENVIRONMENTS[deviation.environment]
    _same_but_for_the_number(deviation.model(world), BOUNDS[deviation.bounds].universe(world))


@pytest.mark.parametrize(
    ("layout", "order"),
    [
        ((((3,),),), 6),
        ((((1, 1),),), 2),
        ((((2, 2),),), 8),
        ((((1,),), ((1,),)), 2),
        ((((1,),), ((2,),)), 2),
        ((((1,), (1,)), ((1,), (1,))), 8),
        ((((2, 1),), ((1,),)), 2),
    ],
)
def test_the_group_is_that_of_the_static_relations(layout: Layout, order: int) -> None:
    world = ENVIRONMENTS["takeover"]
    model = build(HARDENED, world)
    universe = Universe.of(layout, 2)
    assert Symmetry(model, universe, Packing.of(model, universe)).order == order == _automorphisms(universe)


def _automorphisms(universe: Universe) -> int:
    """The plain way: every choice of permutations of units, volumes, tracks and writes, counted if owners keep pace."""
    sorts = (Sort.UNIT, Sort.VOLUME, Sort.TRACK, Sort.WRITE)
    found = [({Sort.UNIT: p}) for p in permutations(range(universe.sizes[Sort.UNIT]))]
    for above, sort in pairwise(sorts):
        owner = universe.owners[sort, above]
        found = [
            {**f, sort: p}
            for f in found
            for p in permutations(range(universe.sizes[sort]))
            if all(owner[p[i]] == f[above][owner[i]] for i in range(universe.sizes[sort]))
        ]
    return len(found)


def test_a_large_group_is_cut_down_to_a_subgroup() -> None:
    world = ENVIRONMENTS["reliable"]
    model = build(HARDENED, world)
    universe = Universe.of((((5,),),))
    order = Symmetry(model, universe, Packing.of(model, universe)).order
    assert order <= MOST_IMAGES < factorial(5)
    assert factorial(5) % order == 0


@given(st.integers(0, 2**32), st.sampled_from([(((2,),), ((2,),)), (((1, 1),), ((1, 1),)), (((1,), (1,), (1,)),)]))
def test_every_image_has_the_same_representative(seed: int, layout: Layout) -> None:
    world = ENVIRONMENTS["takeover"]
    model = build(HARDENED, world)
    universe = Universe.of(layout, 2)
    packing = Packing.of(model, universe)
    symmetry = Symmetry(model, universe, packing)
    random = np.random.default_rng(seed)
    states = [
        {
            f.name: tuple(int(random.integers(1 << universe.sizes[f.sort])) for _ in packing.places[f.name])
            for f in model.fields
        }
        for _ in range(4)
    ]
    packed = np.array([_packed(packing, s) for s in states], np.uint64)
    least = symmetry.representatives(packed)
    for exchange in exchanges(universe):
        images = [
            {
                f.name: tuple(
                    _moved(s[f.name][row], exchange[f.sort]) for row in (exchange[f.sort] if f.relation else (0,))
                )
                for f in model.fields
            }
            for s in states
        ]
        assert (symmetry.representatives(np.array([_packed(packing, s) for s in images], np.uint64)) == least).all()


def _moved(word: int, places: tuple[int, ...]) -> int:
    return sum((word >> i & 1) << j for i, j in enumerate(places))


def _packed(packing: Packing, state: dict[str, tuple[int, ...]]) -> list[int]:
    words = [0] * packing.words
    for name, values in state.items():
        for place, value in zip(packing.places[name], values, strict=True):
            words[place.word] |= value << place.shift
    return words
