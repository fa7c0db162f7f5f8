"""What a session does next: which commands are wanting, and which of its decisions the reports allow [0047-0048].

`wanting` says it for every phase: the commands whose effect has not been reported yet. They are sent when a phase is entered,
and again after a while. `decide` takes one decision of the specification where its guard is known to hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mirrorspec.impl.core.events import Decide
from mirrorspec.impl.core.messages import (
    Abort,
    Commit,
    Flash,
    IncrementComplete,
    Query,
    QueryDrained,
    Run,
    SecondaryReport,
    StartIncrement,
    Withdraw,
)
from mirrorspec.impl.core.options import Drained
from mirrorspec.impl.core.outcome import NOTHING, Notice, Outcome, Output, Send, StartTimer, Taken
from mirrorspec.spec.charts import SessionPhase

if TYPE_CHECKING:
    from mirrorspec.impl.core.session import Session

STARTING, RUNNING, FLASHING = SessionPhase.starting.id, SessionPhase.running.id, SessionPhase.flashing.id
COMMITTING, ABORTING = SessionPhase.committing.id, SessionPhase.aborting.id
STANDING_BY, TAKING_OVER = SessionPhase.standing_by.id, SessionPhase.taking_over.id


def wanting(s: Session, phase: str, increment: int) -> Iterator[Output]:
    """The commands of a phase whose effect has not been reported."""
    k = s.number
    for unit, known in enumerate(s.known):
        primary, secondary, volumes = f"primary:{unit}", f"secondary:{unit}", s.volumes[unit]
        if phase == TAKING_OVER:
            yield from (Send(party, Query(k, 0)) for party in (primary, secondary) if party not in s.answers)
        elif phase == STARTING and not known.joined:
            yield Send(primary, StartIncrement(k, increment))
        elif phase == RUNNING and not known.drained:
            yield Send(primary, Run(k, increment))
            if s.options.drained is Drained.QUERY:
                yield Send(primary, QueryDrained(k, increment))
        elif phase == FLASHING and len(known.flashed) < volumes:
            yield Send(secondary, Flash(k, increment, s.formed + 1))
        elif phase == COMMITTING:
            if len(known.committed) < volumes:
                yield Send(secondary, Commit(k, increment))
            if not known.ended:
                yield Send(primary, IncrementComplete(k, increment))
        elif phase == ABORTING:
            if not known.ended:
                yield Send(primary, Abort(k, increment))
            if len(known.withdrawn) < volumes:
                yield Send(secondary, Withdraw(k, increment))


def begin(s: Session) -> Outcome:
    """The session is up: the first one starts the first increment, every other takes over."""
    resend = StartTimer("resend", s.options.resend_seconds, s.number)
    if s.phase.state == STANDING_BY:
        return Outcome((Taken("take_over", (s.number,)),), outputs=(*wanting(s, TAKING_OVER, 0), resend))
    return Outcome(outputs=(*_starting(s, s.increment), resend))


def _starting(s: Session, increment: int) -> tuple[Output, ...]:
    coordination = StartTimer("coordination", s.options.coordination_seconds, increment)
    commands = (Send(f"primary:{unit}", StartIncrement(s.number, increment)) for unit in range(len(s.volumes)))
    return *commands, coordination


def decide(s: Session) -> Outcome:
    """One decision of the specification, if what was reported allows one."""
    phase, known = s.phase.state, s.known
    if phase == TAKING_OVER:
        return _take(s)
    if phase == STARTING:
        if any(u.ended for u in known):
            return abandon(s, "a unit has left")
        return _step(s, "all_joined", RUNNING) if all(u.joined for u in known) else NOTHING
    if phase == RUNNING:
        if all(u.drained for u in known):
            return _step(s, "all_drained", FLASHING)
        return abandon(s, "a unit has left") if any(u.ended and not u.drained for u in known) else NOTHING
    if phase == FLASHING:
        if all(len(u.flashed) == volumes for u, volumes in zip(known, s.volumes, strict=True)):
            return _step(s, "all_flashed", COMMITTING)
        lost = any((u.tainted | u.withdrawn) - u.flashed for u in known)
        return abandon(s, "a volume can no longer be flashed") if lost else NOTHING
    return _end(s, phase)


def _step(s: Session, step: str, phase: str) -> Outcome:
    outputs = tuple(wanting(s, phase, s.increment))
    if step == "all_joined" and s.formed:
        outputs += (StartTimer("drain", s.options.most_drain_seconds, s.increment),)
    return Outcome((Taken(step, (s.number,)),), outputs=outputs, then=(Decide(),))


def abandon(s: Session, why: str) -> Outcome:
    """The increment is given up; after too many in a row the session pauses when this one has ended."""
    failures = s.failures + 1
    pauses = failures >= s.options.failures

    def count() -> None:
        s.failures = failures
        s.paused = s.paused or pauses

    notice = Notice("phase", f"increment {s.increment} is given up: {why}")
    outputs: tuple[Output, ...] = (*wanting(s, ABORTING, s.increment), notice)
    if pauses and not s.paused:
        outputs += (Notice("paused", f"{failures} increments in a row were given up"),)
    return Outcome((Taken("abandon", (s.number,)),), memory=(count,), outputs=outputs, then=(Decide(),))


def _end(s: Session, phase: str) -> Outcome:
    """Every unit has recorded the increment as over: the next begins, after the interval and if nobody wishes a pause."""
    pairs = list(zip(s.known, s.volumes, strict=True))
    if not all(u.ended for u in s.known):
        return NOTHING
    if phase == COMMITTING and all(len(u.committed) == volumes for u, volumes in pairs):
        step, result = "all_committed", "formed"
    elif phase == ABORTING and all(len(u.withdrawn) == volumes for u, volumes in pairs):
        step, result = "all_aborted", "failed"
    else:
        return NOTHING

    def end() -> None:
        s.ended = s.increment
        s.counts[result] += 1
        if result == "formed":
            s.failures = 0

    if s.ended != s.increment:
        seconds = s.options.interval_seconds
        wait = (StartTimer("interval", seconds, s.increment),) if seconds else ()
        return Outcome(memory=(end,), outputs=wait, then=() if seconds else (Decide(),))
    if s.paused or (s.options.interval_seconds and not s.waited):
        return NOTHING
    return Outcome((Taken(step, (s.number,)),), memory=(s.next_increment,), outputs=_starting(s, s.increment + 1))


def _take(s: Session) -> Outcome:
    """Every half of every unit has answered: the highest increment that any has heard of is committed or aborted."""
    if len(s.answers) < 2 * len(s.volumes):
        return NOTHING
    increment = max(1, *(report.increment for report in s.answers.values()))

    def lead() -> None:
        s.increment = increment
        for report in s.answers.values():
            if report.increment == increment:
                s.learn(report)
        s.answers.clear()

    committed = flashed = 0
    for report in s.answers.values():
        if report.increment == increment and isinstance(report, SecondaryReport):
            committed += len(report.committed)
            flashed += len(report.flashed)
    complete = committed or flashed == sum(s.volumes)
    step, phase = ("take_commit", COMMITTING) if complete else ("take_abort", ABORTING)
    return Outcome(
        (Taken(step, (s.number,)),), memory=(lead,), outputs=tuple(wanting(s, phase, increment)), then=(Decide(),)
    )


def timer_fired(s: Session, name: str, number: int) -> Outcome:
    """Commands without a report are sent again; an increment that takes too long is given up; the interval is over."""
    phase = s.phase.state
    if name == "resend":
        again = StartTimer("resend", s.options.resend_seconds, s.number)
        return Outcome(outputs=(*wanting(s, phase, s.increment), again))
    if number != s.increment:
        return NOTHING
    if name == "interval":

        def pass_interval() -> None:
            s.waited = True

        return Outcome(memory=(pass_interval,), then=(Decide(),))
    late = _LATE.get(name, ())
    return abandon(s, f"the {name} time has passed") if phase in late else NOTHING


_LATE = {"coordination": (STARTING,), "drain": (RUNNING, FLASHING)}
"""The phases that each limit of time is about."""
