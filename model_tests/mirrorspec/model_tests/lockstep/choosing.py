"""Which steps are enabled, and how one is drawn among them: first what kind of step, by weight, then which one.

Every label names one enabled step, so nothing that is drawn is thrown away. Faults are bounded in number, since a run that is
all faults goes nowhere, and a run without them has little to show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from mirrorspec.impl.core.options import Drained, Processes, UnitShape
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.crashing_storage import Happening
from mirrorspec.model_tests.lockstep.system import SESSIONS, System
from mirrorspec.model_tests.simulation.scenario import BLOCK_BYTES, Scenario
from mirrorspec.spec import variants
from mirrorspec.spec.configuration import Configuration, Restart, Switch

Act = Callable[[], None]

WEIGHTS: dict[str, int] = {
    "deliver": 80, "go": 80, "write": 12, "restart": 16, "fire": 3, "lose": 1, "again": 1, "crash": 1, "arm": 1, "idle": 3,
    "session": 1,
}  # fmt: skip
"""How often each kind of step is drawn, of those that have an enabled one."""

MOST: dict[str, int] = {"lose": 4, "again": 4, "crash": 2, "arm": 3}
"""At most so many of each kind in one run."""

CONFIGURATIONS: tuple[Configuration, ...] = tuple(
    options.with_options(restart=restart)
    for options in variants.combinations().values()
    if not variants.fault(options)
    for restart in Restart
)
"""Every safe variant of the protocol, with either way to restart."""


def scenario(
    configuration: Configuration, drained: Drained, processes: Processes, placement: Placement, method: Method
) -> Scenario:
    """The installation of that configuration: two units, two volumes of a track each."""
    return Scenario(
        shape=UnitShape((1, 1), 2 * BLOCK_BYTES),
        units=2,
        writes=6,
        configuration=configuration,
        drained=drained,
        processes=processes,
        placement=placement,
        method=method,
        window=2,
    )


Enabled = Iterator[tuple[str, Act]]


def _held(words: str, act: Callable[[System, int], None]) -> Callable[[System], Enabled]:
    def found(system: System) -> Enabled:
        return ((f"{words} {held}", partial(act, system, number)) for number, held in system.held.items())

    return found


def _go(system: System) -> Enabled:
    for party, events in system.agenda.items():
        if events:
            yield f"{type(events[0]).__name__} at {party}", partial(system.go, party)


def _fire(system: System) -> Enabled:
    return ((f"fire {timer} at {party}", partial(system.fire, party, timer)) for party, timer in system.timers)


def _restart(system: System) -> Enabled:
    return ((f"restart {name}", partial(system.restart, name)) for name, one in system.parties.items() if not one.up)


def _up(system: System) -> Iterator[str]:
    return (name for name, one in system.parties.items() if one.up)


def _idle(system: System) -> Enabled:
    return ((f"idle {name}", partial(system.idle, name)) for name in _up(system))


def _fails(system: System) -> Iterator[str]:
    """The parties that may crash: none where a write that a crash forgets would be waited for ever after."""
    forgets = system.scenario.configuration.switch is not Switch.BEFORE_START
    return _up(system) if forgets else iter(())


def _crash(system: System) -> Enabled:
    return ((f"crash {name}", partial(system.crash, name)) for name in _fails(system))


def _arm(system: System) -> Enabled:
    for name in _fails(system):
        for what in Happening:
            yield f"{what} at the next persist point of {name}", partial(system.arm, name, what)


def _write(system: System) -> Enabled:
    s = system.scenario
    for name in _up(system):
        unit = system.parties[name].unit
        for track in range(s.shape.tracks if name.startswith("primary") else 0):
            if system.written[unit, track] < s.writes:
                yield f"write to track {track} of {name}", partial(system.write, unit, track)


def _session(system: System) -> Enabled:
    if system.begun < SESSIONS:
        yield "another session begins", system.begin_session


ENABLED: dict[str, Callable[[System], Enabled]] = {
    "deliver": _held("deliver", System.deliver),
    "go": _go,
    "write": _write,
    "restart": _restart,
    "fire": _fire,
    "lose": _held("lose", System.lose),
    "again": _held("deliver, and once more later,", System.deliver_again),
    "crash": _crash,
    "arm": _arm,
    "idle": _idle,
    "session": _session,
}
"""For each kind of step those that are enabled, as labels and acts."""


def kinds(system: System, used: Counter[str]) -> list[str]:
    """Every kind that has an enabled step, as often as it weighs."""
    found = []
    for kind, weight in WEIGHTS.items():
        if used[kind] < MOST.get(kind, used[kind] + 1) and next(ENABLED[kind](system), None):
            found += [kind] * weight
    return found


def step(system: System, used: Counter[str], choose: Callable[[Sequence[str]], str], labels: list[str]) -> None:
    """Take one enabled step, drawn by *choose*; its label is added to *labels* first.

    There is always one: a party is up, and its storage may do something in the background, or it is down and may restart.
    """
    kind = choose(kinds(system, used))
    acts = dict(ENABLED[kind](system))
    label = choose(list(acts))
    labels.append(label)
    used[kind] += 1
    system.now += 1
    acts[label]()
