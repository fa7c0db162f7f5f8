"""`mirrorspec status`: what the running parties of an installation say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mirrorspec.cli.output import console, json_option, refuse_overwrite, table, write_json
from mirrorspec.spec.verdict import Exit

SECONDS = 2.0
"""A party that has not answered by then does not answer."""

_PRIMARY = (
    "mode",
    "increment",
    "out_of_sync",
    "change_recording",
    "preserved",
    "in_flight",
    "writes_waiting",
    "connected",
)
_SESSION = ("number", "phase", "increment", "formed", "failed", "failures_in_a_row", "paused")


@click.command("status")
@click.argument("config", metavar="CONFIG")
@click.option(
    "--pause", "wish", flag_value="pause", help="Ask the session to pause when the increment under way has ended."
)
@click.option("--resume", "wish", flag_value="resume", help="Ask the session to go on, also after too many failures.")
@json_option
def command(config: str, wish: str | None, json_path: str | None) -> Exit:
    """Show how the parties of the installation that CONFIG describes are.

    Each is asked through a port of this machine that its folder names, so this shows the parties that run here. Counts are
    of tracks. Exit code 3 where a party does not answer.
    """
    from mirrorspec.impl.service.config import load
    from mirrorspec.impl.service.endpoint import NoAnswerError, ask
    from mirrorspec.impl.service.party import folder_of, names

    refuse_overwrite(json_path, [config])
    installation = load(Path(config))
    found: dict[str, dict[str, Any]] = {}
    silent: dict[str, str] = {}
    for name, (kind, _) in names(installation).items():
        try:
            word = wish if wish and kind == "session" else "status"
            found[name] = ask(folder_of(installation, name), word, SECONDS)
        except NoAnswerError as error:
            silent[name] = str(error)
    code = Exit.INCONCLUSIVE if silent else Exit.OK
    if json_path is not None:
        write_json(json_path, {"parties": found, "silent": silent, "exit_code": code})
    out = console(json_path=json_path)
    of = {
        kind: {n: s for n, s in found.items() if n.startswith(f"{kind}:")}
        for kind in ("session", "primary", "secondary")
    }
    if of["session"]:
        table(
            out, ["party", *map(_words, _SESSION), "recovery point"], [_session(n, s) for n, s in of["session"].items()]
        )
        out.print()
    if of["primary"]:
        table(
            out,
            ["party", *map(_words, _PRIMARY)],
            [[n, *(_cell(s[c]) for c in _PRIMARY)] for n, s in of["primary"].items()],
        )
        out.print()
    if of["secondary"]:
        columns = ["party", "volume", "relation", "increment", "formed", "connected", "recovered"]
        volumes = {f"secondary:{unit.name}": unit.volumes for unit in installation.units}
        table(out, columns, [row for n, s in of["secondary"].items() for row in _secondary(n, volumes[n], s)])
        out.print()
    for name, why in silent.items():
        out.print(f"{name} does not answer: {why}", style="bold red")
    return code


def _words(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _session(name: str, s: Mapping[str, Any]) -> list[object]:
    point = s["recovery_point"]
    age = "of unknown age" if point["age_seconds"] is None else f"{point['age_seconds']:.1f} s old"
    cells = [_cell(s[column]) for column in _SESSION]
    if s["superseded"]:
        cells[1] = "superseded"
    return [name, *cells, f"{point['increment']}, {age}" if point["increment"] else "none yet"]


def _secondary(name: str, volumes: tuple[str, ...], s: Mapping[str, Any]) -> list[list[object]]:
    return [
        [name, volume, r["state"], r["increment"], r["formed"], _cell(s["connected"]), _cell(s["recovered"])]
        for volume, r in zip(volumes, s["relations"], strict=True)
    ]
