"""What a simulated run is made of: the installation, the faults of the world, and a schedule of what happens from outside.

A schedule is drawn from a seed and is then plain data: hosts' writes, crashes, partitions, failing storage, new sessions, each
at its time. What is left to chance while it runs (each message's fate, each timer's lateness) comes from the same seed, so a
run is repeated by its scenario and schedule alone; and a schedule from which actions are taken away is a schedule again, which
is how a failing one is made short.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from mirrorspec.impl.core.options import Drained, PrimaryOptions, Processes, SessionOptions, UnitShape
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.crashing_storage import Happening
from mirrorspec.model_tests.simulation.coverage import DURABLE
from mirrorspec.spec import variants
from mirrorspec.spec.configuration import HARDENED, Configuration, Restart, Switch

BLOCK_BYTES = 8
"""Hosts write blocks of this size, each with a stamp that no other write has."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often the world fails."""

    loss: float = 0.0
    """The part of all messages that are lost."""
    duplication: float = 0.0
    """The part that arrive twice, the second time much later."""
    lateness: float = 0.0
    """The part of all timers that fire late, up to ten times their time."""
    crashes: int = 0
    """How many crashes of units, at a moment or at a persist point."""
    partitions: int = 0
    """How many times two parties cannot reach one another for a while."""
    failures: int = 0
    """How many times the storage of a unit fails for a while."""
    takeovers: int = 0
    """How many times another session takes over, the old one alive or dead."""

    @property
    def forgets(self) -> bool:
        """Whether a write that has arrived may never be completed.

        The specification has no such write: one that is in progress when a unit joins is waited for in every later increment,
        where requests in progress are completed before the switch. That variant is left out here.
        """
        return bool(self.crashes or self.failures)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One installation, and the world around it."""

    shape: UnitShape = UnitShape((2, 2), 2 * BLOCK_BYTES)
    units: int = 2
    writes: int = 24
    """At most so many writes to each track."""
    seconds: float = 1.0
    """So long hosts write and faults happen; then the world is whole again."""
    faults: Faults = Faults()
    configuration: Configuration = HARDENED
    drained: Drained = Drained.NOTIFY
    processes: Processes = Processes.ONE
    window: int = 2
    placement: Placement = Placement.NVS
    method: Method = Method.COPY
    background: bool = False
    place: str = "elsewhere"
    """Where sessions run: *elsewhere*, or at a party such as *primary:0*, with which they crash."""

    @property
    def sessions(self) -> int:
        """How many sessions there can be."""
        return 1 + self.faults.takeovers + (self.faults.crashes if self.place != "elsewhere" else 0)

    @property
    def primary(self) -> PrimaryOptions:
        """The options of its primaries, with times that fit so short a run."""
        return PrimaryOptions(
            self.configuration,
            self.drained,
            self.processes,
            self.window,
            run_seconds=0.1,
            increment_seconds=0.5,
            transfer_seconds=0.05,
        )

    @property
    def session(self) -> SessionOptions:
        """The options of its sessions, likewise."""
        return SessionOptions(
            interval_seconds=0.02,
            coordination_seconds=0.08,
            drain_seconds=0.4,
            resend_seconds=0.03,
            failures=1_000_000,
            drained=self.drained,
            configuration=self.configuration,
        )


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens from outside."""

    at: float
    kind: str
    """``write``, ``crash``, ``partition``, ``fail`` or ``takeover``."""
    party: str
    track: int = 0
    block: int = 0
    other: str = ""
    """For a partition the party at its other end."""
    seconds: float = 0.0
    """How long it lasts: until the restart, until the network heals, until storage works again."""
    happening: str = ""
    """For a crash what happens at a persist point; empty: it happens at once."""
    points: int = 0
    """For a crash so many persist points are passed first."""
    act: str = ""
    """For a crash: it happens at the first persist point of the next such durable act instead (`coverage.DURABLE`)."""
    survives: bool = False
    """For a takeover whether the old session lives on."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A seed and what happens from outside, in the order of time."""

    seed: int
    actions: tuple[Action, ...] = field(default=())


