"""An installation as one TOML file says it: the units with their two sides, the places from which it is led, and all options.

The file is read strictly: a name that means nothing, a wrong type, a number out of range and two things at one address are
refused with the place where they stand. What is left out has the value of the options' own classes (`core.options`,
`link.stream`), so this file knows no default but the folders' relation to it: they are relative to the file's own folder.

    [[unit]]                                        [session]
    name = "a"                                      interval_seconds = 1
    track_bytes = 4096                              place = [{name = "home", folder = "session"}]
    volume = [{name = "accounts", tracks = 64}]
    primary = {folder = "primary-a", listen = "127.0.0.1:7101", hosts = "127.0.0.1:7201"}
    secondary = {folder = "secondary-a", listen = "127.0.0.1:7301"}

Further tables: `[protocol]` (hold, collision, switch, restart, drained), `[primary]` (the options of every primary), `[links]`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from mirrorspec.impl.core.options import PrimaryOptions, SessionOptions, UnitShape
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.fields import MOST_TRACK_BYTES, MOST_TRACKS, MOST_UNITS, MOST_VOLUMES, NAME
from mirrorspec.impl.link.stream import LinkOptions
from mirrorspec.impl.service.numbers import PLACES
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.spec.configuration import CHOICES, HARDENED, Configuration
from mirrorspec.spec.errors import BadInputError

LARGEST_BYTES = 1 << 20
LONGEST_SECONDS = 18 * 3600.0
"""The longest interval of the product family, and of anything here."""

Table = Mapping[str, Any]
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class PrimaryPlace:
    """Where the primary of a unit keeps its folder, listens to other parties, and listens to hosts."""

    folder: Path
    listen: Address
    hosts: Address
    options: PrimaryOptions
    placement: Placement


@dataclass(frozen=True, slots=True)
class SecondaryPlace:
    """Where the secondary of a unit keeps its folder and listens, and how it keeps its flash targets."""

    folder: Path
    listen: Address
    method: Method
    background: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """One control unit: volumes are named in the order of the shape."""

    name: str
    volumes: tuple[str, ...]
    shape: UnitShape
    primary: PrimaryPlace
    secondary: SecondaryPlace


@dataclass(frozen=True, slots=True)
class SessionPlace:
    """A place from which the installation may be led; its number is its rank in the file, so new ones are appended."""

    name: str
    folder: Path
    options: SessionOptions


@dataclass(frozen=True, slots=True)
class Installation:
    """All of it. Names of units, of volumes and of places are unique, and so are folders and addresses."""

    units: tuple[Unit, ...]
    sessions: tuple[SessionPlace, ...]
    links: LinkOptions


def load(path: Path) -> Installation:
    """What the file says. Raises `BadInputError` with the file, the place and the reason."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            raise BadInputError(f"{path}: larger than {LARGEST_BYTES >> 20} MiB, which no installation is")
        return parse(content.decode(), path.parent)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(f"{path}: is not TOML: {error}") from None
    except BadInputError as error:
        raise BadInputError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None


def parse(text: str, base: Path) -> Installation:
    """What a TOML text says, with folders relative to *base*. Raises `BadInputError`, and what `tomllib` raises."""
    data = tomllib.loads(text)
    _known(data, "the file", {"unit", "session"}, {"protocol", "primary", "links"})
    protocol = dict(_table(data.get("protocol", {}), "protocol"))
    drained = {"drained": protocol.pop("drained")} if "drained" in protocol else {}
    configuration = _configuration(protocol)
    primary = dict(_table(data.get("primary", {}), "primary"))
    placement = _choice(Placement, primary.pop("placement", Placement.NVS), "primary.placement")
    shared = {"configuration": configuration}
    options = _options(PrimaryOptions, {**primary, **drained}, "primary", shared)
    units = tuple(
        _unit(unit, f"unit[{i}]", base, options, placement)
        for i, unit in enumerate(_list(data["unit"], "unit", MOST_UNITS))
    )
    session = dict(_table(data["session"], "session"))
    places = _list(session.pop("place", [{"name": "home", "folder": "session"}]), "session.place", PLACES)
    led = _options(SessionOptions, {**session, **drained}, "session", shared)
    sessions = tuple(_place(place, f"session.place[{i}]", base, led) for i, place in enumerate(places))
    links = _options(LinkOptions, _table(data.get("links", {}), "links"), "links", {})
    found = Installation(units, sessions, links)
    _check(found)
    return found


