"""Exact counts, pinned: a change of the protocol that is not meant to change what can happen must leave them alone.

Without symmetry SPIN finds the same numbers (`test_spin`); with it, one state stands for all that are images of one another.
"""

from __future__ import annotations

import pytest

from mirrorspec.proofs.search import search
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import CONFIGURATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build

# configuration, environment, bounds: states and transitions, depth; states with symmetry
PINNED = [
    ("seed", "reliable", "1u1t2w", 1_716, 3_482, 26, 909),
    ("seed", "reliable", "2u2t2w", 5_526, 14_120, 35, 2_814),
    ("seed", "timer", "2u2t2w", 18_522, 57_745, 37, 9_349),
    ("hardened", "reliable", "1u1t2w", 8_569, 23_675, 30, 4_536),
    ("hardened", "reliable", "1u2t2w", 11_633, 35_160, 30, 6_058),
    ("hardened", "standard", "1u1t2w", 11_615, 41_957, 30, 6_121),
    ("hardened", "standard", "1u2v2w", 34_153, 152_413, 34, 17_390),
    ("hardened", "standard", "1u2t3w", 488_641, 2_280_587, 36, 252_516),
    ("hardened", "standard", "2u2t2w", 131_375, 719_322, 42, 66_001),
    ("hardened", "takeover", "1u1t2w", 44_981, 183_674, 32, 23_713),
    ("hardened", "crashes", "1u1t2w", 23_230, 151_904, 31, 12_242),
    ("hardened", "membership", "1u1t2w", 28_589, 107_620, 36, 15_193),
    ("hardened", "rivals", "1u1t2w", 35_327, 113_268, 32, 18_698),
]


@pytest.mark.parametrize(("configuration", "environment", "bounds", "states", "transitions", "depth", "folded"), PINNED)
def test_counts(
    configuration: str, environment: str, bounds: str, states: int, transitions: int, depth: int, folded: int
) -> None:
    world = ENVIRONMENTS[environment]
    model, universe = build(CONFIGURATIONS[configuration], world), BOUNDS[bounds].universe(world)
    plain = search(model, universe, engine="batch", symmetry=False, properties=())
    assert (plain.states, plain.transitions, plain.depth) == (states, transitions, depth)
    assert search(model, universe, engine="batch", properties=()).states == folded
