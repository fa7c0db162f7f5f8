"""The parties of an installation as they really run: a machine with its folder, its links, its endpoint, and a primary's hosts.

A party is opened (what it holds is found again, or begun), started (it listens, dials and answers) and run until it is
cancelled; whatever happens then, `close` leaves a folder that can be opened again, and so does `kill -9`. Parties are
called `primary:NAME` and `secondary:NAME` after their unit, and `session:NAME` after the place that leads; several may share
a process.

A session that a unit refuses because it obeys one of higher number stops for good: its place then stands by, and leads again
only when somebody starts it again. So two places never take over from one another in turns, and it is a person, or whatever
that person has set up, who decides that another place shall lead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from mirrorspec.impl.core.events import Begin, HostWrite, Wish
from mirrorspec.impl.core.outcome import Image, Notice
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.impl.core.secondary import SecondaryUnit
from mirrorspec.impl.core.session import Session
from mirrorspec.impl.link.fields import Limits
from mirrorspec.impl.link.host import HostServer, RefusedError
from mirrorspec.impl.link.tcp import TcpLink
from mirrorspec.impl.service import states
from mirrorspec.impl.service.config import Installation
from mirrorspec.impl.service.endpoint import Endpoint, Status
from mirrorspec.impl.service.numbers import SessionNumbers
from mirrorspec.impl.service.runner import Runner
from mirrorspec.impl.storage import folder
from mirrorspec.impl.storage.primary import PrimaryStorage
from mirrorspec.impl.storage.secondary import SecondaryStorage
from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.spec.configuration import Restart
from mirrorspec.spec.errors import BadInputError

MOST_WAITING = 256
"""Destaging waits for an idle moment until so many tracks wait for it."""
CONNECT_SECONDS = 0.5
"""A primary begins when its secondary can hear it, or after so long: a greeting that is lost waits for the transfer timer."""
PIECE = 16
"""So many tracks are destaged, copied or swept in one piece of work."""

Tell = Callable[[Notice], None]


class Party(Protocol):
    """One party."""

    @property
    def name(self) -> str:
        """What it is called: `role:NAME`."""
        ...

    async def start(self) -> Status:
        """Listen, dial and answer; where, as facts by name. Raises `BadInputError`."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""

    async def close(self) -> None:
        """End all connections and let go of the folder. Closing again does nothing."""


def made(path: Path) -> Path:
    """The folder of a party, made where it is not there yet. Raises `BadInputError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"{path}: no folder can be made there: {error.strerror}") from None
    return path


async def opened(endpoint: Endpoint) -> None:
    """Open a party's endpoint. Raises `BadInputError`."""
    try:
        await endpoint.open()
    except OSError as error:
        raise BadInputError(f"the party cannot be asked how it is: {error.strerror or error}") from None


class _Hosts:
    """What the block server needs of its primary."""

    def __init__(self, runner: Runner, storage: PrimaryStorage) -> None:
        self._runner, self._storage = runner, storage

    def submit(self, write: HostWrite) -> None:
        """Hand a part of a write to the machine."""
        self._runner.tell(write)

    def read(self, track: int, offset: int, length: int) -> bytes:
        """So many bytes of one track, from the cache."""
        try:
            return self._storage.read(Image.CACHE, track)[offset : offset + length]
        except StorageFailedError:
            raise RefusedError("persisted") from None

    def flush(self) -> None:
        """Nothing to do: a write is durable before it is acknowledged."""


class PrimaryParty:
    """The primary of one unit."""

    def __init__(self, installation: Installation, unit: int, tell: Tell) -> None:
        """Open its folder. Raises `BadInputError` where something in it does not fit, or another process has it."""
        config = installation.units[unit]
        place, shape = config.primary, config.shape
        self.name = f"primary:{config.name}"
        self._place, self._secondary = place, config.secondary.listen
        self._storage = folder.open_primary(
            made(place.folder),
            shape,
            preserved_durable=place.options.configuration.restart is Restart.RESUME,
            placement=place.placement,
        )
        self.machine = PrimaryUnit(unit, shape, place.options, self._storage.load())
        shapes = tuple(u.shape for u in installation.units)
        self._link = TcpLink(f"primary:{unit}", Limits(shapes, unit), installation.links, tell)
        self._runner = Runner(self.machine, self._link, tell, self._storage, background=self._background)
        self._hosts = HostServer(
            config.name,
            config.volumes,
            shape,
            _Hosts(self._runner, self._storage),
            installation.links,
            tell,
            place.options.waiting,
        )
        self._runner.answers = self._hosts
        self._endpoint = Endpoint(place.folder, self._answer)

    async def start(self) -> Status:
        """Dial the secondary, and listen for the session and for hosts."""
        links = await self._link.listen(self._place.listen)
        self._link.dial(self.machine.secondary, self._secondary)
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                while not self._link.connected(self.machine.secondary):
                    await asyncio.sleep(CONNECT_SECONDS / 50)
        self._runner.tell(Begin())  # before anything that hosts can ask
        hosts = await self._hosts.listen(self._place.hosts)
        await opened(self._endpoint)
        return {"links": str(links), "hosts": str(hosts)}

    async def run(self) -> None:
        """Work until cancelled."""
        await self._runner.run()

    async def close(self) -> None:
        """End all connections and let go of the folder."""
        await self._endpoint.close()
        await self._hosts.close()
        await self._link.close()
        self._storage.close()

    def _background(self, idle: bool) -> bool:
        """Destage when idle, or when too much waits for it; sweep when idle."""
        storage = self._storage
        if storage.waiting and (idle or storage.waiting > MOST_WAITING):
            storage.destage(PIECE)
            return True
        return idle and storage.sweep(PIECE) > 0

    def _answer(self, word: str) -> Status:
        return {"party": self.name, **{"status": lambda: states.of_primary(self.machine)}[word]()}


