"""A failing schedule made as short as it gets, and a file that repeats it.

The faults that are left to chance are switched off, one kind after another, and actions are taken away, in halves and then one
by one, as long as the run still fails in the same way. What remains is *shortest* in the sense that no single action can be
taken away any more. The file holds scenario and schedule as JSON, so it runs again without the seed that found it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mirrorspec.impl.core.options import Drained, Processes, UnitShape
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.simulation.scenario import Action, Faults, Scenario, Schedule
from mirrorspec.spec.configuration import CHOICES, HARDENED
from mirrorspec.spec.errors import BadInputError

FORMAT = "mirrorspec-schedule-1"
MOST_RUNS = 600
"""So many runs are spent on making a schedule shorter."""
MOST_BYTES = 10_000_000

Fails = Callable[[Scenario, Schedule], str]
"""Runs a schedule: how it fails, in one word; empty where it does not."""


def shrink(scenario: Scenario, schedule: Schedule, fails: Fails) -> tuple[Scenario, Schedule]:
    """A shorter schedule, in a world with fewer faults, that fails as this one does."""
    how = fails(scenario, schedule)
    left = MOST_RUNS

    def still(s: Scenario, actions: list[Action]) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and fails(s, Schedule(schedule.seed, tuple(actions))) == how

    world = scenario.faults
    for faults in (replace(world, loss=0.0), replace(world, loss=0.0, duplication=0.0, lateness=0.0)):
        calmer = replace(scenario, faults=faults)
        if still(calmer, list(schedule.actions)):
            scenario = calmer
    actions = list(schedule.actions)
    size = max(len(actions) // 2, 1)
    while size:
        start = 0
        while start < len(actions):
            fewer = actions[:start] + actions[start + size :]
            if still(scenario, fewer):
                actions = fewer
            else:
                start += size
        size //= 2
    return scenario, Schedule(schedule.seed, tuple(actions))


def to_json(scenario: Scenario, schedule: Schedule) -> dict[str, Any]:
    """A scenario and a schedule as plain data."""
    options = scenario.configuration
    plain = asdict(scenario) | {"configuration": {name: str(getattr(options, name)) for name in CHOICES}}
    return {
        "format": FORMAT,
        "scenario": plain,
        "seed": schedule.seed,
        "actions": [asdict(a) for a in schedule.actions],
    }


def read(path: str) -> tuple[Scenario, Schedule]:
    """A scenario and a schedule from a file. Raises `BadInputError` with what is wrong."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise BadInputError(f"{path}: a schedule has at most {MOST_BYTES} bytes")
    return parse(path, content)


def parse(path: str, content: bytes) -> tuple[Scenario, Schedule]:
    """A scenario and a schedule from the content of a file of that name. Raises `BadInputError` with what is wrong."""
    try:
        data = json.loads(content)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise BadInputError(f"{path}: no schedule: its format is not {FORMAT!r}")
        plain = dict(data["scenario"])
        choices = {name: CHOICES[name](value) for name, value in plain.pop("configuration").items()}
        shape = plain.pop("shape")
        scenario = Scenario(
            shape=UnitShape(tuple(shape["volumes"]), shape["track_bytes"]),
            faults=Faults(**plain.pop("faults")),
            configuration=HARDENED.with_options(**choices),
            drained=Drained(plain.pop("drained")),
            processes=Processes(plain.pop("processes")),
            placement=Placement(plain.pop("placement")),
            method=Method(plain.pop("method")),
            **plain,
        )
        actions = tuple(Action(**action) for action in data["actions"])
        _check(path, scenario, actions)
        return scenario, Schedule(int(data["seed"]), actions)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadInputError(f"{path}: no schedule: {error}") from error


def _check(path: str, scenario: Scenario, actions: tuple[Action, ...]) -> None:
    """Refuse what a run could not do, or not with bounded memory."""
    small = 1 <= scenario.units <= 8 and 1 <= scenario.shape.tracks <= 64 and 1 <= scenario.writes <= 256
    if not small or not 0 < scenario.seconds <= 3600 or scenario.shape.track_bytes % 8 or len(actions) > 100_000:
        raise BadInputError(f"{path}: a run has at most 8 units of 64 tracks of 256 writes, and an hour")
    parties = {f"{role}:{unit}" for role in ("primary", "secondary") for unit in range(scenario.units)}
    for place, action in enumerate(actions):
        if action.kind not in ("write", "crash", "partition", "fail", "takeover"):
            raise BadInputError(f"{path}: action {place}: there is no kind {action.kind!r}")
        if action.kind != "takeover" and action.party not in parties:
            raise BadInputError(f"{path}: action {place}: there is no party {action.party!r}")
        blocks = scenario.shape.track_bytes // 8
        if not (0 <= action.track < scenario.shape.tracks and 0 <= action.block < blocks and action.at >= 0):
            raise BadInputError(f"{path}: action {place} lies outside the installation or before the run")
