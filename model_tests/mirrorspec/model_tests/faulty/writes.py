"""Faults of the write path and of the async process: marks set too late or cleared too early, frozen images not kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from mirrorspec.impl.core import decisions, joining
from mirrorspec.impl.core import primary as primary_module
from mirrorspec.impl.core.decisions import Arrived, Mode, Recorded, Source, WriteDecision
from mirrorspec.impl.core.events import Drain, Event, Proceed
from mirrorspec.impl.core.messages import Hardened
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Bitmap, Clear, Discard, Mark, Merge, Outcome
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.impl.storage.primary import PrimaryStorage
from mirrorspec.model_tests.faulty.controller import Function, adding, faulty
from mirrorspec.spec.configuration import HARDENED, Collision, Hold

WRITE = (decisions, "host_write")
IN_CACHE = HARDENED.with_options(hold=Hold.IN_CACHE)
SEND_COPY = HARDENED.with_options(collision=Collision.SEND_COPY)


@faulty(
    "the acknowledgement of an old image clears the bit of a newer write", (decisions, "hardened"), cites="[0042] 608"
)
def acknowledgement_clears_newer_bit(right: Function) -> Function:
    return lambda in_flight, same, rewritten: right(in_flight, same, False)


@faulty("a write's track is not marked out of sync at all", WRITE, cites="[0037] 352")
def never_marked(right: Function) -> Function:
    def host_write(w: Arrived, *options: Any) -> WriteDecision:
        decision: WriteDecision = right(w, *options)
        return replace(decision, recorded=Recorded.NOWHERE) if decision.recorded is Recorded.OUT_OF_SYNC else decision

    return host_write


@faulty("a write goes on as in normal mode while the unit is pending", WRITE, cites="[0038] 450")
def hold_ignored(right: Function) -> Function:
    def host_write(w: Arrived, *options: Any) -> WriteDecision:
        decision: WriteDecision = right(replace(w, mode=Mode.NORMAL) if w.mode is Mode.PENDING else w, *options)
        return decision

    return host_write


@faulty(
    "a write in the cache of a pending unit is acknowledged at once", WRITE, cites="[0038] 450", configuration=IN_CACHE
)
def acknowledged_while_pending(right: Function) -> Function:
    return lambda w, *options: replace(right(w, *options), acknowledged=True)


@faulty("what is cached while pending is marked out of sync", WRITE, cites="[0038] 454", configuration=IN_CACHE)
def pending_marked_out_of_sync(right: Function) -> Function:
    def host_write(w: Arrived, *options: Any) -> WriteDecision:
        pending = w.mode is Mode.PENDING
        decision: WriteDecision = right(replace(w, mode=Mode.NORMAL) if pending else w, *options)
        return replace(decision, acknowledged=not pending)

    return host_write


@faulty("a collision destroys the old image: what is sent was written after the cut", WRITE, cites="[0044] 730")
def collision_overwrites(right: Function) -> Function:
    return lambda w, *options: replace(right(w, *options), preserve=False, send=False)


@faulty("a track in flight does not count in the collision check, and the transfer is lost", WRITE, cites="[0043] 724",
        faults="links")  # fmt: skip
def collision_forgets_in_flight(right: Function) -> Function:
    return lambda w, *options: right(replace(w, out_of_sync=w.out_of_sync and not w.in_flight), *options)


@faulty("what is cached while pending is recorded, and the collision test looks at in progress alone", WRITE,
        cites="[0042] 602", configuration=IN_CACHE)  # fmt: skip
def collision_test_waits_for_run(right: Function) -> Function:
    return lambda w, *options: right(replace(w, out_of_sync=w.out_of_sync and w.mode is not Mode.PENDING), *options)


@faulty("of a track with a preserved image the newer image is sent", (decisions, "transfer"), cites="[0045] 750")
def preserved_image_not_sent(right: Function) -> Function:
    return lambda *facts, **more: replace(right(*facts, **more), source=Source.CACHE)


@faulty("the copy that a collision sends is not kept until it is acknowledged, and is lost on the way",
        (decisions, "transfer"), cites="[0044]", faults="links", configuration=SEND_COPY)  # fmt: skip
def copy_not_kept(right: Function) -> Function:
    return lambda *facts, **more: replace(right(*facts, **more), source=Source.CACHE)


@faulty("the preserved image is discarded when an older transfer is acknowledged", (primary_module._ANSWERS, Hardened),
        cites="[0045] 758", shape=UnitShape((1,), 16), writes=200)  # fmt: skip
def preserved_dropped_early(right: Function) -> Function:
    def hardened(unit: PrimaryUnit, message: Hardened) -> Outcome:
        outcome: Outcome = right(unit, message)
        kept = message.track in unit.record.bitmaps[Bitmap.PRESERVED] and not outcome.refused
        return adding(outcome, Discard(message.track)) if kept and not outcome.changes else outcome

    return hardened


@faulty("a track counts as synchronised when it was sent, as blocks 608 and 758 read literally",
        (primary_module._HANDLERS, Drain), cites="[0042] 608", faults="links")  # fmt: skip
def synchronised_when_sent(right: Function) -> Function:
    def drain(unit: PrimaryUnit, event: Drain) -> Outcome:
        outcome: Outcome = right(unit, event)
        return adding(outcome, *(Clear(Bitmap.OUT_OF_SYNC, taken.things[0]) for taken in outcome.steps))

    return drain


@faulty("the bit of a track in flight is cleared in non-volatile storage, and a restart counts it as synchronised",
        (primary_module._HANDLERS, Drain), cites="[0031]", faults="crashes")  # fmt: skip
def restart_forgets_in_flight(right: Function) -> Function:
    def drain(unit: PrimaryUnit, event: Drain) -> Outcome:
        outcome: Outcome = right(unit, event)
        if not outcome.steps:
            return outcome
        track = outcome.steps[0].things[0]
        marked = replace(outcome, memory=(*outcome.memory, lambda: unit.out_of_sync.mark(track)))
        return adding(marked, Clear(Bitmap.OUT_OF_SYNC, track))

    return drain


@faulty("drained is reported while tracks are out of sync", (joining, "_drained"), cites="[0047] 850")
def drained_with_bits_set(_right: Function) -> Function:
    return lambda unit: unit.now is Mode.IN_PROGRESS


@faulty("a mark is in volatile cache only until something else is persisted", (PrimaryStorage, "commit"), cites="[0031]",
        faults="crashes")  # fmt: skip
def acknowledged_before_persisted(right: Function) -> Function:
    late: WeakKeyDictionary[PrimaryStorage, list[Mark]] = WeakKeyDictionary()

    def commit(storage: PrimaryStorage, changes: Any) -> None:
        marks = [change for change in changes if isinstance(change, Mark)]
        rest = [change for change in changes if not isinstance(change, Mark)]
        if marks:
            right(storage, rest)
            late.setdefault(storage, []).extend(marks)
        else:
            right(storage, [*late.pop(storage, []), *rest])

    return commit


@faulty("a write goes on although persisting it failed", (PrimaryUnit, "failed"), cites="[0031]", faults="failing storage",
        configuration=HARDENED.with_options(collision=Collision.SEND_FIRST))  # fmt: skip
def write_despite_failed_persist(right: Function) -> Function:
    def failed(unit: PrimaryUnit, event: Event, outcome: Outcome) -> Outcome:
        instead: Outcome = outcome if isinstance(event, Proceed) else right(unit, event, outcome)
        return instead

    return failed


@faulty("a unit leaves the increment although persisting the merged bitmap failed", (PrimaryUnit, "failed"),
        cites="[0048] 858", faults="failing storage")  # fmt: skip
def merge_despite_failed_persist(right: Function) -> Function:
    def failed(unit: PrimaryUnit, event: Event, outcome: Outcome) -> Outcome:
        merges = any(isinstance(change, Merge) for change in outcome.changes)
        instead: Outcome = outcome if merges else right(unit, event, outcome)
        return instead

    return failed
