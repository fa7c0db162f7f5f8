"""Many simulated runs: one a seed, what they reached together, and the first that fails, made short."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mirrorspec.model_tests.simulation.coverage import persist_points, wanted
from mirrorspec.model_tests.simulation.scenario import Scenario, Schedule, draw, scenario
from mirrorspec.model_tests.simulation.shrink import shrink
from mirrorspec.model_tests.simulation.world import World
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.verdict import Verdict

Report = Callable[["Totals"], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed."""

    kind: str
    """What failed: the name of the error."""
    words: str
    scenario: Scenario
    schedule: Schedule
    steps: tuple[tuple[str, tuple[int, ...]], ...]
    """The steps of the specification up to it, the last one being at fault where the refinement is."""


@dataclass(slots=True)
class Totals:
    """What runs have done and reached."""

    runs: int = 0
    events: int = 0
    """What machines were told of."""
    steps: int = 0
    """Steps of the specification that they took."""
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    """For each SOMETIMES in how many runs it was reached."""
    nearest: dict[str, int] = field(default_factory=dict)
    failure: Failure | None = None

    @property
    def verdict(self) -> Verdict:
        """*violated*, or nothing found: a sample proves nothing."""
        return Verdict.NOTHING_FOUND if self.failure is None else Verdict.VIOLATED

    @property
    def missing(self) -> dict[str, str]:
        """The SOMETIMES that no run reached, each with how many of its conditions held together at best."""
        every = wanted(HARDENED)
        return {
            name: f"{self.nearest.get(name, 0)} of {len(truths)} conditions"
            for name, truths in every.items()
            if name not in self.reached
        }

    @property
    def crash_points(self) -> tuple[int, set[str]]:
        """At how many persist points a crash happened, and those at which none did."""
        hit, missed = persist_points(self.counts)
        return len(hit), missed


def one(s: Scenario, schedule: Schedule, totals: Totals | None = None) -> Failure | None:
    """One run; how it failed, None where it did not."""
    began = time.perf_counter()
    world = World(s, schedule)
    failure = None
    try:
        world.run()
    except Exception as error:  # whatever a controller does wrong is a finding, and not an end of the program
        failure = Failure(type(error).__name__, str(error), s, schedule, tuple(world.refinement.steps))
    if totals is not None:
        totals.runs += 1
        totals.events += world.events
        totals.steps += len(world.refinement.steps)
        totals.seconds += time.perf_counter() - began
        totals.counts.update(world.counts)
        totals.reached.update(world.refinement.reached.reached)
        for name, held in world.refinement.reached.nearest.items():
            totals.nearest[name] = max(held, totals.nearest.get(name, 0))
    return failure


def simulate(seeds: Iterable[int], faults: str, report: Report, *, shorten: bool = True) -> Totals:
    """Runs of these seeds, in that order, up to the first that fails, which is made short."""
    totals = Totals()
    for seed in seeds:
        s = scenario(seed, faults)
        totals.failure = one(s, draw(s, seed), totals)
        report(totals)
        if totals.failure is not None:
            if shorten:
                totals.failure = shortened(totals.failure)
            break
    return totals


def shortened(failure: Failure) -> Failure:
    """The same failure on a shorter schedule."""

    def fails(s: Scenario, schedule: Schedule) -> str:
        found = one(s, schedule)
        return found.kind if found else ""

    found = one(*shrink(failure.scenario, failure.schedule, fails))
    return found or failure
