"""`mirrorspec serve`: run the parties of an installation, each in a process of its own or several in one.

Without `--party` this process only keeps the others: it starts one for each party, starts one again that was killed, and
holds one end of a pipe to each, by whose closing they know that it has gone, however it went.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Exit

if TYPE_CHECKING:
    from mirrorspec.impl.core.outcome import Notice
    from mirrorspec.impl.service.endpoint import Status

AGAIN_SECONDS = 1.0
"""A party that was killed is started again after so long."""
END_SECONDS = 10.0
"""A party that has not ended in order by then is killed."""
_WATCH_SECONDS = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("serve")
@click.argument("config", metavar="CONFIG")
@click.option(
    "--party", "parties", metavar="NAME", multiple=True, help="Run this party in this process; may be repeated."
)
@click.option("--json-lines", is_flag=True, help="Say when a party is ready, and notices, as one JSON object a line.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input is closed.")
def command(config: str, parties: tuple[str, ...], json_lines: bool, with_parent: bool) -> Exit:
    """Run the installation that CONFIG describes, until Ctrl-C or a request to end.

    Parties are called primary:UNIT, secondary:UNIT and session:PLACE. Without --party each runs as a process of its own;
    with it, those that are named run in this one. A line is printed when a party is ready. A second Ctrl-C ends at once;
    nothing that was acknowledged is lost by that, nor by kill -9.
    """
    from mirrorspec.impl.service.config import load
    from mirrorspec.impl.service.party import names

    installation = load(Path(config))
    known = names(installation)
    for name in parties:
        if name not in known:
            raise BadInputError(f"--party {name}: there is no such party; there are {', '.join(known)}")
    if not parties:
        arguments = ["--json-lines"] if json_lines else []
        return _keep({name: ["serve", config, "--party", name, "--with-parent", *arguments] for name in known})

    from mirrorspec.impl.service.serving import serve

    async def run() -> None:
        stop = asyncio.Event()
        with _ended_by(stop, with_parent):
            lines = _Lines(json_lines)
            await serve(installation, list(dict.fromkeys(parties)), stop, lines.ready, lines.notice)

    asyncio.run(run())
    return Exit.OK


class _Lines:
    """What is printed: readiness on standard output, notices on standard error; all on standard output as JSON."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json

    def ready(self, party: str, facts: Status) -> None:
        if self._json:
            self._object({"party": party, "ready": facts, "pid": os.getpid()})
        else:
            click.echo(f"{party} is ready: {', '.join(f'{name} {value}' for name, value in facts.items())}")
            sys.stdout.flush()

    def notice(self, party: str, notice: Notice) -> None:
        if self._json:
            self._object({"party": party, "notice": notice.code, "details": notice.details})
        else:
            click.echo(f"{party}: {notice.code}: {notice.details}", err=True)

    def _object(self, data: object) -> None:
        click.echo(json.dumps(data))
        sys.stdout.flush()


@contextmanager
def _ended_by(stop: asyncio.Event, with_parent: bool) -> Iterator[None]:
    """Set *stop* at the first signal to end, or when the parent has gone; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, end, number)
    if with_parent:
        loop.add_reader(0, stop.set)  # nothing is ever written to it
    try:
        yield
    finally:
        if with_parent:
            loop.remove_reader(0)


def _keep(arguments: dict[str, list[str]]) -> Exit:
    """Run a process for each party until a signal comes, or one of them cannot be used."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    due = dict.fromkeys(arguments, 0.0)
    try:
        while True:
            for name in [name for name, when in due.items() if when <= time.monotonic()]:
                del due[name]
                children[name] = _started(arguments[name])
            for name, child in list(children.items()):
                code = child.poll()
                if code is None:
                    continue
                _left(child)
                del children[name]
                if code >= 0:  # it has said why itself
                    return Exit.USAGE if code == Exit.USAGE else Exit.INTERNAL
                click.echo(f"{name} was killed by signal {-code}, and is started again", err=True)
                due[name] = time.monotonic() + AGAIN_SECONDS
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:  # the first signal of any kind; the second one ends this process at once
        return Exit.OK
    finally:
        _end(list(children.values()))


def _started(arguments: list[str]) -> subprocess.Popen[bytes]:
    """One party. In a session of its own, so that Ctrl-C reaches it through this process only."""
    command = [sys.executable, "-m", "mirrorspec.cli", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _left(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """Let all end in order, and kill those that do not."""
    for child in children:
        _left(child)
    end = time.monotonic() + END_SECONDS
    for child in children:
        try:
            child.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
