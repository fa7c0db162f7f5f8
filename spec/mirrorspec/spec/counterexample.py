"""The one counterexample format: what every engine that finds a violation writes, and whoever explains one reads.

A file is JSON in the Informal Trace Format (ITF: ``#meta``, ``params``, ``vars``, ``states``), so that other tools load it.
The project's own part is ``#meta.mirrorspec``: configuration, environment, bounds, deviation, property, engine, seed and
versions; and in each state ``#meta.step``, the event that led to it. The events are what counts: reading a file replays them
in the bits reading on the complete model, and a file that does not replay, or does not break its property, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mirrorspec.spec import configuration as variants
from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.deviations import deviation as deviation_named
from mirrorspec.spec.environment import ENVIRONMENTS, Environment
from mirrorspec.spec.errors import BadInputError, unknown_name
from mirrorspec.spec.model import Model, StagedProperty, build
from mirrorspec.spec.properties import PROPERTIES, Kind
from mirrorspec.spec.readings.bits import BitsReading, Event, Valuation
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.universe import Layout, Universe
from mirrorspec.spec.witness import Witness, witnesses

FORMAT = 1
LARGEST_FILE_BYTES = 64 << 20
MOST_THINGS = 64
"""Of each sort: more do not fit a word, and a file that asks for more is refused before anything is built."""


@dataclass(frozen=True, slots=True)
class Setting:
    """In what a trace happens: which protocol, which world, how many of everything."""

    configuration: Configuration
    environment: Environment
    layout: Layout
    sessions: int
    deviation: str | None = None

    @property
    def universe(self) -> Universe:
        """The universe of the trace."""
        return Universe.of(self.layout, self.sessions)

    def model(self) -> Model:
        """The complete model: every field, as the steps are written."""
        if self.deviation is not None:
            return deviation_named(self.deviation).model(self.environment, complete=True)
        return build(self.configuration, self.environment, complete=True)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A trace that breaks a property. Build it with `replayed`, which makes sure that it does."""

    setting: Setting
    labels: tuple[str, ...]
    property: str
    states: tuple[Valuation, ...]
    witness: Witness | None
    engine: str
    seed: int | None = None
    shortest: bool = False
    versions: dict[str, str] = field(default_factory=dict)


def replayed(
    setting: Setting,
    labels: Sequence[str],
    property: str,
    *,
    engine: str,
    seed: int | None = None,
    shortest: bool = False,
) -> Counterexample:
    """The counterexample of these events. Raises `BadInputError` when one is refused or the property is not broken."""
    reading = BitsReading(setting.model(), setting.universe)
    state = reading.initial()
    states: list[Valuation] = [state]
    event: Event | None = None
    for number, label in enumerate(labels, 1):
        event = reading.by_label.get(label)
        if event is None:
            raise BadInputError(f"event {number} of the trace, {label!r}, is no event of this model at these bounds")
        refused = reading.refusals(event, state)
        if refused:
            raise BadInputError(f"event {number} of the trace, {label}, is refused by {', '.join(refused)}")
        state = reading.after(event, state)
        states.append(state)
    broken = next((p for p in reading.model.properties if p.name == property), None)
    if broken is None:
        raise unknown_name("property", property, (p.name for p in reading.model.properties))
    before = states[-2] if len(states) > 1 else None
    if property not in reading.broken(before, event, state):
        raise BadInputError(f"the trace ends in a state that keeps {property!r}: it is no counterexample")
    return Counterexample(
        setting,
        tuple(labels),
        property,
        tuple(states),
        _witness(broken, reading, before, event, state),
        engine,
        seed,
        shortest,
        _versions(),
    )


def _witness(
    broken: StagedProperty, reading: BitsReading, before: Valuation | None, event: Event | None, state: Valuation
) -> Witness | None:
    found = witnesses(broken.of_state, reading.universe, state) if not broken.parameters else []
    if not found and before is not None and event is not None and event.step.name in broken.of_step:
        found = witnesses(broken.of_step[event.step.name], reading.universe, before, event.parameters)
    return found[0] if found else None


def _versions() -> dict[str, str]:
    try:
        return {"mirrorspec": version("mirrorspec")}
    except PackageNotFoundError:
        return {"mirrorspec": "not installed"}


def to_json(found: Counterexample) -> dict[str, Any]:
    """The counterexample as an ITF object."""
    setting = found.setting
    fields = setting.model().fields
    universe = setting.universe
    return {
        "#meta": {
            "format": "ITF",
            "description": f"{found.property} is violated",
            "mirrorspec": {
                "format": FORMAT,
                "configuration": asdict(setting.configuration),
                "environment": setting.environment.name,
                "layout": setting.layout,
                "sessions": setting.sessions,
                "deviation": setting.deviation,
                "property": found.property,
                "engine": found.engine,
                "seed": found.seed,
                "shortest": found.shortest,
                "versions": found.versions,
            },
        },
        "params": [],
        "vars": [f.name for f in fields],
        "states": [
            {
                "#meta": {"index": i, "step": found.labels[i - 1] if i else None},
                **{f.name: _value(universe, f.sort, state[f.name]) for f in fields},
            }
            for i, state in enumerate(found.states)
        ],
    }


def _value(universe: Universe, sort: Sort, value: Any) -> dict[str, Any]:
    if isinstance(value, tuple):
        return {"#map": [[universe.name(sort, w), _value(universe, sort, row)] for w, row in enumerate(value)]}
    return {"#set": [universe.name(sort, i) for i in range(universe.sizes[sort]) if value >> i & 1]}


