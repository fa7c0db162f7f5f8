"""A random walk through the enabled steps, for volume: the same choices as Hypothesis has, without its bookkeeping.

``python -m mirrorspec.model_tests.lockstep.walking`` walks through every configuration and prints what was reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from random import Random
from time import perf_counter

from mirrorspec.impl.core.options import Drained, Processes
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.lockstep.choosing import CONFIGURATIONS, scenario, step
from mirrorspec.model_tests.lockstep.reached import Reached
from mirrorspec.model_tests.lockstep.system import System
from mirrorspec.model_tests.simulation.scenario import Scenario

STEPS = 300
"""So many steps a walk."""


def every_scenario() -> Iterator[Scenario]:
    """Every safe variant, with everything that the controller may choose besides."""
    for choices in product(CONFIGURATIONS, Drained, Processes, Placement, Method):
        yield scenario(*choices)


def walk(one: Scenario, seed: str, reached: Reached, steps: int = STEPS) -> None:
    """One walk; the image is judged at its end. Raises `AssertionError` of some kind with the seed and the labels taken."""
    random = Random(seed)
    system, used = System(one), Counter[str]()
    labels: list[str] = []
    try:
        for _ in range(steps):
            step(system, used, random.choice, labels)
        system.judge()
    except Exception as error:
        error.add_note(f"seed {seed}, after: " + "; ".join(labels))
        raise
    reached.add(system, used)


def main() -> None:
    """One walk a configuration."""
    start, reached = perf_counter(), Reached()
    for place, one in enumerate(every_scenario()):
        walk(one, f"0/{place}", reached)
    seconds = perf_counter() - start
    print(*reached.lines(), f"{seconds:.1f} s, {reached.drawn / seconds:,.0f} steps/s", sep="\n")


if __name__ == "__main__":
    main()
