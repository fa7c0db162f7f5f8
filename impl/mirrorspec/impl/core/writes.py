"""The write path of a primary: a write arrives, waits where it must, enters the cache with its mark, and is acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirrorspec.impl.core import decisions
from mirrorspec.impl.core.decisions import Arrived, Recorded
from mirrorspec.impl.core.events import HostWrite, Proceed
from mirrorspec.impl.core.outcome import (
    NOTHING,
    Acknowledge,
    Bitmap,
    Change,
    Fail,
    Image,
    Mark,
    Outcome,
    Output,
    Preserve,
    Taken,
    Write,
)

if TYPE_CHECKING:
    from mirrorspec.impl.core.primary import PrimaryUnit

_BITMAPS = {Recorded.OUT_OF_SYNC: Bitmap.OUT_OF_SYNC, Recorded.CHANGE_RECORDING: Bitmap.CHANGE_RECORDING}


def arrive(unit: PrimaryUnit, event: HostWrite) -> Outcome:
    """A host's write has arrived: it is checked, and from here on waits to go on [0035]."""
    code = ""
    if not (0 <= event.track < unit.shape.tracks and event.offset >= 0):
        code = "beyond"
    elif event.offset + len(event.data) > unit.shape.track_bytes:
        code = "beyond"
    elif not event.data:
        code = "empty"
    elif event.request <= unit.newest:
        code = "known"
    elif len(unit.arrived) + len(unit.withheld) >= unit.options.waiting:
        code = "busy"
    if code:
        return Outcome(refused=code, outputs=(Fail(event.request, code),))

    def wait() -> None:
        unit.newest = event.request
        unit.arrived[event.request] = event

    return Outcome((Taken("issue_write", (event.request,)),), memory=(wait,), then=(Proceed(event.request),))


def proceed(unit: PrimaryUnit, event: Proceed) -> Outcome:
    """A write goes into the cache and is marked in one durable act, if nothing holds it [0037] 352 [0041] 554."""
    request = event.request
    w = unit.arrived.get(request)
    if w is None:
        return NOTHING
    options, track = unit.options.configuration, w.track
    decision = decisions.host_write(_facts(unit, w), options.hold, options.collision, options.switch)
    if decision.refused == "enters":
        return Outcome(refused="enters", memory=(lambda: unit.held.setdefault(request),))
    if decision.refused:
        return Outcome(
            refused=decision.refused, memory=(lambda: unit.colliding.setdefault(track, {}).setdefault(request),)
        )
    changes: list[Change] = [Preserve(track)] if decision.preserve else []
    changes.append(Write(Image.CACHE, track, w.offset, w.data))
    bitmap = _BITMAPS.get(decision.recorded)
    if bitmap is not None and track not in unit.record.bitmaps[bitmap]:
        changes.append(Mark(bitmap, track))
    outputs: list[Output] = [Acknowledge(request)] if decision.acknowledged else []
    send = decision.send and unit.connected
    if send:
        outputs.append(unit.transfer(track, Image.PRESERVED, 0))

    def entered() -> None:
        forget(unit, request)
        if not decision.acknowledged:
            unit.withheld[request] = None
        if decision.rewritten:
            unit.flying[track].rewritten = True
        if send:
            unit.fly(track)

    drains = tuple(unit.drains()) if decision.recorded is Recorded.OUT_OF_SYNC else ()
    return Outcome((Taken("apply_write", (request,)),), tuple(changes), (entered,), tuple(outputs), drains)


def _facts(unit: PrimaryUnit, w: HostWrite) -> Arrived:
    bitmaps = unit.record.bitmaps
    return Arrived(
        unit.now,
        bool(unit.record.member),
        w.request in unit.caught,
        w.track in bitmaps[Bitmap.OUT_OF_SYNC],
        w.track in bitmaps[Bitmap.PRESERVED],
        w.track in unit.flying,
    )


def forget(unit: PrimaryUnit, request: int) -> None:
    """The write no longer waits."""
    w = unit.arrived.pop(request)
    unit.held.pop(request, None)
    unit.caught.discard(request)
    collided = unit.colliding.get(w.track)
    if collided is not None:
        collided.pop(request, None)
        if not collided:
            del unit.colliding[w.track]


def unpersisted(unit: PrimaryUnit, request: int) -> Outcome:
    """The mark could not be persisted: the write must not go on, and its host is told [0031].

    One that was to be completed before the switch remains caught, so the unit does not run: this increment's cut needs it.
    """
    caught = request in unit.caught

    def refuse() -> None:
        forget(unit, request)
        if caught:
            unit.caught.add(request)

    return Outcome(refused="persisted", memory=(refuse,), outputs=(Fail(request, "persisted"),))
