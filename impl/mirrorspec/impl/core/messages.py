"""What the parties say to one another: commands of a session, reports of units, and transfers of tracks.

Every command and report carries the number of the session that speaks or is answered, and the number of the increment
that it is about. Numbers are compared and never used again (`mirrorspec.proofs.numbered` shows why that is enough). A unit
does not answer "yes" to a command but *reports* what it has durably recorded of the increment, so a report may be lost,
repeated or overtaken: an older one only says less.

Transfers carry the epoch of their connection and a sequence number within it. A primary that gives transfers up, or restarts,
begins a higher epoch; a secondary that has stored an epoch refuses all lower ones, so what was given up can no longer arrive
once anything is sent in its place.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a session about an increment."""

    session: int
    increment: int


class StartIncrement(Command):
    """To a primary: join the increment, and hold writes [0038] 450."""

    __slots__ = ()


class Run(Command):
    """To a primary: let held writes go on [0040] 550."""

    __slots__ = ()


class IncrementComplete(Command):
    """To a primary: merge, and go back to normal [0048] 854."""

    __slots__ = ()


class Abort(Command):
    """To a primary: record the increment as over."""

    __slots__ = ()


class QueryDrained(Command):
    """To a primary: how many tracks are still to be sent [0047] 850?"""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Flash(Command):
    """To a secondary: copy every volume onto its flash target, at once [0048] 852."""

    formed: int
    """The number that the increment has if it is committed: one more than the last that was."""


class Commit(Command):
    """To a secondary: every volume everywhere is flashed, so the flash is final."""

    __slots__ = ()


class Withdraw(Command):
    """To a secondary: the increment has failed; revert its flash, and refuse one that is still to come."""

    __slots__ = ()


class Query(Command):
    """To a primary or a secondary, from a session that takes over: refuse all lower sessions, and report.

    Its increment number is 0: the session does not know one yet.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PrimaryReport:
    """What a primary has durably recorded of the highest increment that it has heard of."""

    session: int
    increment: int
    unit: int
    joined: bool
    drained: bool
    ended: bool
    """It has recorded the increment as over, and refuses its later commands."""
    remaining: int
    """How many tracks are out of sync: the count of [0047]."""


@dataclass(frozen=True, slots=True)
class SecondaryReport:
    """What a secondary has durably recorded of the highest increment that it has heard of; volumes by number."""

    session: int
    increment: int
    unit: int
    formed: int
    """The highest number under which a flash of a volume was committed."""
    flashed: tuple[int, ...]
    committed: tuple[int, ...]
    withdrawn: tuple[int, ...]
    tainted: tuple[int, ...]
    """They can no longer be flashed in this increment."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A unit refused a command of this session about this increment; the code is one of `refusals`."""

    session: int
    increment: int
    unit: int
    code: str


@dataclass(frozen=True, slots=True)
class Hello:
    """From a primary: transfers of this epoch follow."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """From a secondary: it has stored the epoch and refuses all lower ones."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One track, primary to secondary."""

    epoch: int
    sequence: int
    track: int
    """Its number within the unit."""
    late_for: int
    """The increment that the unit had already left when it sent this; 0 if it had not left the one it last heard of."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Hardened:
    """From a secondary: this transfer is on durable storage."""

    epoch: int
    sequence: int
    track: int


Report = PrimaryReport | SecondaryReport | Refused
Message = Command | Report | Hello | Welcome | Transfer | Hardened
