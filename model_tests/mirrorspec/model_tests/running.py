"""A small installation as real processes: started, written to, killed with SIGKILL, recovered, and judged as a black box.

The writer is one host that issues a write only after the one before was acknowledged, to the units in turn, so that *any*
missing predecessor of a held write is a violation. Its history is a file of JSON lines, as `mirrorspec cut` reads them. A
recovery works on a copy of the secondaries' folders, so that the installation itself can be started again afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from secrets import randbelow
from typing import Any

from mirrorspec.impl.link.client import BlockClient, BlockError
from mirrorspec.impl.link.frame import MalformedFrameError
from mirrorspec.impl.link.stream import EndedError
from mirrorspec.impl.service import recovery
from mirrorspec.impl.service.config import load
from mirrorspec.impl.service.endpoint import NoAnswerError, ask
from mirrorspec.impl.service.party import folder_of, names
from mirrorspec.oracle.cut.question import Answer, Question, answer

TRACK_BYTES = 1024
BLOCK_BYTES = 512
TRACKS = 8
TRANSFER_SECONDS = 0.3
TIMES = f"""
[session]
interval_seconds = 0.02
coordination_seconds = 0.5
resend_seconds = 0.1
place = [{{name = "home", folder = "session"}}]
[primary]
run_seconds = 1
transfer_seconds = {TRANSFER_SECONDS}
[links]
first_delay_seconds = 0.02
most_delay_seconds = 0.1
"""
"""Short intervals and delays: a test waits for little but the work itself."""
PATIENCE_SECONDS = 30.0
PORTS = range(12_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that are free now, below those that systems give to outgoing connections.

    A party that is killed must find its port free when it is started again; of a higher port some dialler could have made
    its own end in the meantime, even by dialling that very port.
    """
    ports: set[int] = set()
    while len(ports) < count:
        port = PORTS[randbelow(len(PORTS))]
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            ports.add(port)
    return list(ports)


def config(units: Iterable[str], tracks: int = TRACKS, more: str = "") -> str:
    """The file of an installation: each unit with one volume of the same name."""
    text = TIMES + more
    wanted = list(units)
    ports = iter(free_ports(3 * len(wanted)))
    for unit, links, hosts, secondary in zip(wanted, ports, ports, ports, strict=True):
        text += f"""
[[unit]]
name = "{unit}"
track_bytes = {TRACK_BYTES}
volume = [{{name = "{unit}", tracks = {tracks}}}]
primary = {{folder = "primary-{unit}", listen = "127.0.0.1:{links}", hosts = "127.0.0.1:{hosts}"}}
secondary = {{folder = "secondary-{unit}", listen = "127.0.0.1:{secondary}"}}
"""
    return text


