"""`python -m mirrorspec.model_tests.bank`: the drill from the command line, with a verdict and its exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from secrets import randbelow
from tempfile import TemporaryDirectory

import click

from mirrorspec.spec.verdict import Exit, Verdict

try:
    from mirrorspec.model_tests.bank.drill import Drill
    from mirrorspec.model_tests.bank.faults import FAULTS
except ModuleNotFoundError as error:
    if error.name != "apsw":
        raise
    print("inconclusive: the bank needs apsw: pip install 'mirrorspec[bank]'", file=sys.stderr)
    sys.exit(Exit.INCONCLUSIVE)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cycles", default=3, show_default=True, type=click.IntRange(1), help="So many disasters.")
@click.option(
    "--seconds", default=3.0, show_default=True, type=click.FloatRange(0, 3600), help="Work before each disaster."
)
@click.option("--seed", type=click.IntRange(0), help="Decides who is killed and when; one is drawn if not given.")
@click.option("--calm", is_flag=True, help="Kill nobody before the disaster.")
@click.option("--fault", type=click.Choice(sorted(FAULTS)), help="Run a session that is other in this way.")
@click.option("--folder", metavar="DIR", help="An existing, empty folder to work in; what is found wrong stays there.")
def command(cycles: int, seconds: float, seed: int | None, calm: bool, fault: str | None, folder: str | None) -> Exit:
    """Run the bank of [0008] over five processes, kill them, lose the primary site, and audit what is recovered."""
    chosen = randbelow(2**32) if seed is None else seed
    click.echo(f"seed {chosen}")
    if folder is not None:
        _check(Path(folder))
        return _run(Path(folder), chosen, cycles, seconds, calm, fault)
    with TemporaryDirectory(prefix="bank-") as made:
        return _run(Path(made), chosen, cycles, seconds, calm, fault)


def _check(folder: Path) -> None:
    if not folder.is_dir() or any(folder.iterdir()):
        raise click.BadParameter(f"{folder} is not an empty folder", param_hint="--folder")


def _run(folder: Path, seed: int, cycles: int, seconds: float, calm: bool, fault: str | None) -> Exit:
    try:
        tally = Drill(folder, seed, fault or "", click.echo).run(cycles, seconds, kills=not calm)
    except AssertionError as error:
        click.echo(f"inconclusive: the installation does not come up: {error}", err=True)
        return Verdict.INCONCLUSIVE.exit_code
    for wrong in tally.wrong:
        click.echo(f"violated: {wrong}")
    if not tally.wrong:
        click.echo("nothing found: every database opened, and no money came from nowhere")
    click.echo(str(tally))
    return (Verdict.VIOLATED if tally.wrong else Verdict.NOTHING_FOUND).exit_code


if __name__ == "__main__":
    try:
        sys.exit(command.main(prog_name="python -m mirrorspec.model_tests.bank", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except click.Abort:
        sys.exit(Exit.INTERRUPTED)
