"""The async process of a primary: it connects, sends what is out of sync, and learns what is hardened [0018, 0035, 0045].

Transfers of one epoch reach the secondary or are lost. What is not acknowledged in time is given up by beginning a higher
epoch: nothing is sent again before the secondary has stored it, so no transfer that was given up can arrive after its successor
was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirrorspec.impl.core import decisions, leaving
from mirrorspec.impl.core.decisions import Source
from mirrorspec.impl.core.events import Begin, Drain, Event, HostWrite, Proceed, ReportDrained, TimerFired
from mirrorspec.impl.core.messages import Hardened, Hello, Welcome
from mirrorspec.impl.core.options import Drained, Processes
from mirrorspec.impl.core.outcome import (
    NOTHING,
    Bitmap,
    Change,
    Clear,
    Discard,
    Fail,
    Fill,
    Image,
    Outcome,
    Output,
    Put,
    Send,
    StartTimer,
    Taken,
)
from mirrorspec.impl.core.records import IN_PROGRESS, PENDING
from mirrorspec.spec.configuration import Restart, Switch

if TYPE_CHECKING:
    from mirrorspec.impl.core.primary import PrimaryUnit

FORGOTTEN = 0
"""In place of the requests that had arrived before a crash, and must be completed before the switch: nobody knows them any
more, so the unit does not run and its run timer ends the increment."""

_IMAGES = {Source.CACHE: Image.CACHE, Source.PRESERVED: Image.PRESERVED}


def begin(unit: PrimaryUnit, event: Begin) -> Outcome:
    """The unit is up, with a higher epoch. For the first time: its pairs are established, and all its tracks are to be copied
    [0005] [0026]. Again: what its record says of an increment under way is resumed or left."""
    epoch = unit.record.epoch + 1
    outputs = [*_greeting(unit, epoch)]
    changes: tuple[Change, ...] = (Put("epoch", epoch),)
    then: tuple[Event, ...] = ()
    if unit.mode.state in (PENDING, IN_PROGRESS):
        if unit.options.configuration.restart is Restart.LEAVE:
            changes += leaving.changes(unit.record.increment)
        else:
            outputs.append(leaving.timer(unit, unit.mode.state, unit.record.increment))
            then = (ReportDrained(),) if unit.options.drained is Drained.NOTIFY else ()
    steps = (Taken("restart_primary" if unit.record.epoch else "establish"),)
    if not unit.record.epoch:
        changes += Put("member", 1), Fill(Bitmap.OUT_OF_SYNC)

    def begun() -> None:
        unit.begun = True
        if unit.mode.state == PENDING and unit.options.configuration.switch is Switch.BEFORE_START:
            unit.caught.add(FORGOTTEN)

    return Outcome(steps, changes, (begun,), tuple(outputs), then)


def not_begun(event: Event) -> Outcome:
    """An event before the unit's beginning is durable: it is refused, and the beginning tried again after a while."""
    if isinstance(event, HostWrite):
        return Outcome(refused="persisted", outputs=(Fail(event.request, "persisted"),))
    return Outcome(then=(Begin(),)) if isinstance(event, TimerFired) else NOTHING


def _greeting(unit: PrimaryUnit, epoch: int) -> tuple[Output, ...]:
    seconds = unit.options.transfer_seconds
    return Send(unit.secondary, Hello(epoch)), StartTimer("transfer", seconds, epoch)


def retried(unit: PrimaryUnit) -> Outcome:
    """Nothing of the kind happened, since it could not be persisted: the transfer timer tries again."""
    epoch = unit.record.epoch
    return Outcome(outputs=(StartTimer("transfer", unit.options.transfer_seconds, epoch),))


def timer_fired(unit: PrimaryUnit, epoch: int) -> Outcome:
    """Some time has passed: greet again, or give up what was sent before the last time and is not acknowledged yet."""
    if epoch != unit.record.epoch:
        return NOTHING
    if not unit.connected:
        return Outcome(outputs=_greeting(unit, epoch))
    if any(flight.sequence <= unit.settled for flight in unit.flying.values()):
        return Outcome(
            changes=(Put("epoch", epoch + 1),), memory=(unit.disconnect,), outputs=_greeting(unit, epoch + 1)
        )

    def settle() -> None:
        unit.settled = unit.sequence

    return Outcome(memory=(settle,), outputs=(StartTimer("transfer", unit.options.transfer_seconds, epoch),))


def welcome(unit: PrimaryUnit, message: Welcome) -> Outcome:
    """The secondary has stored the epoch: transfers may begin."""
    if message.epoch != unit.record.epoch or unit.connected:
        return NOTHING

    def connect() -> None:
        unit.connected = True

    return Outcome(memory=(connect,), then=tuple(unit.drains()))


def drain(unit: PrimaryUnit, event: Drain) -> Outcome:
    """A process sends the next track that is out of sync: its preserved image if it has one, else its only image."""
    track = _next(unit, event.process) if unit.connected else None
    if track is None:
        return NOTHING
    record = unit.record
    preserved = track in record.bitmaps[Bitmap.PRESERVED]
    decision = decisions.transfer(True, False, preserved, left=0 < record.over == record.increment)
    output = unit.transfer(track, _IMAGES[decision.source], record.over if decision.late else 0)

    def sent() -> None:
        unit.fly(track)
        unit.cursors[event.process] = track + 1

    return Outcome((Taken("send_track", (track,)),), memory=(sent,), outputs=(output,), then=(event,))


def _next(unit: PrimaryUnit, process: int) -> int | None:
    """The track that the process sends next: one that a write waits for, else the next one round its tracks."""
    shape = unit.shape
    one = unit.options.processes is Processes.ONE
    first = 0 if one else shape.first(process)
    end = shape.tracks if one else first + shape.volumes[process]
    if sum(first <= track < end for track in unit.flying) >= unit.options.window:
        return None
    for waited_for in unit.colliding:
        if first <= waited_for < end and waited_for in unit.out_of_sync and waited_for not in unit.flying:
            return waited_for
    here = min(max(unit.cursors[process], first), end)
    track = _search(unit, here, end)
    return _search(unit, first, here) if track is None else track


def _search(unit: PrimaryUnit, start: int, end: int) -> int | None:
    track = unit.out_of_sync.next(start)
    while track is not None and track in unit.flying:
        track = unit.out_of_sync.next(track + 1)
    return track if track is not None and track < end else None


def hardened(unit: PrimaryUnit, message: Hardened) -> Outcome:
    """A transfer is hardened: its track is in sync, unless it was written since [0042] 608; [0045] 752-758."""
    track, record = message.track, unit.record
    flight = unit.flying.get(track)
    same = flight is not None and message.epoch == record.epoch and message.sequence == flight.sequence
    decision = decisions.hardened(flight is not None, same, flight is not None and flight.rewritten)
    if decision.refused:
        return Outcome(refused=decision.refused)
    changes: list[Change] = []
    then: list[Event] = []
    if decision.synchronised:
        changes.append(Clear(Bitmap.OUT_OF_SYNC, track))
        if track in record.bitmaps[Bitmap.PRESERVED]:
            changes.append(Discard(track))
        then += [Proceed(request) for request in unit.colliding.get(track, ())]
        last = len(unit.out_of_sync) == 1 and unit.mode.state == IN_PROGRESS
        if last and unit.options.drained is Drained.NOTIFY:
            then.append(ReportDrained())
    return Outcome(
        (Taken("acknowledge_track", (track,)),),
        tuple(changes),
        (lambda: unit.flying.pop(track),),
        then=(*then, *unit.drains()),
    )
