"""The installation under the bank: two control units, their secondaries and a session, each a process that can be killed.

The parties are the ones of `mirrorspec serve`, and the site is recovered by `mirrorspec recover`; nothing of either is made up.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from mirrorspec.impl.link.address import Address
from mirrorspec.model_tests.bank.faults import FAULTS
from mirrorspec.model_tests.running import Processes, free_ports

TRACKS = 256
"""Of each volume; a track is a database page of 4 KiB."""
UNITS = {"a": "accounts", "b": "ledger"}
"""The volume of each unit."""

_UNIT = """[[unit]]
name = "{name}"
track_bytes = 4096
volume = [{{name = "{volume}", tracks = {tracks}}}]
primary = {{folder = "primary-{name}", listen = "127.0.0.1:{0}", hosts = "127.0.0.1:{1}"}}
secondary = {{folder = "secondary-{name}", listen = "127.0.0.1:{2}"}}

"""
_TIMES = """[session]
interval_seconds = 0.1
coordination_seconds = 5 # a busy machine may take its time, and a killed unit comes back
resend_seconds = 0.2
failures = 1000000       # parties are killed all the time: the session must never pause

[primary]
run_seconds = 3
transfer_seconds = 0.5

[links]
first_delay_seconds = 0.02
most_delay_seconds = 0.1
"""


def installation() -> str:
    """The file of the bank's installation, with ports that are free now."""
    ports = free_ports(3 * len(UNITS))
    units = (
        _UNIT.format(*ports[3 * i : 3 * i + 3], name=name, volume=volume, tracks=TRACKS)
        for i, (name, volume) in enumerate(UNITS.items())
    )
    return "".join(units) + _TIMES


class Parties(Processes):
    """The bank's installation in a folder. Close it whatever happens."""

    def __init__(self, folder: Path, fault: str = "") -> None:
        """*fault*: the name of one of `faults.FAULTS`, or none."""
        self._fault = fault
        self.kills = 0
        """So many processes were killed."""
        super().__init__(folder, text=installation())

    def module(self, party: str) -> tuple[str, ...]:
        """The faulty party where this is the one, else the right one."""
        if self._fault and party in FAULTS[self._fault].parties:
            return "mirrorspec.model_tests.bank.faults", self._fault
        return super().module(party)

    def start(self, *parties: str) -> None:
        """Start these parties, or all that do not run, and return when they answer. Raises `AssertionError`."""
        super().start(*parties)
        for party in parties or self.parties:
            self.wait(party, bool)

    def kill(self, *parties: str) -> None:
        """SIGKILL these parties, or all."""
        self.kills += len(parties or self._running)
        super().kill(*parties)

    def hosts(self, unit: str) -> Address:
        """Where a unit's hosts connect."""
        return next(u.primary.hosts for u in self.installation.units if u.name == unit)

    def formed(self) -> int | None:
        """The number of the last increment that any secondary holds committed; nothing unless all of them answer."""
        answers = [self.status(f"secondary:{unit}") for unit in UNITS]
        return max(a["formed"] for a in answers) if all(answers) else None


class NotRecoveredError(Exception):
    """The secondary site has no image to offer; the text is what `mirrorspec recover` said."""


def recover(file: Path, site: Path, into: Path) -> int:
    """Recover a copy of the secondaries' folders in *site* as an operator would; the number of the recovered increment.

    *file*: the installation's. *into*: a folder to be made, for the copy and for an image of each volume. Raises
    `NotRecoveredError`.
    """
    into.mkdir()
    shutil.copy(file, into)
    for unit in UNITS:
        shutil.copytree(site / f"secondary-{unit}", into / f"secondary-{unit}")
    report = into / "recovered.json"
    options = ["--yes", "--quiet", "--output", str(into), "--json", str(report)]
    command = [sys.executable, "-m", "mirrorspec.cli", "recover", str(into / file.name), *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise NotRecoveredError(f"recover ended with {done.returncode}: {done.stdout}{done.stderr}")
    return int(json.loads(report.read_text(encoding="utf-8"))["number"])
