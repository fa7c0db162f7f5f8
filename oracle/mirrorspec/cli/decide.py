"""`mirrorspec decide`: what recovery does with the flash relations that a secondary site holds."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from mirrorspec.cli.output import console, json_option, refuse_overwrite, table, write_json
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Exit, Verdict


@click.command("decide")
@click.argument("rows", metavar="ROWS")
@click.option(
    "--commit", is_flag=True, help="Where all are flashed and none is committed, commit instead of reverting."
)
@json_option
def command(rows: str, commit: bool, json_path: str | None) -> Exit:
    """Apply the recovery decision table to ROWS, a JSON file, or - for standard input.

    \b
    {"members": ["A", "B"], "ever_committed": true,
     "rows": [{"volume": "A", "revertible": true, "number": 8, "reverts_to": 7},
              {"volume": "B", "revertible": false, "number": 7}]}

    Fence every secondary before you read its rows: what an old session may still do is not in them. Exit code 0 where
    there is something to do or to say, 1 where the mechanism is corrupted and the answer is to refuse.
    """
    from mirrorspec.oracle.rows import parse
    from mirrorspec.spec.recovery import Action, decide

    refuse_overwrite(json_path, [rows])
    text = _text(rows)
    try:
        given = parse(text)
    except BadInputError as error:
        raise BadInputError(f"{_called(rows)}: {error}") from None
    found = decide(given.rows, given.members, ever_committed=given.ever_committed, commit=commit)
    refused = found.action is Action.REFUSE
    if json_path is not None:
        write_json(json_path, {**asdict(found), "exit_code": _code(refused)})
    out = console(json_path=json_path)
    marked = set(found.volumes)
    word = "disagrees" if refused else str(found.action).split()[0]
    cells = [
        [r.volume, "yes" if r.revertible else "no", r.number, "" if r.reverts_to is None else r.reverts_to,
         word if r.volume in marked else ""]
        for r in given.rows
    ]  # fmt: skip
    cells += [[v, "", "", "", "has no relation"] for v in sorted(marked - {r.volume for r in given.rows})]
    table(out, ["volume", "revertible", "number", "reverts to", ""], cells)
    out.print()
    out.print(f"{found.action}: {found.reason}", style="bold red" if refused else "bold")
    if found.number is not None:
        out.print(f"all {len(given.rows)} volumes then hold increment {found.number}")
    return _code(refused)


def _code(refused: bool) -> Exit:
    return Verdict.VIOLATED.exit_code if refused else Exit.OK


def _called(rows: str) -> str:
    return "standard input" if rows == "-" else rows


def _text(rows: str) -> str:
    """What the file, or standard input, holds."""
    from mirrorspec.oracle.rows import LARGEST_BYTES

    try:
        if rows == "-":
            if sys.stdin is None:
                raise BadInputError("standard input is closed")
            data = sys.stdin.buffer.read(LARGEST_BYTES + 1)
        else:
            with Path(rows).open("rb") as file:
                data = file.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            raise BadInputError(
                f"{_called(rows)}: larger than {LARGEST_BYTES >> 20} MiB, which no table of relations is"
            )
        return data.decode("utf-8")
    except OSError as error:
        raise BadInputError(f"{_called(rows)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{_called(rows)}: is not text in UTF-8") from None
