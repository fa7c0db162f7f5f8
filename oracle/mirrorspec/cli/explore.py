"""`mirrorspec explore`: look at a counterexample. It is replayed before a line of it is printed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mirrorspec.cli.output import console, json_option, refuse_overwrite, write_json
from mirrorspec.spec.errors import BadInputError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--text", "as_text", is_flag=True, help="Print it as steps with the bitmaps beside (the default).")
@click.option("--shrink", is_flag=True, help="First leave out every event that can be left out.")
@json_option
def command(file: Path, as_text: bool, shrink: bool, json_path: str | None) -> None:
    """Print the counterexample in FILE as a sequence of steps, replayed in the specification."""
    from mirrorspec.oracle.explain.text import can_draw, render
    from mirrorspec.spec.counterexample import read, to_json
    from mirrorspec.spec.shrink import shrink as shorter

    refuse_overwrite(json_path, [str(file)])
    if not file.exists():
        raise BadInputError(f"{file}: no such file; `mirrorspec check --json {file.name}` writes one when it finds one")
    found = read(file)
    if shrink:
        found = shorter(found)
    if json_path is not None:
        write_json(json_path, to_json(found))
    out = console(json_path=json_path)
    out.print(render(found, ascii_only=not can_draw(sys.stdout.encoding)), end="", soft_wrap=True)