def _unit(data: Any, place: str, base: Path, options: PrimaryOptions, placement: Placement) -> Unit:
    _known(_table(data, place), place, {"name", "track_bytes", "volume", "primary", "secondary"}, set())
    volumes = []
    for i, volume in enumerate(_list(data["volume"], f"{place}.volume", MOST_VOLUMES)):
        here = f"{place}.volume[{i}]"
        _known(_table(volume, here), here, {"name", "tracks"}, set())
        volumes.append((_name(volume["name"], here), _count(volume["tracks"], f"{here}.tracks", MOST_TRACKS)))
    shape = UnitShape(
        tuple(tracks for _, tracks in volumes), _count(data["track_bytes"], f"{place}.track_bytes", MOST_TRACK_BYTES)
    )
    p, s = data["primary"], data["secondary"]
    _known(_table(p, f"{place}.primary"), f"{place}.primary", {"folder", "listen", "hosts"}, set())
    _known(_table(s, f"{place}.secondary"), f"{place}.secondary", {"folder", "listen"}, {"method", "background"})
    return Unit(
        _name(data["name"], place),
        tuple(name for name, _ in volumes),
        shape,
        PrimaryPlace(
            _folder(p["folder"], f"{place}.primary.folder", base),
            _address(p["listen"], f"{place}.primary.listen"),
            _address(p["hosts"], f"{place}.primary.hosts"),
            options,
            placement,
        ),
        SecondaryPlace(
            _folder(s["folder"], f"{place}.secondary.folder", base),
            _address(s["listen"], f"{place}.secondary.listen"),
            _choice(Method, s.get("method", Method.COPY), f"{place}.secondary.method"),
            _typed(bool, s.get("background", False), f"{place}.secondary.background"),
        ),
    )


def _place(data: Any, place: str, base: Path, options: SessionOptions) -> SessionPlace:
    _known(_table(data, place), place, {"name", "folder"}, set())
    return SessionPlace(_name(data["name"], place), _folder(data["folder"], f"{place}.folder", base), options)


def _configuration(data: Table) -> Configuration:
    changed = {}
    for name, value in data.items():
        if name not in CHOICES:
            raise BadInputError(f"protocol: {name!r} means nothing here: there are {', '.join([*CHOICES, 'drained'])}")
        changed[name] = _choice(CHOICES[name], value, f"protocol.{name}")
    return HARDENED.with_options(**changed) if changed else HARDENED


def _options(kind: type[T], data: Table, place: str, more: Mapping[str, Any]) -> T:
    """The options of a class, from a table whose names are its fields."""
    defaults: Any = kind(**more)
    names = {field.name for field in fields(defaults)} - more.keys()
    _known(data, place, set(), names)
    changed: dict[str, Any] = {}
    for name, value in data.items():
        default, here = getattr(defaults, name), f"{place}.{name}"
        if isinstance(default, StrEnum):
            changed[name] = _choice(type(default), value, here)
        elif isinstance(default, bool):
            changed[name] = _typed(bool, value, here)
        elif isinstance(default, int):
            changed[name] = _count(value, here, 2**31)
        else:
            changed[name] = _seconds(value, here)
    found: T = replace(defaults, **changed)
    return found


def _check(found: Installation) -> None:
    """Nothing is there twice. Raises `BadInputError`."""
    units, sessions = found.units, found.sessions
    _once("unit", (u.name for u in units))
    _once("volume", (v for u in units for v in u.volumes))
    _once("place", (s.name for s in sessions))
    folders = [place.folder for u in units for place in (u.primary, u.secondary)]
    _once("folder", (str(folder.absolute()) for folder in [*folders, *(s.folder for s in sessions)]))
    _once("address", (str(a) for u in units for a in (u.primary.listen, u.primary.hosts, u.secondary.listen)))


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadInputError(f"the {what} {name} is there twice")
        seen.add(name)


def _known(data: Table, place: str, needed: set[str], allowed: set[str]) -> None:
    if missing := needed - data.keys():
        raise BadInputError(f"{place}: {min(missing)!r} is missing")
    if unknown := data.keys() - needed - allowed:
        raise BadInputError(
            f"{place}: {min(unknown)!r} means nothing here: there are {', '.join(sorted(needed | allowed))}"
        )


def _table(data: Any, place: str) -> Table:
    if not isinstance(data, dict):
        raise BadInputError(f"{place}: a table is expected")
    return data


def _list(data: Any, place: str, most: int) -> list[Any]:
    if not isinstance(data, list) or not 1 <= len(data) <= most:
        raise BadInputError(f"{place}: a list of 1 to {most} tables is expected")
    return data


def _typed(kind: type[T], data: Any, place: str) -> T:
    if type(data) is not kind:
        raise BadInputError(f"{place}: {'true or false' if kind is bool else 'text'} is expected")
    return data


def _name(data: Any, place: str) -> str:
    if not isinstance(data, str) or not NAME.fullmatch(data):
        raise BadInputError(f"{place}.name: letters, digits, dots, dashes and underscores are expected, at most 64")
    return data


def _count(data: Any, place: str, most: int) -> int:
    if type(data) is not int or not 1 <= data <= most:
        raise BadInputError(f"{place}: a whole number from 1 to {most} is expected")
    return data


def _seconds(data: Any, place: str) -> float:
    if type(data) not in (int, float) or not 0 <= data <= LONGEST_SECONDS:
        raise BadInputError(f"{place}: seconds from 0 to {LONGEST_SECONDS:.0f} are expected")
    return float(data)


def _choice(kind: type[E], data: Any, place: str) -> E:
    try:
        return kind(data)
    except ValueError:
        raise BadInputError(f"{place}: one of {', '.join(kind)} is expected") from None


def _folder(data: Any, place: str, base: Path) -> Path:
    text = _typed(str, data, place)
    if not text or "\0" in text:
        raise BadInputError(f"{place}: the path of a folder is expected")
    return base / text


def _address(data: Any, place: str) -> Address:
    try:
        return Address.parse(_typed(str, data, place))
    except ValueError as error:
        raise BadInputError(f"{place}: {error}") from None
