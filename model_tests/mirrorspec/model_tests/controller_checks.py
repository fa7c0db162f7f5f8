"""What the main job asks of the reference controller: its decisions about one track, and the whole of it under faults."""

from __future__ import annotations

import time
from collections.abc import Iterator

from mirrorspec.model_tests.contracts import rows as decisions
from mirrorspec.model_tests.rows import LEFT_OUT, Report, Row, installed
from mirrorspec.model_tests.simulation.runs import Totals, simulate
from mirrorspec.model_tests.simulation.scenario import FAULTS
from mirrorspec.spec.verdict import Verdict

RUNS, FULL_RUNS = 60, 2_000
"""So many simulated runs in each world, one a seed."""


def contracts(full: bool, report: Report) -> Iterator[Row]:
    """The decisions about one track: contracts confirmed over all paths, and every input as the specification has it."""
    if installed("crosshair"):
        for row in decisions.confirmed(report):
            yield Row("contract", row.subject, row.expected, row.got, row.figures, row.seconds)
    else:
        figures = "the Python package crosshair-tool is not installed"
        yield Row("contract", "every decision", "confirmed", LEFT_OUT, figures, 0.0)
    for row in decisions.agreed(report):
        yield Row("decision", row.subject, row.expected, row.got, row.figures, row.seconds)


def simulation(full: bool, report: Report) -> Iterator[Row]:
    """The controller refines the specification at every event of seeded runs, and every image it leaves is a cut."""
    runs = FULL_RUNS if full else RUNS
    for faults in FAULTS:
        began = time.monotonic()

        def tell(totals: Totals, faults: str = faults) -> None:
            report(f"simulation, faults {faults}: {totals.runs} of {runs} runs, {totals.steps:,} steps")

        totals = simulate(range(runs), faults, tell)
        figures = f"{totals.runs} runs, {totals.events:,} events, {totals.steps:,} steps, seeds 0 to {runs - 1}"
        got = str(totals.verdict)
        if totals.failure is not None:
            got = f"{totals.failure.kind} at seed {totals.failure.schedule.seed}: {totals.failure.words}"
        yield Row("simulation", faults, Verdict.NOTHING_FOUND, got, figures, time.monotonic() - began)
        if faults == "all":
            missing = ", ".join(f"{name} ({nearest})" for name, nearest in totals.missing.items())
            got = f"not reached: {missing}" if missing else "all reached"
            yield Row("simulation", "every SOMETIMES", "all reached", got, f"{len(totals.reached)} reached", 0.0)
