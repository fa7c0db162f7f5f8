"""What a faulty controller is: the reference controller with one function replaced, and the world in which that shows.

Nothing else differs, so what is caught is the fault and not its surroundings. The replacement is in force inside `made`, for
every machine of the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Bitmap, Change, Clear, Outcome
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.model_tests.simulation.scenario import FAULTS, Faults, Scenario
from mirrorspec.spec.configuration import HARDENED, Configuration

Function = Callable[..., Any]
Places = tuple[tuple[Any, Any], ...]
"""Where functions are replaced: a module or class and a name, or a table and a key."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """One faulty controller."""

    name: str
    """The name of the deviation of the specification that it is in code, where there is one."""
    words: str
    """What it does wrong."""
    cites: str
    """The paragraph of the document that it breaks."""
    faults: str
    """The name of the world in which it is caught."""
    scenario: Scenario
    """The installation and the world in which it is caught: everything about them is stated, and nothing drawn."""
    places: Places
    change: Callable[[Function], Function]
    """From the right function to the wrong one."""

    @contextmanager
    def made(self) -> Iterator[None]:
        """While this is entered, every machine is faulty."""
        right = [(owner, key, _get(owner, key)) for owner, key in self.places]
        for owner, key, function in right:
            _set(owner, key, self.change(function))
        try:
            yield
        finally:
            for owner, key, function in right:
                _set(owner, key, function)


def _get(owner: Any, key: Any) -> Function:
    found: Function = owner[key] if isinstance(owner, dict) else getattr(owner, key)
    return found


def _set(owner: Any, key: Any, function: Function) -> None:
    if isinstance(owner, dict):
        owner[key] = function
    else:
        setattr(owner, key, function)


FAULTY: dict[str, Faulty] = {}
"""Every faulty controller by its name; the modules of this package fill it."""


BASE = Scenario(shape=UnitShape((2, 2), 16), units=2, writes=40, seconds=1.0, window=1)
"""Two units that are written often, and send one track at a time."""
WORLDS: dict[str, Faults] = {
    **FAULTS,
    "late copies": Faults(loss=0.1, duplication=0.5, lateness=0.2),
    "islands": Faults(loss=0.3, duplication=0.5, partitions=8),
    "failing storage": Faults(loss=0.02, lateness=0.1, crashes=3, failures=16),
}
"""The worlds in which faults are looked for: those of the simulation, and some that bring out one kind of fault."""


def faulty(
    words: str,
    *places: tuple[Any, Any],
    cites: str,
    faults: str = "reliable",
    configuration: Configuration = HARDENED,
    shape: UnitShape = BASE.shape,
    writes: int = BASE.writes,
) -> Callable[[Callable[[Function], Function]], Callable[[Function], Function]]:
    """Enter a change of a function in the table, under its own name."""

    def enter(change: Callable[[Function], Function]) -> Callable[[Function], Function]:
        name = change.__name__
        assert name not in FAULTY, name
        scenario = replace(BASE, faults=WORLDS[faults], configuration=configuration, shape=shape, writes=writes)
        FAULTY[name] = Faulty(name, words, cites, faults, scenario, places, change)
        return change

    return enter


# What several changes have in common


def adding(outcome: Outcome, *changes: Change) -> Outcome:
    """The outcome with more durable changes."""
    return replace(outcome, changes=(*outcome.changes, *changes))


def without(outcome: Outcome, unwanted: Callable[[Change], bool]) -> Outcome:
    """The outcome without some of its durable changes."""
    return replace(outcome, changes=tuple(change for change in outcome.changes if not unwanted(change)))


def all_cleared(unit: PrimaryUnit) -> tuple[Change, ...]:
    """Every track counts as synchronised."""
    return tuple(Clear(Bitmap.OUT_OF_SYNC, track) for track in unit.out_of_sync)


def undone(owner: Any, **values: object) -> Any:
    """A context in which attributes have other values: what a function that forgets to look at them would see."""

    @contextmanager
    def other() -> Iterator[None]:
        right = {name: getattr(owner, name) for name in values}
        for name, value in values.items():
            setattr(owner, name, value)
        try:
            yield
        finally:
            for name, value in right.items():
                setattr(owner, name, value)

    return other()