def draw(scenario: Scenario, seed: int) -> Schedule:
    """The schedule of a seed."""
    random = Random(f"{seed}/schedule")
    shape, faults, seconds = scenario.shape, scenario.faults, scenario.seconds
    primaries = [f"primary:{unit}" for unit in range(scenario.units)]
    secondaries = [f"secondary:{unit}" for unit in range(scenario.units)]
    blocks = shape.track_bytes // BLOCK_BYTES
    actions: list[Action] = []
    for party in primaries:
        for track in range(shape.tracks):
            for _ in range(random.randrange(scenario.writes + 1)):
                at = random.uniform(0, seconds)
                actions.append(Action(at, "write", party, track, random.randrange(blocks)))
    for _ in range(faults.crashes):
        happening = random.choice(["", *(h.value for h in Happening if h is not Happening.FAILURE)])
        party = random.choice(primaries + secondaries)
        act = random.choice(DURABLE[party.split(":")[0]]) if random.random() < 0.5 else ""
        at = 0.0 if act == "establish" else random.uniform(0, seconds)
        down = random.uniform(0, 0.3)
        if act and not happening:
            happening = Happening.AFTER.value
        actions.append(
            Action(at, "crash", party, seconds=down, happening=happening, points=random.randrange(8), act=act)
        )
    for _ in range(faults.partitions):
        one = random.choice(primaries + secondaries)
        peers = [f"{'secondary' if one.startswith('primary') else 'primary'}:{one.split(':')[1]}", "session"]
        at, length = random.uniform(0, seconds), random.uniform(0, 0.5)
        actions.append(Action(at, "partition", one, other=random.choice(peers), seconds=length))
    for _ in range(faults.failures):
        at, length = random.uniform(0, seconds), random.uniform(0, 0.2)
        actions.append(Action(at, "fail", random.choice(primaries + secondaries), seconds=length))
    for _ in range(faults.takeovers):
        actions.append(Action(random.uniform(0, seconds), "takeover", "session", survives=random.random() < 0.7))
    return Schedule(seed, tuple(sorted(actions, key=lambda a: (a.at, a.kind, a.party))))


FAULTS: dict[str, Faults] = {
    "reliable": Faults(),
    "links": Faults(loss=0.05, duplication=0.05, lateness=0.1, partitions=2),
    "crashes": Faults(loss=0.02, duplication=0.02, lateness=0.1, crashes=4, partitions=1, failures=1),
    "takeover": Faults(loss=0.02, duplication=0.05, lateness=0.1, partitions=1, takeovers=2),
    "all": Faults(loss=0.03, duplication=0.05, lateness=0.1, crashes=3, partitions=2, failures=1, takeovers=2),
}
"""The worlds, by name."""


def scenario(seed: int, faults: str = "all") -> Scenario:
    """The scenario of a seed: every option of the controller is drawn, so that many seeds cover their combinations."""
    random = Random(f"{seed}/scenario")
    safe = [options for options in variants.combinations().values() if not variants.fault(options)]
    if FAULTS[faults].forgets:
        safe = [options for options in safe if options.switch is not Switch.BEFORE_START]
    configuration = random.choice(safe)
    if random.random() < 0.25:
        configuration = configuration.with_options(restart=Restart.LEAVE)
    units = random.choice((1, 2, 2, 2))
    return Scenario(
        shape=random.choice((UnitShape((2, 2), 16), UnitShape((1, 2), 16), UnitShape((3,), 16))),
        units=units,
        faults=FAULTS[faults],
        configuration=configuration,
        drained=random.choice(list(Drained)),
        processes=random.choice(list(Processes)),
        window=random.choice((1, 2, 4)),
        placement=random.choice(list(Placement)),
        method=random.choice(list(Method)),
        background=random.random() < 0.3,
        place=random.choice(("elsewhere", "elsewhere", "primary:0", f"secondary:{units - 1}")),
    )
