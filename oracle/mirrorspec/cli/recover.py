"""`mirrorspec recover`: make a consistent image out of what the secondary site holds, and write it to files."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from mirrorspec.cli.output import Progress, console, json_option, quiet_option, refuse_overwrite, table, write_json
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Exit, Verdict


@click.command("recover")
@click.argument("config", metavar="CONFIG")
@click.option("--output", metavar="DIR", required=True, help="Where each volume's image is written, as VOLUME.img.")
@click.option("--yes", is_flag=True, help="Do not ask before acting.")
@click.option(
    "--commit", is_flag=True, help="Where all are flashed and none is committed, commit instead of reverting."
)
@json_option
@quiet_option
def command(config: str, output: str, yes: bool, commit: bool, json_path: str | None, quiet: bool) -> Exit:
    """Recover the secondary site of the installation that CONFIG describes.

    It reads what the folders of the secondaries hold, and nothing else; stop all secondaries before. It shows the decision
    table and asks before it acts. Acting ends the mirroring: every secondary then refuses transfers and commands for good.
    Killed at any point, it is completed by doing it again. Exit code 1 where the relations are corrupted, 3 where there is
    no consistent image yet; nothing is changed then.
    """
    from mirrorspec.impl.service.config import load
    from mirrorspec.impl.service.recovery import opened
    from mirrorspec.spec.recovery import Action

    refuse_overwrite(json_path, [config])
    out = console(json_path=json_path)
    with opened(load(Path(config))) as site:
        volumes = site.volumes
        found = site.decide(commit=commit)
        code = _code(found.action is Action.REFUSE, found.action is Action.NO_IMAGE)
        marked = set(found.volumes)
        word = "disagrees" if found.action is Action.REFUSE else str(found.action).split()[0]
        cells = []
        for v in volumes:
            row, note = v.row, word if v.name in marked else "" if v.offered else "never committed"
            back = "" if row.reverts_to is None else row.reverts_to
            cells.append([v.name, v.relation.state, "yes" if row.revertible else "no", row.number, back, note])
        table(out, ["volume", "relation", "revertible", "number", "reverts to", ""], cells)
        out.print()
        out.print(f"{found.action}: {found.reason}", style="bold" if code is Exit.OK else "bold red")
        result = {**asdict(found), "exit_code": code, "images": {}}
        if code is Exit.OK:
            offered = [v for v in volumes if v.offered]
            out.print(f"{len(offered)} of {len(volumes)} volumes then hold increment {found.number}")
            folder = _folder(output)
            if not (yes or site.fenced) and not click.confirm(
                "This ends the mirroring to this site. Act, and write the images?", err=True
            ):
                raise click.Abort
            with Progress("recover", quiet=quiet) as progress:
                site.act(found, progress.update)
                for v in site.volumes:
                    if v.offered:
                        file = folder / f"{v.name}.img"
                        site.export(v, file, partial(_written, progress, v.name))
                        result["images"][v.name] = str(file)
            for name, file in result["images"].items():
                out.print(f"{name}: increment {found.number} in {file}")
        if json_path is not None:
            write_json(json_path, result)
    return code


def _written(progress: Progress, volume: str, done: int) -> None:
    progress.update(f"{volume}: {done >> 20} MiB written")


def _code(refused: bool, nothing: bool) -> Exit:
    if refused:
        return Verdict.VIOLATED.exit_code
    return Exit.INCONCLUSIVE if nothing else Exit.OK


def _folder(output: str) -> Path:
    """The folder for the images, made where it is not there yet. Raises `BadInputError`."""
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--output {output}: no folder can be made there: {error.strerror}") from None
    return Path(output)
