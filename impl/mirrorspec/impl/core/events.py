"""What a machine is told: by hosts, by the network, by timers, by its own storage, and by itself."""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.impl.core.messages import Message


@dataclass(frozen=True, slots=True)
class HostWrite:
    """A host's write to a part of one track has arrived. *request* is never used twice by one unit."""

    request: int
    track: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Proceed:
    """A write that has arrived may go on, if nothing holds it: told by the machine to itself."""

    request: int


@dataclass(frozen=True, slots=True)
class Drain:
    """The async process looks for a track to send [0018]: told by the machine to itself."""

    process: int


@dataclass(frozen=True, slots=True)
class ReportDrained:
    """Nothing seems to be out of sync any more [0047] 850: told by the machine to itself."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message has arrived from another party."""

    sender: str
    message: Message


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer has run its time."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Begin:
    """The machine is up, for the first time or again: it starts what it must."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A person's wish to a session: ``pause`` when the increment under way has ended, or ``resume``."""

    wish: str


@dataclass(frozen=True, slots=True)
class Decide:
    """Something was reported: perhaps a session can go on now. Told by the machine to itself."""


Event = HostWrite | Proceed | Drain | ReportDrained | Received | TimerFired | Begin | Wish | Decide
