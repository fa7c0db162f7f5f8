"""`mirrorspec prove`: the protocol keeps its promises at every size, by induction."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirrorspec.cli.output import Progress, console, json_option, table, write_json
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from mirrorspec.proofs.induction.failure import Failure
    from mirrorspec.proofs.induction.plan import Plan
    from mirrorspec.proofs.induction.prover import Line, Scope
    from mirrorspec.proofs.induction.reachable import Answer
    from mirrorspec.proofs.induction.report import Summary

EXPLAINED = 3
"""So many failing obligations are explained: the others tend to be the same thing seen from elsewhere."""


LONGEST_TIMEOUT = 1_000_000.0
"""Seconds; the solver counts milliseconds in 32 bits."""


def _a_number(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Refuse what is no number: it compares with every limit as if it were within."""
    if math.isnan(value):
        raise click.BadParameter("a number of seconds is expected")
    return value


@click.command("prove")
@click.option("--configuration", metavar="NAME", help="Prove one configuration instead of every safe one and the seed.")
@click.option(
    "--deviate", "deviation", metavar="NAME", help="Do one thing wrong, and see at which obligation it fails."
)
@click.option(
    "--subject",
    type=click.Choice(["promises", "completion", "reorderings"]),
    default="promises",
    show_default=True,
    help="What to show: that promises are kept, that increments complete, or that the orders called safe are.",
)
@click.option(
    "--timeout",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.001, LONGEST_TIMEOUT),
    callback=_a_number,
    metavar="SECONDS",
    help="For each obligation.",
)
@click.option(
    "--seeds", default=1, show_default=True, type=click.IntRange(1), help="Repeat under so many solver seeds."
)
@click.option("--jobs", type=click.IntRange(1), help="Processes to use; by default one for each core.")
@click.option("--cores", is_flag=True, help="Say which conjuncts and guards carry each step, and which nothing needs.")
@click.option(
    "--occasions", "shown", is_flag=True, help="Show that the invariant leaves room for every step to happen."
)
@click.option(
    "--solver",
    type=click.Choice(["z3", "cvc5", "both"]),
    default="z3",
    show_default=True,
    help="Whose answer counts; cvc5 is given the hypotheses that Z3 found to suffice.",
)
@click.option(
    "--export",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every obligation as SMT-LIB 2 with a manifest; with cvc5, its proofs too.",
)
@json_option
@click.option("--quiet", "-q", is_flag=True, help="Show no progress and, of the obligations, only those that fail.")
def command(
    configuration: str | None,
    deviation: str | None,
    subject: str,
    cores: bool,
    shown: bool,
    solver: str,
    folder: Path | None,
    timeout: float,
    seeds: int,
    jobs: int | None,
    json_path: str | None,
    quiet: bool,
) -> Verdict:
    """Prove the promises for any number of sessions, units, volumes, tracks and writes.

    An invariant holds initially, every step keeps it, and it implies SAFETY (and what PROGRESS and AVAILABILITY say of a
    state or of a step): one line for each obligation that differs from
    all others, with its time. Where the induction fails the verdict is inconclusive: the state in which it fails need not be
    one that can be reached.
    """
    from mirrorspec.proofs.induction.discharge import Limits
    from mirrorspec.proofs.induction.prover import Scope, Solvers, Subject, Wanted, planned, prove
    from mirrorspec.proofs.induction.report import many, summary

    if configuration is not None and deviation is not None:
        raise BadInputError("--configuration and --deviate: a deviation brings its own configuration")
    if deviation is not None and subject != "promises":
        raise BadInputError(f"--deviate and --subject {subject}: a deviation is tried on the promises")
    if deviation is not None and shown:
        raise BadInputError("--deviate and --occasions: that a step can happen is shown of the protocol as it is")
    if folder is not None and seeds > 1:
        raise BadInputError("--export and --seeds: an obligation is the same under every seed, so export it once")
    if solver != "z3":
        import_module("cvc5")
    if folder is not None:
        _make(folder)
    scope = Scope(configuration, deviation, Subject(subject))
    limits = Limits(timeout, cores=cores or solver != "z3" or folder is not None)
    wanted = Wanted(scope, limits, Solvers(solver), str(folder) if folder else None)
    out = console(json_path=json_path)
    began = time.monotonic()
    plan = planned(scope)
    out.print(
        f"{many(plan.cases)}, {plan.conjuncts} conjuncts: {plan.obligations} obligations, of which {plan.evident} are "
        f"evident and {plan.distinct} differ"
    )
    lines: list[Line] = []
    work = prove(wanted, seeds, jobs or os.cpu_count() or 1)
    with Progress("prove", quiet=quiet) as progress, closing(work):
        for line in work:
            lines.append(line)
            good = line.answer == "proved"
            if not (quiet and good):
                progress.clear()
                out.print(_words(line, seeds), style=None if good else "bold red", soft_wrap=True)
            progress.update(f"{len(lines)} of {plan.distinct * seeds}")
    found = summary(plan, lines)
    explained_ones = _explained(scope, plan, found.refuted[:EXPLAINED])
    seconds = time.monotonic() - began
    if json_path is not None:  # before the text: a reader that goes away early takes no result along
        write_json(json_path, _report(scope, found, lines, explained_ones, seconds))
    for failure, answer in explained_ones:
        out.print("\n".join((*failure.words(), *(answer.words() if answer else ()))), soft_wrap=True)
    if explained_ones:
        out.print(f"`mirrorspec check{f' --deviate {deviation}' if deviation else ''}` searches larger bounds")
    if cores:
        _print_cores(out, plan, lines, whole=scope == Scope())
    missing = _print_occasions(out, scope) if shown else []
    if folder is not None:
        from mirrorspec.proofs.induction.manifest import MANIFEST, manifest

        write_json(folder / MANIFEST, manifest(folder, lines))
        out.print(f"{len(lines)} obligations are in {folder}, listed with their hashes in {MANIFEST}", soft_wrap=True)
    _print_end(out, found, lines, seeds, seconds)
    if missing:
        out.print(f"{Verdict.INCONCLUSIVE}: the invariant leaves no room for {', '.join(missing)}", style="bold red")
        return Verdict.INCONCLUSIVE
    return found.verdict


