"""How a primary leaves an increment: complete, aborted, or by one of its two timers [0039, 0041, 0048].

However it leaves, one durable act merges change recording into out-of-sync, ends the mode and records the increment as over, so
no write falls between 858 and 860; then everything that waited goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirrorspec.impl.core import decisions
from mirrorspec.impl.core.commands import heard, refusal, refused, report
from mirrorspec.impl.core.messages import Abort, IncrementComplete
from mirrorspec.impl.core.outcome import (
    NOTHING,
    Acknowledge,
    Bitmap,
    Change,
    Merge,
    Outcome,
    Put,
    Send,
    StartTimer,
    StopTimer,
    Taken,
)
from mirrorspec.impl.core.records import NORMAL, PENDING

if TYPE_CHECKING:
    from mirrorspec.impl.core.primary import PrimaryUnit


def timer(unit: PrimaryUnit, mode: str, increment: int) -> StartTimer:
    """The timer of a mode, the run timer or the maximum increment timer."""
    if mode == PENDING:
        return StartTimer("run", unit.options.run_seconds, increment)
    return StartTimer("increment", unit.options.increment_seconds, increment)


def changes(increment: int) -> tuple[Change, ...]:
    """The one durable act in which a unit leaves [0048] 858-860."""
    return Merge(), Put("mode", NORMAL), Put("over", increment)


def _left(unit: PrimaryUnit, increment: int, taken: Taken, told: Send, noted: tuple[Change, ...] = ()) -> Outcome:
    recording = unit.record.bitmaps[Bitmap.CHANGE_RECORDING]
    out_of_date = [
        flight
        for track, flight in unit.flying.items()
        if decisions.merge(track in unit.out_of_sync, track in recording, True, flight.rewritten).rewritten
    ]

    def leave() -> None:
        for flight in out_of_date:
            flight.rewritten = True
        unit.withheld.clear()
        unit.held.clear()
        unit.caught.clear()

    acknowledged = tuple(Acknowledge(request) for request in unit.withheld)
    return Outcome(
        (taken,),
        (*noted, *changes(increment)),
        (leave,),
        (*acknowledged, StopTimer("run"), StopTimer("increment"), told),
        (*unit.waiting(), *unit.drains()),
    )


def increment_complete(unit: PrimaryUnit, command: IncrementComplete) -> Outcome:
    """The session says that the increment is safe: merge, and back to normal [0048] 854-860."""
    n = command.increment
    code = refusal(unit.record, command)
    if not code and (unit.record.joined != n or not unit.mode.allows("increment_complete")):
        code = "mode"
    if code:
        return refused(unit, command, code)
    told = report(unit, command.session, n, ended=True)
    return _left(unit, n, Taken("increment_complete", (command.session,)), told, heard(unit.record, command))


def abort(unit: PrimaryUnit, command: Abort) -> Outcome:
    """The increment has failed; it is recorded as over, even by a unit that never joined it."""
    n = command.increment
    code = refusal(unit.record, command)
    if not code and unit.record.over >= n:
        code = "not_left"
    if code:
        return refused(unit, command, code)
    told = report(unit, command.session, n, ended=True)
    return _left(unit, n, Taken("abort", (command.session,)), told, heard(unit.record, command))


def run_timeout(unit: PrimaryUnit, increment: int) -> Outcome:
    """No run came in time: the unit leaves, and its held writes are released [0039] 430."""
    return _timeout(unit, increment, "run_timeout")


def increment_timeout(unit: PrimaryUnit, increment: int) -> Outcome:
    """No increment complete came in time: the unit leaves [0041] 558."""
    return _timeout(unit, increment, "increment_timeout")


def _timeout(unit: PrimaryUnit, increment: int, event: str) -> Outcome:
    if unit.record.joined != increment or not unit.mode.allows(event):
        return NOTHING
    return _left(unit, increment, Taken(event), report(unit, unit.record.session, increment, ended=True))
