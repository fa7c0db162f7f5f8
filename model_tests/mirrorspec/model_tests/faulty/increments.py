"""Faults of joining, running, leaving and restarting at a primary: holds, merges, and what a crash makes it forget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mirrorspec.impl.core import joining, leaving, messages
from mirrorspec.impl.core import primary as primary_module
from mirrorspec.impl.core.events import Begin
from mirrorspec.impl.core.messages import Abort, IncrementComplete, Query, Run, StartIncrement, Welcome
from mirrorspec.impl.core.outcome import (
    Bitmap,
    Change,
    Clear,
    Discard,
    Mark,
    Merge,
    Outcome,
    Put,
    StartTimer,
    Taken,
)
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.impl.core.records import IN_PROGRESS, NORMAL, PENDING
from mirrorspec.impl.storage.primary import PrimaryStorage
from mirrorspec.model_tests.faulty.controller import (
    Function,
    adding,
    all_cleared,
    faulty,
    undone,
    without,
)

BEGIN = (primary_module._HANDLERS, Begin)
ANSWERS = primary_module._ANSWERS


def _unnumbered(right: Function) -> Function:
    """An answer that takes every command for one about the increment that the unit last heard of."""

    def answer(unit: PrimaryUnit, command: messages.Command) -> Outcome:
        number = max(command.increment, unit.record.increment)
        outcome: Outcome = right(unit, replace(command, increment=number))
        return outcome

    return answer


@faulty("a hold that timed out takes effect later: the unit joins the increment that it has left",
        (ANSWERS, StartIncrement), cites="[0039] 430", faults="links")  # fmt: skip
def start_after_timeout(right: Function) -> Function:
    def start_increment(unit: PrimaryUnit, command: StartIncrement) -> Outcome:
        with undone(unit.record, over=0):
            outcome: Outcome = right(unit, command)
            return outcome

    return start_increment


@faulty("a run command of an older increment releases the hold of the next", (ANSWERS, Run), cites="[0040] 550",
        faults="late copies")  # fmt: skip
def old_run_accepted(right: Function) -> Function:
    return _unnumbered(right)


@faulty("increment complete of an older increment ends the next at a primary", (ANSWERS, IncrementComplete),
        cites="[0048] 854", faults="links")  # fmt: skip
def old_complete_accepted(right: Function) -> Function:
    return _unnumbered(right)


@faulty("run is obeyed by a unit that is not pending", (ANSWERS, Run), cites="[0040] 550", faults="links")
def run_unless_pending(right: Function) -> Function:
    def run(unit: PrimaryUnit, command: Run) -> Outcome:
        if unit.record.mode != NORMAL or command.increment < unit.record.increment:
            outcome: Outcome = right(unit, command)
            return outcome
        changes = (Put("joined", command.increment), Put("increment", command.increment), Put("mode", IN_PROGRESS))
        return Outcome((Taken("run", (command.session,)),), changes)

    return run


@faulty("leaving forgets what change recording holds", (leaving, "_left"), cites="[0048] 858")
def merge_forgets(right: Function) -> Function:
    def left(unit: PrimaryUnit, *details: Any) -> Outcome:
        outcome: Outcome = right(unit, *details)
        bitmaps = unit.record.bitmaps
        given_up: list[Change] = [
            *(Clear(Bitmap.CHANGE_RECORDING, track) for track in bitmaps[Bitmap.CHANGE_RECORDING]),
            *(Discard(track) for track in bitmaps[Bitmap.PRESERVED]),
        ]
        return adding(without(outcome, lambda change: isinstance(change, Merge)), *given_up)

    return left


@faulty("the bitmaps are swapped when an increment fails, and what was not yet drained is forgotten", (leaving, "_left"),
        cites="[0048]", faults="links")  # fmt: skip
def swap_on_failure(right: Function) -> Function:
    def left(unit: PrimaryUnit, increment: int, taken: Taken, *details: Any) -> Outcome:
        outcome: Outcome = right(unit, increment, taken, *details)
        if taken.step == "increment_complete":
            return outcome
        return replace(outcome, changes=(*all_cleared(unit), *outcome.changes))

    return left


@faulty("a transfer on its way when change recording is merged counts for the merged write too", (leaving, "_left"),
        cites="[0048] 858", faults="links")  # fmt: skip
def merge_forgets_in_flight(right: Function) -> Function:
    def left(unit: PrimaryUnit, *details: Any) -> Outcome:
        outcome: Outcome = right(unit, *details)

        def end() -> None:
            rewritten = {track: flight.rewritten for track, flight in unit.flying.items()}
            for act in outcome.memory:
                act()
            for track, flight in unit.flying.items():
                flight.rewritten = rewritten[track]

        return replace(outcome, memory=(end,))

    return left


@faulty("a crash between emptying change recording and merging it into out-of-sync", (PrimaryStorage, "commit"),
        cites="[0048] 858", faults="crashes")  # fmt: skip
def crash_inside_merge(right: Function) -> Function:
    def commit(storage: PrimaryStorage, changes: Iterable[Change]) -> None:
        changes = tuple(changes)
        if Merge() in changes:
            recorded = list(storage.load().bitmaps[Bitmap.CHANGE_RECORDING])
            right(storage, [Clear(Bitmap.CHANGE_RECORDING, track) for track in recorded])
            changes = (*(Mark(Bitmap.OUT_OF_SYNC, track) for track in recorded), *changes)
        right(storage, changes)

    return commit


@faulty("change recording is merged (858), and the mode is normal (860) only a moment later",
        (ANSWERS, IncrementComplete), cites="[0048] 858-860")  # fmt: skip
def write_between_merge_and_normal(right: Function) -> Function:
    def increment_complete(unit: PrimaryUnit, command: IncrementComplete) -> Outcome:
        outcome: Outcome = right(unit, command)
        if outcome.refused:
            return outcome

        def later(_unit: PrimaryUnit, _number: int) -> Outcome:
            del primary_module._TIMERS[name]
            ended = without(outcome, lambda change: isinstance(change, Merge))
            return replace(ended, steps=())

        name = f"normal:{unit.unit}"
        primary_module._TIMERS[name] = later
        timer = StartTimer(name, 0.005, command.increment)
        return Outcome(outcome.steps, (Merge(),), outputs=(timer,))

    return increment_complete


@faulty("a unit that never joined does not record that the increment is over", (ANSWERS, Abort), cites="[0048]",
        faults="links")  # fmt: skip
def abort_not_recorded(right: Function) -> Function:
    def abort(unit: PrimaryUnit, command: Abort) -> Outcome:
        outcome: Outcome = right(unit, command)
        if unit.record.joined == command.increment:
            return outcome
        return without(outcome, lambda change: isinstance(change, Put) and change.field == "over")

    return abort


# Restarts and handshakes


@faulty("a restart clears a bitmap that is not empty", BEGIN, cites="[0031]", faults="crashes")
def restart_clears_bitmap(right: Function) -> Function:
    return lambda unit, event: adding(right(unit, event), *(all_cleared(unit) if unit.record.epoch else ()))


@faulty("the handshake with a secondary that comes back clears a bitmap that is not empty", (ANSWERS, Welcome),
        cites="[0031]", faults="crashes")  # fmt: skip
def reconnection_clears_bitmap(right: Function) -> Function:
    def welcome(unit: PrimaryUnit, message: Welcome) -> Outcome:
        outcome: Outcome = right(unit, message)
        again = unit.record.epoch > 1 and outcome.memory
        return adding(outcome, *all_cleared(unit)) if again else outcome

    return welcome


@faulty("the handshake with a new session clears a bitmap that is not empty", (ANSWERS, Query), cites="[0047]",
        faults="takeover")  # fmt: skip
def takeover_clears_bitmap(right: Function) -> Function:
    def query(unit: PrimaryUnit, command: Query) -> Outcome:
        outcome: Outcome = right(unit, command)
        return adding(outcome, *all_cleared(unit)) if outcome.steps else outcome

    return query


@faulty("the tracks are not marked for the initial copy", BEGIN, cites="[0026]")
def flash_while_resynchronising(right: Function) -> Function:
    from mirrorspec.impl.core.outcome import Fill

    return lambda unit, event: without(right(unit, event), lambda change: isinstance(change, Fill))


@faulty("a primary forgets in a restart that it was in an increment", BEGIN, cites="[0017]", faults="crashes")
def restart_forgets_mode(right: Function) -> Function:
    return lambda unit, event: adding(right(unit, event), Put("mode", NORMAL))


@faulty("a primary that was pending comes back normal, and accepts start increment once more", BEGIN, cites="[0017]",
        faults="crashes")  # fmt: skip
def restart_drops_hold_and_rejoins(right: Function) -> Function:
    def begin(unit: PrimaryUnit, event: Begin) -> Outcome:
        outcome: Outcome = right(unit, event)
        if unit.record.mode != PENDING:
            return outcome
        return adding(outcome, Put("mode", NORMAL), Put("joined", 0))

    return begin


@faulty("a primary forgets in a restart that it had left the increment, and joins it again", BEGIN, cites="[0017]",
        faults="crashes")  # fmt: skip
def restart_forgets_leaving(right: Function) -> Function:
    return lambda unit, event: adding(right(unit, event), Put("over", 0))


@faulty("a primary restarts without its preserved images and goes on with the increment", (PrimaryStorage, "__init__"),
        cites="[0044] 730", faults="crashes")  # fmt: skip
def restart_without_preserved(right: Function) -> Function:
    def opened(storage: PrimaryStorage, *details: Any, **options: Any) -> None:
        right(storage, *details, **{**options, "preserved_durable": False})

    return opened


@faulty("a primary answers a new session without storing its number", (joining, "query"), (ANSWERS, Query),
        cites="[0047]", faults="takeover")  # fmt: skip
def primary_forgets_session(right: Function) -> Function:
    return lambda unit, command: without(
        right(unit, command), lambda change: isinstance(change, Put) and change.field == "session"
    )
