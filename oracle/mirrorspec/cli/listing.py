"""`mirrorspec list`: the reference as a table, or as JSON."""

from __future__ import annotations

import click

from mirrorspec.cli.output import console, json_option, table, write_json

WHAT = "steps|fields|guards|properties|deviations|variants|reorderings|environments|bounds|clauses"


@click.command("list")
@click.argument("what", metavar=WHAT)
@json_option
def command(what: str, json_path: str | None) -> None:
    """Print the names of one kind with what each means.

    `list clauses` shows for every paragraph and block of the document where it is specified, or which part of the project
    is still to carry it.
    """
    from mirrorspec.oracle import reference

    chosen = reference.table(what)
    if json_path is not None:
        write_json(json_path, chosen.items())
    table(console(json_path=json_path), list(chosen.columns.values()), chosen.rows(), title=chosen.title)