class SecondaryParty:
    """The secondary of one unit."""

    def __init__(self, installation: Installation, unit: int, tell: Tell) -> None:
        """Open its folder. Raises `BadInputError` where something in it does not fit, or another process has it."""
        config = installation.units[unit]
        self.name = f"secondary:{config.name}"
        self._place = place = config.secondary
        self._storage: SecondaryStorage = folder.open_secondary(
            made(place.folder), config.shape, method=place.method, background=place.background
        )
        self.machine = SecondaryUnit(unit, config.shape, self._storage.load())
        shapes = tuple(u.shape for u in installation.units)
        self._link = TcpLink(f"secondary:{unit}", Limits(shapes, unit), installation.links, tell)
        self._runner = Runner(self.machine, self._link, tell, self._storage, background=self._background)
        self._endpoint = Endpoint(place.folder, self._answer)
        if self.machine.record.recovered:
            tell(Notice("recovered", f"{place.folder}: nothing more is mirrored to it"))

    async def start(self) -> Status:
        """Listen for the session and the primary."""
        links = await self._link.listen(self._place.listen)
        await opened(self._endpoint)
        return {"links": str(links)}

    async def run(self) -> None:
        """Work until cancelled."""
        await self._runner.run()

    async def close(self) -> None:
        """End all connections and let go of the folder."""
        await self._endpoint.close()
        await self._link.close()
        self._storage.close()

    def _background(self, idle: bool) -> bool:
        """Destage when idle, or when too much waits for it; copy to the flash targets and sweep when idle."""
        storage = self._storage
        if storage.waiting and (idle or storage.waiting > MOST_WAITING):
            storage.destage(PIECE)
            return True
        return idle and (storage.copy_some(PIECE) > 0 or storage.sweep(PIECE) > 0)

    def _answer(self, word: str) -> Status:
        connected = self._link.connected(f"primary:{self.machine.unit}")
        return {"party": self.name, **{"status": lambda: states.of_secondary(self.machine, connected)}[word]()}


class SessionParty:
    """A place that leads: one session, of a new number each time that it is opened."""

    def __init__(self, installation: Installation, place: int, tell: Tell) -> None:
        """Open its folder and take a number. Raises `BadInputError` as the others do, or where the number cannot be kept."""
        config = installation.sessions[place]
        self.name = f"session:{config.name}"
        self._units = installation.units
        self._numbers = SessionNumbers(made(config.folder), place)
        try:
            number = self._numbers.next()
        except StorageFailedError as error:
            self._numbers.close()
            raise BadInputError(f"{config.folder}: no number can be given to the session: {error}") from None
        shapes = tuple(unit.shape for unit in self._units)
        self.machine = Session(number, (len(shape.volumes) for shape in shapes), config.options)
        self._watch = states.SessionWatch(self.machine)
        self._link = TcpLink(f"session:{number}", Limits(shapes), installation.links, tell)
        self._runner = Runner(self.machine, self._link, tell, after=self._watch.after)
        self._endpoint = Endpoint(config.folder, self._answer)

    async def start(self) -> Status:
        """Dial every unit's primary and secondary."""
        for number, unit in enumerate(self._units):
            self._link.dial(f"primary:{number}", unit.primary.listen)
            self._link.dial(f"secondary:{number}", unit.secondary.listen)
        await opened(self._endpoint)
        self._runner.tell(Begin())
        return {"number": self.machine.number}

    async def run(self) -> None:
        """Work until cancelled; one that is superseded does nothing but answer how it is."""
        await self._runner.run()

    async def close(self) -> None:
        """End all connections and let go of the folder."""
        await self._endpoint.close()
        await self._link.close()
        self._numbers.close()

    def _answer(self, word: str) -> Status:
        if word != "status":
            if word not in ("pause", "resume"):
                raise KeyError(word)
            self._runner.tell(Wish(word))
        return {"party": self.name, **self._watch.status()}


KINDS: dict[str, Callable[[Installation, int, Tell], Party]] = {
    "primary": PrimaryParty,
    "secondary": SecondaryParty,
    "session": SessionParty,
}


def names(installation: Installation) -> dict[str, tuple[str, int]]:
    """Every party of an installation by its name: its kind, and its number among those. Sessions are the last."""
    found = {}
    for number, unit in enumerate(installation.units):
        found[f"secondary:{unit.name}"] = "secondary", number
        found[f"primary:{unit.name}"] = "primary", number
    for number, place in enumerate(installation.sessions):
        found[f"session:{place.name}"] = "session", number
    return found


def folder_of(installation: Installation, name: str) -> Path:
    """The folder of a party. Raises `KeyError` where there is no such party."""
    kind, number = names(installation)[name]
    if kind == "session":
        return installation.sessions[number].folder
    unit = installation.units[number]
    return unit.primary.folder if kind == "primary" else unit.secondary.folder


def open_party(installation: Installation, name: str, tell: Tell) -> Party:
    """Open one party. Raises `BadInputError`, also where there is no such party."""
    found = names(installation)
    if name not in found:
        raise BadInputError(f"no party is called {name!r}: there are {', '.join(found)}")
    kind, number = found[name]
    return KINDS[kind](installation, number, tell)