def _explained(scope: Scope, plan: Plan, lines: Sequence[Line]) -> list[tuple[Failure, Answer | None]]:
    """Each failure in its smallest state, and what the exhaustive search says of whether it can happen."""
    from mirrorspec.proofs.induction.prover import explained
    from mirrorspec.proofs.induction.reachable import of_case

    found = []
    for line in lines:
        failure = explained(scope, line)
        if failure is not None:
            question = plan.question(line.place)
            found.append((failure, of_case(failure, plan.tasks[line.place[0]], question, scope.deviation)))
    return found


def _words(line: Line, seeds: int) -> str:
    where = line.cases[0] if len(line.cases) == 1 else f"{len(line.cases)} cases"
    seed = f", seed {line.seed}" if seeds > 1 else ""
    why = f": {line.reason}" if line.reason else ""
    return f"{line.answer:<8} {line.seconds:6.3f} s  {line.name}  ({where}{seed}){why}"


def _make(folder: Path) -> None:
    """Make the folder of an export; it must be empty, since a file of another run would pass for one of this."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        filled = any(folder.iterdir())
    except OSError as error:
        raise BadInputError(f"cannot write to {folder}: {error.strerror}") from error
    if filled:
        raise BadInputError(f"{folder} is not empty: an export goes into a folder of its own")


def _print_cores(out: Console, plan: Plan, lines: Sequence[Line], whole: bool) -> None:
    from mirrorspec.proofs.induction.cores import idle_conjuncts, idle_guards, uses

    rows = [(use.of, len(use.conjuncts), ", ".join(use.conjuncts), ", ".join(use.guards)) for use in uses(plan, lines)]
    table(out, ("step", "", "conjuncts", "guards"), rows, title="What each step's obligations rest on")
    # A conjunct may be there for another case: only over all of them is it known that nothing needs it.
    for name in idle_conjuncts(plan, lines) if whole else ():
        out.print(f"nothing needs the conjunct {name}", style="bold yellow")
    for name in idle_guards(plan, lines):
        out.print(f"the promises do not need the guard {name}", style="yellow")


def _print_occasions(out: Console, scope: Scope) -> list[str]:
    """One line for every step and every SOMETIMES of each case; returns the names of those that are not as they should be."""
    from mirrorspec.proofs.induction.occasions import NEVER, occasions
    from mirrorspec.proofs.induction.prover import chosen, formulas

    wrong = []
    for given in chosen(scope):
        for occasion in occasions(given, formulas()):
            state = occasion.state
            if not occasion.good:
                wrong.append(f"{occasion.name} in {given.name}")
            if state is not None:
                out.print(f"occasion  {state.event or occasion.name}  ({given.name})", soft_wrap=True)
            else:
                out.print(f"never     {occasion.name}: {NEVER.get(occasion.name, 'but it should')}", soft_wrap=True)
    return wrong


def _print_end(out: Console, found: Summary, lines: Sequence[Line], seeds: int, seconds: float) -> None:
    if found.slowest is not None:
        out.print(f"slowest: {found.slowest.seconds:.3f} s, {found.slowest.name}")
    if seeds > 1:
        totals = [sum(line.seconds for line in lines if line.seed == seed) for seed in range(seeds)]
        out.print(f"solver time under {seeds} seeds: {min(totals):.1f} to {max(totals):.1f} s")
    answered = [line.second for line in lines if line.second is not None]
    if answered:
        out.print(f"cvc5: {sum(s.seconds for s in answered):.1f} s, slowest {max(s.seconds for s in answered):.3f} s")
        proofs = [s for s in answered if s.steps]
        if proofs:
            whole = sum(not s.holes for s in proofs)
            out.print(f"{len(proofs)} proofs of {sum(s.steps for s in proofs)} steps, {whole} of them without a hole")
    style = "bold green" if found.verdict is Verdict.PROVED else "bold red"
    out.print(f"{found.words}; {seconds:.1f} s", style=style)


def _report(
    scope: Scope,
    found: Summary,
    lines: Sequence[Line],
    failures: Sequence[tuple[Failure, Answer | None]],
    seconds: float,
) -> dict[str, object]:
    from mirrorspec.proofs.induction.invariant import INVARIANT

    return {
        "verdict": str(found.verdict),
        "exit_code": found.verdict.exit_code,
        "words": found.words,
        "configuration": scope.configuration,
        "deviation": scope.deviation,
        "cases": list(found.cases),
        "seconds": round(seconds, 3),
        "obligations": found.obligations,
        "evident": found.evident,
        "invariant": [
            {"number": number, "name": c.name, "group": c.group, "reason": c.reason}
            for number, c in enumerate(INVARIANT, 1)
        ],
        "failures": [
            {
                "obligation": failure.obligation,
                "words": failure.words(),
                "reachable": str(answer.reachable) if answer else None,
                "reachable_words": answer.words() if answer else [],
                "trace": list(answer.labels) if answer else [],
            }
            for failure, answer in failures
        ],
        "asked": [
            {
                "name": line.name,
                "cases": list(line.cases),
                "answer": str(line.answer),
                "seconds": round(line.seconds, 4),
                "seed": line.seed,
                "reason": line.reason,
                "core": list(line.core) if line.core is not None else None,
                "cvc5": str(line.second.answer) if line.second else None,
            }
            for line in lines
        ],
    }