class Processes:
    """An installation in a folder, with one process a party. Close it whatever happens."""

    def __init__(self, folder: Path, units: Iterable[str] = ("a", "b"), more: str = "", text: str = "") -> None:
        """*text*: the whole file of the installation, where it is to be another than `config` makes."""
        self.folder, self.file = folder, folder / "installation.toml"
        self.file.write_text(text or config(units, more=more), encoding="utf-8")
        self.installation = load(self.file)
        self.parties = tuple(names(self.installation))
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._log = (folder / "log").open("ab")

    def start(self, *parties: str) -> None:
        """Start these parties, or all that do not run."""
        for party in parties or [p for p in self.parties if p not in self._running]:
            self._running[party] = subprocess.Popen(
                [sys.executable, "-m", *self.module(party), "serve", str(self.file), "--party", party, "--with-parent"],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )

    def module(self, party: str) -> tuple[str, ...]:
        """What runs a party: the command line, or something that takes its place."""
        return ("mirrorspec.cli",)

    def kill(self, *parties: str) -> None:
        """SIGKILL these parties, or all, at the same moment as nearly as may be."""
        killed = [self._running.pop(party) for party in parties or tuple(self._running)]
        for process in killed:
            os.kill(process.pid, signal.SIGKILL)
        for process in killed:
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def end(self, party: str) -> int:
        """Ask one party to end in order, and say with which code it did."""
        process = self._running.pop(party)
        process.terminate()
        code = process.wait(PATIENCE_SECONDS)
        if process.stdin is not None:
            process.stdin.close()
        return code

    def close(self) -> None:
        """Kill what still runs."""
        self.kill()
        self._log.close()

    def status(self, party: str) -> dict[str, Any]:
        """What a party says of itself; empty while it does not answer."""
        try:
            return ask(folder_of(self.installation, party), "status", 1.0)
        except NoAnswerError:
            return {}

    def wait(self, party: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first status of a party for which *reached* holds. Raises `AssertionError` where none comes in time."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = self.status(party)
            if found and reached(found):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{party} has not come so far: {self.status(party)}\n{self.log()}")

    def wait_formed(self, more: int) -> None:
        """Wait until the session that runs now has formed so many increments."""
        self.wait("session:home", lambda s: bool(s["formed"] >= more))

    def log(self) -> str:
        """The last lines that the parties have printed."""
        return "\n".join((self.folder / "log").read_text(encoding="utf-8").splitlines()[-20:])

    def client(self, unit: str) -> BlockClient:
        """A connection to a unit, as soon as it takes one."""
        place = next(u for u in self.installation.units if u.name == unit)
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return BlockClient(place.primary.hosts, unit, 5.0)
            except (OSError, EndedError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def recovered(self, into: Path, *, commit: bool = False) -> dict[str, Path]:
        """Recover a copy of what the secondaries hold; each volume's image. Raises `AssertionError` where there is none."""
        into.mkdir()
        shutil.copy(self.file, into)
        for unit in self.installation.units:
            shutil.copytree(unit.secondary.folder, into / unit.secondary.folder.name)
        with recovery.opened(load(into / self.file.name)) as site:
            site.act(site.decide(commit=commit))
            images = {volume.name: into / f"{volume.name}.img" for volume in site.volumes}
            for volume in site.volumes:
                assert volume.offered, f"{volume.name} has no consistent image"
                site.export(volume, images[volume.name])
        return images


class Writer:
    """A host that writes to all units in turn, each write after the one before was acknowledged, until it is stopped.

    What fails or is lost on the way stands in the history without an acknowledgement: it may be there or not.
    """

    def __init__(self, processes: Processes, history: Path) -> None:
        self._processes, self._units = processes, [unit.name for unit in processes.installation.units]
        self._stop = threading.Event()
        self._history = history.open("a", encoding="utf-8")
        if not history.stat().st_size:
            self._line({"history": 1, "block_bytes": BLOCK_BYTES})
        self.acknowledged = 0
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop writing; the history is complete then."""
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        self._history.close()

    def _line(self, data: object) -> None:
        self._history.write(json.dumps(data) + "\n")

    def _write(self) -> None:
        clients: dict[str, BlockClient] = {}
        blocks = TRACKS * TRACK_BYTES // BLOCK_BYTES
        while not self._stop.is_set():
            unit = self._units[self.acknowledged % len(self._units)]
            block = self.acknowledged * 7 // len(self._units) % blocks
            data = os.urandom(BLOCK_BYTES)
            line = {"volume": unit, "block": block, "content": hashlib.sha256(data).hexdigest()[:16]}
            issue = time.monotonic()
            acknowledgement = None
            try:
                client = clients.get(unit) or clients.setdefault(unit, self._processes.client(unit))
                issue = time.monotonic()
                client.write(unit, block * BLOCK_BYTES, data)
                acknowledgement = time.monotonic()
                self.acknowledged += 1
            except (OSError, EndedError, MalformedFrameError, BlockError):
                with suppress(KeyError):
                    clients.pop(unit).close()
                self._stop.wait(0.02)
            self._line({**line, "issue": issue, "acknowledgement": acknowledgement})
        for client in clients.values():
            client.close()


def judged(history: Path, images: dict[str, Path]) -> Answer:
    """What the black-box judge says of the images; the volumes held zeros before."""
    return answer(
        Question(str(history), {v: str(i) for v, i in images.items()}, dict.fromkeys(images, "zero"), "json-lines")
    )
