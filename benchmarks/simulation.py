"""How fast the controller is simulated, and what the refinement check costs: `python benchmarks/simulation.py`.

The same seeded runs are made with the specification beside the controller and, as the rival, with the images judged alone, in
turn, round after round; the best round of each counts, in processor time of the one process. An *event* is whatever a machine
is told of: a message, a timer, a host's write, or what it tells itself. Printed are events/s, steps of the specification/s, and
the ratio of the two ways.
"""

from __future__ import annotations

import argparse
import sys
import time

from mirrorspec.model_tests.simulation.scenario import FAULTS, Scenario, draw
from mirrorspec.model_tests.simulation.world import World

ASKED_EVENTS_A_SECOND = 20_000


def _round(scenario: Scenario, seeds: range, refined: bool) -> tuple[float, int, int]:
    """Processor time, events and steps of these runs."""
    events = steps = 0
    began = time.process_time()
    for seed in seeds:
        world = World(scenario, draw(scenario, seed), refined=refined)
        world.run()
        events += world.events
        steps += len(world.refinement.steps)
    return time.process_time() - began, events, steps


def main() -> int:
    """Measure; 0 where every world is simulated as fast as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    good = True
    for name in ("reliable", "links", "all"):
        scenario = Scenario(faults=FAULTS[name])
        _round(scenario, range(1), True)  # the steps are compiled once
        seeds = range(1, 1 + options.runs)
        rounds = [(_round(scenario, seeds, True), _round(scenario, seeds, False)) for _ in range(options.rounds)]
        seconds, events, steps = min(refined for refined, _ in rounds)
        alone, alone_events, _ = min(unrefined for _, unrefined in rounds)
        rate, rival = events / seconds, alone_events / alone
        met = rate >= ASKED_EVENTS_A_SECOND
        good &= met
        print(
            f"{name}: {options.runs} runs, {events:,} events, {steps:,} steps: {rate:,.0f} events/s and "
            f"{steps / seconds:,.0f} steps/s, refinement checked at every event; {rate / rival:.2f} of {rival:,.0f} "
            f"events/s without; asked {ASKED_EVENTS_A_SECOND:,}, {'met' if met else 'NOT MET'}",
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
