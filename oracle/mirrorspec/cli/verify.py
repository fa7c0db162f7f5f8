"""`mirrorspec verify`: the main job. Every engine on everything there is, one table, one report file."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from mirrorspec.cli.output import Progress, console, json_target, quiet_option, table, write_json
from mirrorspec.spec.errors import MissingToolError, unknown_name
from mirrorspec.spec.verdict import Verdict

if TYPE_CHECKING:
    from mirrorspec.model_tests.rows import Row

REPORT = "mirrorspec-report.json"
REQUIRABLE = {"spin": "spin", "cvc5": "cvc5", "crosshair": "contract"}
"""What `--require` can name, and the check that needs it."""


@click.command("verify")
@click.option("--full", is_flag=True, help="Search every deviation and the large bounds anew (about half an hour).")
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="NAME",
    help="Fail where NAME (spin, cvc5, crosshair) is not installed.",
)
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    default=REPORT,
    show_default=True,
    callback=json_target,
    help="Where the report goes.",
)
@quiet_option
def command(full: bool, required: Sequence[str], json_path: str, quiet: bool) -> Verdict:
    """Verify the specification: search it, break it, read it several ways, and judge the recorded histories."""
    from mirrorspec.model_tests.main_job import CHECKS
    from mirrorspec.model_tests.rows import LEFT_OUT

    for name in required:
        if name not in REQUIRABLE:
            raise unknown_name("tool to require", name, REQUIRABLE)
    if absent := [name for name in required if not _installed(name)]:
        raise MissingToolError(f"required and not installed: {', '.join(absent)}")
    out = console(json_path=json_path)
    out.print(f"mirrorspec {version('mirrorspec')}: every engine on the protocol and the recorded histories")
    began = time.monotonic()
    rows: list[Row] = []
    with Progress("verify", quiet=quiet) as progress:
        for check in CHECKS:
            for row in check(full, progress.update):
                rows.append(row)
                if not row.good and not row.absent:
                    progress.clear()
                    out.print(
                        f"WRONG: {row.check}, {row.subject}: {row.got}, expected {row.expected}", style="bold red"
                    )
    seconds = time.monotonic() - began
    absent_rows = [row for row in rows if row.absent]
    wrong = [row for row in rows if not row.good and not row.absent]
    left_out = [f"{row.check} {row.subject}: {row.figures}" for row in rows if row.got == LEFT_OUT]
    verdict = Verdict.VIOLATED if wrong else Verdict.INCONCLUSIVE if absent_rows else Verdict.EXHAUSTED
    write_json(json_path, _report(rows, verdict, seconds, full, left_out))  # before the text, which nobody may read
    table(
        out,
        ("check", "subject", "verdict", "figures", "s"),
        [
            (r.check, r.subject, r.got + ("" if r.good or r.absent else " (WRONG)"), r.figures, f"{r.seconds:.1f}")
            for r in rows
        ],
    )
    skipped = {row.check for row in rows if row.got == LEFT_OUT}
    missing = [name for name in required if REQUIRABLE[name] in skipped]
    if missing and not wrong:
        raise MissingToolError(f"required and not installed: {', '.join(missing)}")
    if not rows:
        raise MissingToolError("nothing was checked: an empty suite shows nothing")
    out.print(
        f"{len(rows) - len(wrong) - len(absent_rows)} of {len(rows)} as expected in {seconds:.0f} s; report: {json_path}"
    )
    for name in left_out:
        out.print(f"LEFT OUT: {name}", style="bold yellow")
    for row in absent_rows:
        out.print(f"{row.got}: {row.check}: {row.figures}", style="bold red")
    good = verdict is Verdict.EXHAUSTED
    out.print(_claim(verdict, rows, wrong, absent_rows), style="bold green" if good else "bold red")
    return verdict


def _installed(name: str) -> bool:
    from mirrorspec.proofs.search import spin

    return spin.available() if name == "spin" else find_spec(name) is not None


def _claim(verdict: Verdict, rows: Sequence[Row], wrong: Sequence[Row], absent: Sequence[Row]) -> str:
    """What may be concluded: each way of looking with what it covers, since none covers what another one does."""
    if wrong:
        return f"{verdict}: {', '.join(f'{row.check} {row.subject}' for row in wrong)}"
    if absent:
        return f"{verdict}: nothing is claimed without {', '.join(row.check for row in absent)}"
    got = [str(row.got) for row in rows]
    parts = ["no violation within the bounds of the table, and every fault in it was caught"]
    if Verdict.PROVED in got:
        parts.append("proved by induction for every size")
    if sampled := got.count(Verdict.NOTHING_FOUND):
        parts.append(f"nothing found in {sampled} samples of random states, which show no more")
    if any(row.check == "deviation" for row in rows):
        parts.append("*deviation* rows replay stored traces, *anew* ones search")
    return f"{verdict}: {'; '.join(parts)}"


def _report(
    rows: Sequence[Row], verdict: Verdict, seconds: float, full: bool, left_out: Sequence[str]
) -> dict[str, object]:
    return {
        "verdict": str(verdict),
        "version": version("mirrorspec"),
        "python": platform.python_version(),
        "full": full,
        "seconds": round(seconds, 1),
        "left_out": list(left_out),
        "rows": [
            {
                "check": r.check,
                "subject": r.subject,
                "expected": str(r.expected),
                "got": str(r.got),
                "good": r.good,
                "figures": r.figures,
                "seconds": round(r.seconds, 2),
            }
            for r in rows
        ],
    }
