"""`mirrorspec simulate`: the reference controller under seeded faults, checked against the specification at every event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mirrorspec.cli.output import (
    Progress,
    console,
    json_option,
    json_target,
    quiet_option,
    refuse_overwrite,
    write_json,
)
from mirrorspec.spec.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from mirrorspec.model_tests.simulation.runs import Failure, Totals

SHOWN_STEPS = 12


@click.command("simulate")
@click.option("--runs", default=200, show_default=True, type=click.IntRange(1), help="So many runs, one a seed.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="The first seed.")
@click.option(
    "--faults", default="all", show_default=True, metavar="NAME", help="reliable, links, crashes, takeover or all."
)
@click.option("--schedule", metavar="FILE", help="Run this schedule instead, as --save wrote it.")
@click.option(
    "--save", metavar="FILE", callback=json_target, help="Write the shortest failing schedule there, to be run again."
)
@json_option
@quiet_option
def command(
    runs: int, seed: int, faults: str, schedule: str | None, save: str | None, json_path: str | None, quiet: bool
) -> Verdict:
    """Run the whole controller in one process: simulated clock, network and storage, and everything that can fail.

    Each seed draws a variant of the controller, an installation, writes of hosts, and faults. After every event the controller
    must have taken a step that the specification allows, and be where the specification is; after every crash the image that
    recovery would yield must be a consistent cut of what hosts wrote. The first failing run is made short.
    """
    from mirrorspec.model_tests.simulation import shrink
    from mirrorspec.model_tests.simulation.runs import Totals, one, simulate
    from mirrorspec.model_tests.simulation.scenario import FAULTS
    from mirrorspec.spec.errors import unknown_name

    if faults not in FAULTS:
        raise unknown_name("faults", faults, FAULTS)
    out = console(json_path=json_path)
    if schedule is not None:
        refuse_overwrite(json_path, [schedule])
        totals = Totals()
        totals.failure = one(*shrink.read(schedule), totals)
    else:
        out.print(f"simulating {runs:,} runs, seeds {seed} to {seed + runs - 1}, faults: {faults}")
        with Progress("simulate", quiet=quiet) as progress:
            totals = simulate(
                range(seed, seed + runs),
                faults,
                lambda t: progress.update(f"{t.runs:,} runs, {t.events:,} events, {t.steps:,} steps"),
            )
    if save is not None and totals.failure is not None:
        write_json(save, shrink.to_json(totals.failure.scenario, totals.failure.schedule))
    if json_path is not None:
        write_json(json_path, _report(totals, faults))
    _print(out, totals, faults if schedule is None else None, save)
    return totals.verdict


def _print(out: Console, totals: Totals, faults: str | None, save: str | None) -> None:
    if totals.failure is not None:
        _print_failure(out, totals.failure, faults, save)
    elif faults is not None:
        hit, missed = totals.crash_points
        for name, runs in sorted(totals.reached.items()):
            out.print(f"  reached in {runs:>6,} runs: {name}", soft_wrap=True)
        for name, nearest in sorted(totals.missing.items()):
            out.print(f"  not reached: {name} ({nearest})", soft_wrap=True)
        if hit:
            out.print(f"  crashes at {hit} of {hit + len(missed)} persist points", soft_wrap=True)
    rate = totals.events / max(totals.seconds, 1e-9)
    out.print(
        f"{totals.verdict}: {totals.runs:,} runs, {totals.events:,} events, {totals.steps:,} steps of the specification, "
        f"{totals.seconds:.1f} s, {rate:,.0f} events/s",
        style="bold green" if totals.failure is None else "bold red",
        soft_wrap=True,
    )


def _print_failure(out: Console, failure: Failure, faults: str | None, save: str | None) -> None:
    out.print(f"{failure.kind}: {failure.words}", style="bold red", soft_wrap=True)
    out.print(
        f"configuration {failure.scenario.configuration.name}, seed {failure.schedule.seed}; what happens from outside:"
    )
    for action in failure.schedule.actions:
        out.print(f"  {action.at:8.4f} s  {action.kind} {action.party} {_details(action)}".rstrip(), soft_wrap=True)
    out.print("the last steps:")
    for step, things in failure.steps[-SHOWN_STEPS:]:
        out.print(f"  {step}({', '.join(map(str, things))})", soft_wrap=True)
    if save is not None:
        out.print(f"repeat it with: mirrorspec simulate --schedule {save}", soft_wrap=True)
    elif faults is not None:
        out.print(f"repeat it with: mirrorspec simulate --faults {faults} --seed {failure.schedule.seed} --runs 1")


def _details(action: Any) -> str:
    match action.kind:
        case "write":
            return f"track {action.track}, block {action.block}"
        case "crash":
            point = f"{action.act} is persisted" if action.act else f"persist point {action.points + 1} from now"
            moment = f"{action.happening} {point}" if action.happening else "at once"
            return f"{moment}, down for {action.seconds:.3f} s"
        case "partition":
            return f"from {action.other} for {action.seconds:.3f} s"
        case "fail":
            return f"for {action.seconds:.3f} s"
    return "the old session lives on" if action.survives else "the old session is dead"


def _report(totals: Totals, faults: str) -> dict[str, Any]:
    from mirrorspec.model_tests.simulation import shrink

    hit, missed = totals.crash_points
    failure = totals.failure
    return {
        "verdict": str(totals.verdict),
        "exit_code": totals.verdict.exit_code,
        "faults": faults,
        "runs": totals.runs,
        "events": totals.events,
        "steps": totals.steps,
        "seconds": round(totals.seconds, 2),
        "reached": dict(sorted(totals.reached.items())),
        "not_reached": totals.missing,
        "persist_points": {"crashed": hit, "missed": sorted(missed)},
        "counts": dict(sorted(totals.counts.items())),
        "failure": None
        if failure is None
        else {
            "kind": failure.kind,
            "words": failure.words,
            "schedule": shrink.to_json(failure.scenario, failure.schedule),
            "steps": [[step, list(things)] for step, things in failure.steps],
        },
    }