def read(path: Path) -> Counterexample:
    """The counterexample in a file. Raises `BadInputError` for anything that is not one, with the reason."""
    try:
        if not path.is_file():
            raise BadInputError(f"{path}: cannot be read: not a regular file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE_BYTES + 1)
        if len(raw) > LARGEST_FILE_BYTES:
            raise BadInputError(f"{path}: larger than {LARGEST_FILE_BYTES >> 20} MiB, which no counterexample is")
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{path}: is not text in UTF-8") from None
    except (ValueError, RecursionError):
        raise BadInputError(f"{path}: is not JSON") from None
    try:
        return from_json(data)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise BadInputError("a member is given twice in one object")
    return table


def from_json(data: object) -> Counterexample:
    """The counterexample of an ITF object, replayed and compared with the states that it gives."""
    if not isinstance(data, dict) or not isinstance(data.get("#meta"), dict):
        raise BadInputError("is not an ITF trace: an object with #meta, vars and states")
    meta, states = data["#meta"].get("mirrorspec"), data.get("states")
    if not isinstance(meta, dict) or not isinstance(states, list) or not states:
        raise BadInputError("has no #meta.mirrorspec, or no states: it was not written by this project")
    if meta.get("format") != FORMAT or meta.get("format") is True:
        raise BadInputError(f"has format {meta.get('format')!r}; this version reads {FORMAT}")
    labels: list[str] = []
    for i, state in enumerate(states):
        if not isinstance(state, dict):
            raise BadInputError(f"state {i} is not an object")
        inner = state.get("#meta")
        step = inner.get("step") if isinstance(inner, dict) else None
        if i == 0:
            continue
        if not isinstance(step, str):
            raise BadInputError(f"state {i} names no step in its #meta")
        labels.append(step)
    seed = meta.get("seed")
    property = meta.get("property")
    if not isinstance(property, str) or property not in PROPERTIES or PROPERTIES[str(property)].kind is Kind.SOMETIMES:
        raise unknown_name("property", str(property), PROPERTIES)
    found = replayed(
        _setting(meta),
        labels,
        str(property),
        engine=str(meta.get("engine")),
        seed=seed if isinstance(seed, int) else None,
        shortest=meta.get("shortest") is True,
    )
    for i, (mine, theirs) in enumerate(zip(to_json(found)["states"], states, strict=True)):
        for name in mine:
            if mine[name] != theirs.get(name):
                raise BadInputError(
                    f"state {i} differs from the replay in {name!r}: the file was changed, or another version of the "
                    f"specification wrote it"
                )
    return found


def _setting(meta: dict[str, Any]) -> Setting:
    environment = meta.get("environment")
    if not isinstance(environment, str) or environment not in ENVIRONMENTS:
        raise unknown_name("environment", str(environment), ENVIRONMENTS)
    world = ENVIRONMENTS[environment]
    deviation = meta.get("deviation")
    if deviation is not None:
        deviation_named(str(deviation))
    sessions = meta.get("sessions")
    if not isinstance(sessions, int) or isinstance(sessions, bool) or not 1 <= sessions <= MOST_THINGS:
        raise BadInputError(f"#meta.mirrorspec.sessions must be a number from 1 to {MOST_THINGS}")
    configuration = _configuration(meta.get("configuration"))
    if deviation is not None and configuration != deviation_named(str(deviation)).configuration:
        raise BadInputError(f"#meta.mirrorspec.configuration is not the one of the deviation {deviation}")
    return Setting(configuration, world, layout_of(meta.get("layout")), sessions, deviation)


def _configuration(data: object) -> Configuration:
    if not isinstance(data, dict) or data.keys() != {"name", "hardened", *variants.CHOICES}:
        raise BadInputError(f"#meta.mirrorspec.configuration must have name, hardened, {', '.join(variants.CHOICES)}")
    if not isinstance(data["hardened"], bool):
        raise BadInputError("#meta.mirrorspec.configuration.hardened must be true or false")
    options = {}
    for name, choice in variants.CHOICES.items():
        if data[name] not in list(choice):
            raise unknown_name(name, str(data[name]), list(choice))
        options[name] = choice(data[name])
    base = variants.HARDENED if data["hardened"] else variants.SEED
    made = base.with_options(**options)
    if data["name"] != made.name:
        raise BadInputError(f"#meta.mirrorspec.configuration.name must be {made.name!r} for these choices")
    return made


def layout_of(data: object) -> Layout:
    """A layout from JSON: a list of units, each a list of volumes, each a list of write counts, one a track."""

    def parts(value: object) -> list[Any]:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_THINGS:
            raise BadInputError("the layout must be units of volumes of tracks, each a non-empty list of at most 64")
        return value

    layout = tuple(tuple(tuple(parts(volume)) for volume in parts(unit)) for unit in parts(data))
    counts = [n for unit in layout for volume in unit for n in volume]
    if not all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= MOST_THINGS for n in counts):
        raise BadInputError("the layout must give the number of writes to each track")
    if not 1 <= sum(counts) <= MOST_THINGS or len(counts) > MOST_THINGS:
        raise BadInputError(f"the layout must have at least one write, and at most {MOST_THINGS} writes and tracks")
    return layout
