"""`mirrorspec mutate`: every guard and every changed field is left out in turn; is it noticed?"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from mirrorspec.cli.output import Progress, console, json_option, quiet_option, write_json
from mirrorspec.spec.verdict import Verdict

if TYPE_CHECKING:
    from mirrorspec.proofs.mutation.judge import Outcome
    from mirrorspec.proofs.mutation.table import Score


@click.command("mutate")
@click.option("--step", metavar="NAME", help="The mutants of one step only.")
@click.option("--jobs", type=click.IntRange(1), help="Processes to use; by default one for each core.")
@json_option
@quiet_option
def command(step: str | None, jobs: int | None, json_path: str | None, quiet: bool) -> Verdict:
    """Leave out every guard and every changed field of every step in turn, and see that it matters, or why it does not.

    Each mutant ends as caught, with a trace; as harmless, proved at every size, with a reason; or as open, which fails the
    run. The named deviations are judged beside them, each with a shortest trace. One line for each, in reading order.
    """
    from mirrorspec.proofs.mutation.judge import Fate
    from mirrorspec.proofs.mutation.table import outcomes, score, subjects

    wanted = subjects(step)
    out = console(json_path=json_path)
    out.print(f"{len(wanted)} ways to leave something out{f' of {step}' if step else ', and to get it wrong'}")
    began = time.monotonic()
    found: list[Outcome] = []
    work = outcomes(wanted, jobs or os.cpu_count() or 1)
    with Progress("mutate", quiet=quiet) as progress, closing(work):
        for outcome in work:
            found.append(outcome)
            progress.clear()
            out.print(_words(outcome), style="bold red" if outcome.fate is Fate.OPEN else None, soft_wrap=True)
            progress.update(f"{len(found)} of {len(wanted)}")
    result = score(found, whole=step is None)
    seconds = time.monotonic() - began
    if json_path is not None:
        write_json(json_path, _report(step, result, found, seconds))
    style = "bold green" if result.verdict is Verdict.EXHAUSTED else "bold red"
    out.print(f"{result.words}; {seconds:.1f} s", style=style, soft_wrap=True)
    return result.verdict


def _words(outcome: Outcome) -> str:
    where = f" ({outcome.configuration}, {outcome.environment}, {outcome.bounds})" if outcome.by else ""
    how = f"{outcome.by} after {len(outcome.labels)} steps{where}" if outcome.by else outcome.reason
    with_other = f" [{outcome.strengthening}]" if outcome.strengthening else ""
    return f"{outcome.fate:<9} {outcome.name}: {how}{with_other}"


def _report(step: str | None, result: Score, found: Sequence[Outcome], seconds: float) -> dict[str, object]:
    return {
        "verdict": str(result.verdict),
        "exit_code": result.verdict.exit_code,
        "words": result.words,
        "step": step,
        "caught": result.caught,
        "harmless": result.harmless,
        "open": list(result.open),
        "stale": list(result.stale),
        "seconds": round(seconds, 1),
        "mutants": [outcome.as_json() for outcome in found],
    }
