"""The two formulas of docs/explanation/timing.md, against the controller on the simulated clock, where nothing fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirrorspec.model_tests.simulation.judging import judge_recovery
from mirrorspec.model_tests.simulation.scenario import Scenario, draw
from mirrorspec.model_tests.simulation.world import MESSAGE_SECONDS, World
from mirrorspec.proofs.timing import Durations, longest_hold_seconds, recovery_point_seconds

HOST_SECONDS = 0.001
"""The longest way of an acknowledgement to its host."""
PROBES = 400


def measured(seed: int) -> tuple[Durations, float, float]:
    """A run without faults: what its parts took at most, its longest hold, and the greatest age of its recovered image."""
    scenario = Scenario()
    world = World(scenario, draw(scenario, seed))
    ages = [0.0]

    def probe() -> None:
        age = judge_recovery(world)
        if age is not None:
            ages.append(age)

    for number in range(PROBES):
        world.at(scenario.seconds * number / PROBES, probe)
    world.run()
    drain = 0.0
    for increment in {increment for _, _, increment in world.happened}:
        ran = [at for at, step, of in world.happened if (step, of) == ("run", increment)]
        drained = [at for at, step, of in world.happened if (step, of) == ("report_drained", increment)]
        if ran and drained:
            drain = max(drain, max(drained) - max(ran))
    durations = Durations(
        message_seconds=MESSAGE_SECONDS,
        run_timer_seconds=scenario.primary.run_seconds,
        drain_seconds=max(drain, 0.0),
        flash_seconds=0.0,
        commit_seconds=0.0,
        interval_seconds=scenario.session.interval_seconds,
    )
    return durations, world.longest_hold_seconds, max(ages)


@pytest.mark.parametrize("seed", range(6))
def test_no_hold_is_longer_and_no_image_older_than_the_formulas_say(seed: int) -> None:
    """[0038-0041]: a hold lasts until the last unit has joined and one command more; recovery is one increment behind."""
    durations, hold, age = measured(seed)
    assert 0.0 < hold <= longest_hold_seconds(durations) + HOST_SECONDS
    assert 0.0 < age <= recovery_point_seconds(durations) + HOST_SECONDS


def test_the_formulas_are_not_met_by_waiting_only() -> None:
    """With messages said to be five times as fast as they are, both are exceeded: the measure is sharp enough to fail."""
    runs = [measured(seed) for seed in range(6)]
    faster = [replace(durations, message_seconds=MESSAGE_SECONDS / 5) for durations, _, _ in runs]
    assert any(hold > longest_hold_seconds(d) + HOST_SECONDS for d, (_, hold, _) in zip(faster, runs, strict=True))
    tight = [replace(d, interval_seconds=0.0, drain_seconds=0.0) for d in faster]
    assert any(age > recovery_point_seconds(d) + HOST_SECONDS for d, (_, _, age) in zip(tight, runs, strict=True))
