"""How a faulty controller is caught: seed after seed, until a run fails; and by what.

Each is tried twice. *Refined*: the specification runs beside it, and whatever it does otherwise is seen at once. *By its
images*: nothing looks at the controller; an image is recovered at a hundred moments of the run and judged as a cut of what
hosts wrote, by a judge that knows nothing of the protocol. A fault that loses no image in any of these runs is seen by the
specification alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from time import perf_counter

from mirrorspec.impl.core.outcome import Change
from mirrorspec.model_tests.faulty.controller import FAULTY, Faulty
from mirrorspec.model_tests.simulation.judging import TornImageError, judge_recovery
from mirrorspec.model_tests.simulation.party import Party, Record, TornError
from mirrorspec.model_tests.simulation.refinement import NotRefinedError
from mirrorspec.model_tests.simulation.scenario import Scenario, draw
from mirrorspec.model_tests.simulation.world import StuckError, World

SEEDS = {True: 100, False: 30}
"""A fault that is not caught within so many seeds counts as not caught: with the specification beside it, and by its images."""
MOMENTS = 100
"""So many times in a run, evenly, an image is recovered and judged."""

CATCHERS: dict[str, str] = {
    "refinement": "the controller did what the specification does not allow, or is where the specification is not",
    "image": "the recovered image is no cut, or lacks what was promised, or there is none",
    "storage": "after a crash storage holds a part of what was to be one act",
    "stuck": "the world is whole again, and no increment is formed",
    "machine": "the controller itself ran into what it holds impossible",
}
"""What may catch a fault."""


@dataclass(frozen=True, slots=True)
class Caught:
    """How one faulty controller was caught, or was not."""

    name: str
    by: str
    """One of `CATCHERS`; empty where no seed failed."""
    seed: int
    """The seed that failed: so many runs before it passed."""
    steps: int
    """In the run that failed, how many steps of the specification were taken before; 0 where nobody counted them."""
    seconds: float
    """From the first run on."""
    says: str
    """What was said, on one line."""

    @property
    def runs(self) -> int:
        """How many runs it took."""
        return self.seed + 1


def catch(fault: Faulty | None, scenario: Scenario, refined: bool, seeds: Iterator[int] | range) -> Caught:
    """Try the faulty controller, or for None the right one, in one run for each seed, until a run fails."""
    name = fault.name if fault else ""
    start = perf_counter()
    for seed in seeds:
        with fault.made() if fault else nullcontext(), nullcontext() if refined else unwatched():
            world = World(scenario, draw(scenario, seed), refined=refined)
            for moment in range(MOMENTS):
                world.at(scenario.seconds * moment / MOMENTS, judge_recovery, world)
            try:
                world.run()
            except Exception as error:
                says = f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
                return Caught(name, catcher(error), seed, len(world.refinement.steps), perf_counter() - start, says)
    return Caught(name, "", 0, 0, perf_counter() - start, "")


def catcher(error: Exception) -> str:
    """Which of `CATCHERS` an error comes from."""
    kinds: dict[type[Exception], str] = {
        NotRefinedError: "refinement",
        TornImageError: "image",
        TornError: "storage",
        StuckError: "stuck",
    }
    return next((kind for error_type, kind in kinds.items() if isinstance(error, error_type)), "machine")


@contextmanager
def unwatched() -> Iterator[None]:
    """Nobody compares the record after a crash with the one before it."""
    right = Party.committed

    def committed(party: Party, before: Record, changes: tuple[Change, ...]) -> bool:
        try:
            return right(party, before, changes)
        except TornError:
            return True

    Party.committed = committed  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Party.committed = right  # type: ignore[method-assign]


def row(name: str) -> tuple[Caught, Caught]:
    """How one faulty controller is caught when refined, and how by its images."""
    fault = FAULTY[name]
    refined, images = (catch(fault, fault.scenario, refined, range(SEEDS[refined])) for refined in (True, False))
    return refined, images
