"""Which variant of the controller is built, and its times: one record for each kind of party.

The protocol's own choices are a `Configuration` of the specification; a combination that it tables as unsafe is refused,
with the name of its counterexample. What is added here changes when things happen, and where
bits lie, but never what may happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mirrorspec.spec import variants
from mirrorspec.spec.configuration import HARDENED, Configuration, Recovery
from mirrorspec.spec.errors import BadInputError


class Drained(StrEnum):
    """How the session learns that a unit has drained [0047]."""

    NOTIFY = "notify"
    """The unit says so by itself."""
    QUERY = "query"
    """The session asks, and is told how many tracks remain."""


class Processes(StrEnum):
    """How many processes drain the tracks [0018]."""

    ONE = "one"
    ONE_A_VOLUME = "one_a_volume"


@dataclass(frozen=True, slots=True)
class UnitShape:
    """The volumes of one control unit, each so many tracks of the same number of bytes; tracks are counted through."""

    volumes: tuple[int, ...]
    track_bytes: int

    @property
    def tracks(self) -> int:
        """How many tracks the unit has."""
        return sum(self.volumes)

    def first(self, volume: int) -> int:
        """The number of a volume's first track."""
        return sum(self.volumes[:volume])

    def volume(self, track: int) -> int:
        """The volume on which a track lies."""
        for v, tracks in enumerate(self.volumes):
            if track < tracks:
                return v
            track -= tracks
        raise IndexError(track)


@dataclass(frozen=True, slots=True)
class PrimaryOptions:
    """How a primary works."""

    configuration: Configuration = HARDENED
    drained: Drained = Drained.NOTIFY
    processes: Processes = Processes.ONE
    window: int = 8
    """At most so many transfers of one process are on their way."""
    waiting: int = 1024
    """At most so many writes wait at the unit; more are refused."""
    run_seconds: float = 1.0
    """The run timer: no host write is held longer [0039] 430."""
    increment_seconds: float = 3600.0
    """The maximum increment timer [0041] 558."""
    transfer_seconds: float = 2.0
    """A transfer that is not acknowledged by then is given up, and sent again in a new epoch."""

    def __post_init__(self) -> None:
        check(self.configuration)


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session leads increments: the parameters of the product family (docs/explanation/findings.md)."""

    interval_seconds: float = 0.0
    """From the end of one increment, formed or failed, to the start of the next."""
    coordination_seconds: float = 0.05
    """From start to run: when it passes, the increment is given up."""
    drain_seconds: float = 0.0
    """From run to flash; 0 means the larger of four minutes and twice the interval. The first increment has no limit."""
    resend_seconds: float = 0.5
    """A command without the report that it calls for is sent again."""
    failures: int = 5
    """After so many increments given up in a row the session pauses."""
    drained: Drained = Drained.NOTIFY
    configuration: Configuration = field(default=HARDENED)

    def __post_init__(self) -> None:
        check(self.configuration)

    @property
    def most_drain_seconds(self) -> float:
        """The time from run to flash, where it is limited."""
        return self.drain_seconds or max(240.0, 2 * self.interval_seconds)


def check(options: Configuration) -> None:
    """Refuse a configuration that the specification does not table as safe. Raises `BadInputError` with the reason."""
    if not options.hardened:
        raise BadInputError(
            "the controller builds the hardened configuration only: seed loses consistency when a timer fires"
        )
    if options.recovery is not Recovery.LAST_COMPLETE:
        raise BadInputError(
            "recovery from the newest target is unsafe: see `mirrorspec explore recovery_from_newest --text`"
        )
    reason = variants.fault(options)
    if reason:
        name = f"{options.hold}+{options.collision}+{options.switch}"
        raise BadInputError(f"{name} is unsafe: it {reason}; its counterexample has the same name")
