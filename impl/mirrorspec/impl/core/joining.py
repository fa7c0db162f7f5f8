"""A primary in an increment: it is told to join, to run, how far it has drained, and by whom it is led [0038-0041, 0047].

A command is refused where the specification has a guard for it, by the name of that guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirrorspec.impl.core.commands import heard, refusal, refused, report
from mirrorspec.impl.core.events import Event, ReportDrained
from mirrorspec.impl.core.leaving import timer
from mirrorspec.impl.core.messages import Query, QueryDrained, Run, StartIncrement
from mirrorspec.impl.core.options import Drained
from mirrorspec.impl.core.outcome import (
    NOTHING,
    Acknowledge,
    Outcome,
    Put,
    StopTimer,
    Taken,
)
from mirrorspec.impl.core.records import IN_PROGRESS, PENDING
from mirrorspec.spec.configuration import Switch

if TYPE_CHECKING:
    from mirrorspec.impl.core.primary import PrimaryUnit


def start_increment(unit: PrimaryUnit, command: StartIncrement) -> Outcome:
    """The unit joins: it stops acknowledging and is pending; here its cut is frozen [0038-0039] 450-454."""
    n = command.increment
    code = refusal(unit.record, command)
    if not code and unit.record.over >= n:
        code = "not_left"
    if not code and not unit.mode.allows("start_increment"):
        code = "mode"
    if code:
        return refused(unit, command, code)
    catches = unit.options.configuration.switch is Switch.BEFORE_START

    def join() -> None:
        unit.caught = set(unit.arrived) if catches else set()

    return Outcome(
        (Taken("start_increment", (command.session,)),),
        (*heard(unit.record, command), Put("joined", n), Put("mode", unit.mode.target("start_increment"))),
        (join,),
        (timer(unit, PENDING, n), report(unit, command.session, n, joined=True)),
    )


def run(unit: PrimaryUnit, command: Run) -> Outcome:
    """Held writes go on, recorded in change recording from here on [0040-0041] 550-554."""
    n = command.increment
    code = refusal(unit.record, command)
    if not code and (unit.record.joined != n or not unit.mode.allows("run")):
        code = "mode"
    if not code and unit.caught:
        code = "completed"
    if code:
        return refused(unit, command, code)
    notify: tuple[Event, ...] = (ReportDrained(),) if unit.options.drained is Drained.NOTIFY else ()
    acknowledged = tuple(Acknowledge(request) for request in unit.withheld)
    return Outcome(
        (Taken("run", (command.session,)),),
        (*heard(unit.record, command), Put("mode", unit.mode.target("run"))),
        (unit.withheld.clear, unit.held.clear),
        (*acknowledged, StopTimer("run"), timer(unit, IN_PROGRESS, n)),
        (*unit.waiting(), *unit.drains(), *notify),
    )


def report_drained(unit: PrimaryUnit, event: ReportDrained) -> Outcome:
    """Nothing is out of sync in an increment in progress: the unit says so, unasked [0047] 850."""
    record = unit.record
    if not _drained(unit) or record.drained == record.increment:
        return NOTHING
    return Outcome(
        (Taken("report_drained"),),
        (Put("drained", record.increment),),
        outputs=(report(unit, record.session, record.increment, drained=True),),
    )


def query_drained(unit: PrimaryUnit, command: QueryDrained) -> Outcome:
    """The session asks how many tracks are still to be sent [0047] 850; where none is, that is recorded and said."""
    code = refusal(unit.record, command)
    if code:
        return refused(unit, command, code)
    n = unit.record.increment
    if command.increment != n or not _drained(unit) or unit.record.drained == n:
        return Outcome(outputs=(report(unit, command.session, n),))
    return Outcome(
        (Taken("report_drained"),), (Put("drained", n),), outputs=(report(unit, command.session, n, drained=True),)
    )


def _drained(unit: PrimaryUnit) -> bool:
    return unit.mode.state == IN_PROGRESS and not unit.out_of_sync


def query(unit: PrimaryUnit, command: Query) -> Outcome:
    """A session takes over: its number is stored before it is answered, and lower ones are refused ever after."""
    record = unit.record
    if command.session < record.session:
        return refused(unit, command, "obeyed")
    higher = command.session > record.session
    return Outcome(
        (Taken("answer", (command.session,)),) if higher else (),
        (Put("session", command.session),) if higher else (),
        outputs=(report(unit, command.session, record.increment),),
    )
