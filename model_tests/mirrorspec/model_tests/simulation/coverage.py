"""What simulated runs have reached: every SOMETIMES of the specification, and every persist point with a crash at it.

A run that reaches little shows little, so what was reached is counted, and the tests assert floors. Of a SOMETIMES that was not
reached, the most of its conditions that held together are kept: how near a run came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.running import RunningReading, State
from mirrorspec.spec.terms import Term

Tests = dict[str, list[Callable[[State], bool]]]
"""For each SOMETIMES its conditions."""

DURABLE: dict[str, tuple[str, ...]] = {
    "primary": (
        "abort",
        "acknowledge_track",
        "answer",
        "apply_write",
        "establish",
        "increment_complete",
        "increment_timeout",
        "report_drained",
        "restart_primary",
        "run",
        "run_timeout",
        "start_increment",
        "transfer timer",
    ),
    "secondary": ("Hello", "answer", "commit", "deliver_track", "flash", "withdraw"),
}
"""Every kind of durable act of a party: the step that it takes, or else what the party was told of."""


def conditions(truth: Term) -> list[Term]:
    """The conditions that a truth consists of."""
    if truth.kind != "both":
        return [truth]
    return [condition for part in truth.args for condition in conditions(part)]


@cache
def wanted(options: Configuration) -> dict[str, list[Term]]:
    """Every SOMETIMES of a configuration with its conditions."""
    model = build(options, ENVIRONMENTS["all"], complete=True, emptied=False, kinds=(Kind.SOMETIMES,))
    return {p.name: conditions(p.of_state) for p in model.properties}


def tests(options: Configuration, reading: RunningReading) -> Tests:
    """The same as functions over the reading's states."""
    return {name: [reading.test(truth) for truth in truths] for name, truths in wanted(options).items()}


class Reached:
    """What one run has reached."""

    def __init__(self, every: Tests) -> None:
        self._open = dict(every)
        self.reached: set[str] = set()
        self.nearest: Counter[str] = Counter()
        """For each that was not reached, the most conditions that held together."""

    def look(self, state: State) -> None:
        """Look at a state."""
        for name, truths in list(self._open.items()):
            held = sum(truth(state) for truth in truths)
            if held == len(truths):
                self.reached.add(name)
                del self._open[name]
            elif held > self.nearest[name]:
                self.nearest[name] = held


def persist_points(counts: Counter[str]) -> tuple[set[str], set[str]]:
    """Of the durable acts, before and after which a crash may happen, those at which one did, and those at which none did."""
    all_points = {
        f"{when} {role} {act}" for role, acts in DURABLE.items() for act in acts for when in ("before", "after")
    }
    crashed = {name.removeprefix("crash ") for name in counts if name.startswith("crash ")}
    return all_points & crashed, all_points - crashed
