"""Faults of a secondary: transfers, flash relations, the fence, and what it keeps of them; and of recovery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from mirrorspec.impl.core import decisions, joining, leaving
from mirrorspec.impl.core import secondary as secondary_module
from mirrorspec.impl.core.events import Event, Received
from mirrorspec.impl.core.messages import Command, Commit, Flash, Hello, Query, Transfer, Welcome, Withdraw
from mirrorspec.impl.core.outcome import Change, Outcome, Put, Receive, Relate, Send, Taint
from mirrorspec.impl.core.records import COMMITTED, FLASHED, WITHDRAWN, Relation
from mirrorspec.impl.core.secondary import SecondaryUnit
from mirrorspec.impl.storage.layers import Layers
from mirrorspec.impl.storage.secondary import SecondaryStorage
from mirrorspec.model_tests.faulty.controller import Function, faulty, undone, without
from mirrorspec.model_tests.simulation import judging

ANSWERS = secondary_module._ANSWERS
COMMIT = (SecondaryStorage, "commit")


# Transfers


@faulty("a transfer that was given up or overtaken arrives late and is applied", (decisions, "receive"), cites="[0035]",
        faults="links")  # fmt: skip
def older_transfer_accepted(_right: Function) -> Function:
    return lambda *numbers: ""


@faulty("an older connection's greeting is obeyed, so that its transfers are taken again", (ANSWERS, Hello), cites="[0035]",
        faults="links")  # fmt: skip
def older_epoch_accepted(_right: Function) -> Function:
    def hello(unit: SecondaryUnit, message: Hello) -> Outcome:
        return Outcome(changes=(Put("epoch", message.epoch),), outputs=(Send(unit.primary, Welcome(message.epoch)),))

    return hello


@faulty("a track is acknowledged although hardening it failed", (SecondaryUnit, "failed"), cites="[0035]",
        faults="failing storage")  # fmt: skip
def acknowledged_despite_failed_persist(right: Function) -> Function:
    def failed(unit: SecondaryUnit, event: Event, outcome: Outcome) -> Outcome:
        received = isinstance(event, Received) and isinstance(event.message, Transfer)
        instead: Outcome = outcome if received else right(unit, event, outcome)
        return instead

    return failed


@faulty("a track is acknowledged while it is only in the secondary's memory, and hardened with the next command", COMMIT,
        cites="[0035]", faults="crashes")  # fmt: skip
def acknowledged_before_hardened(right: Function) -> Function:
    late: WeakKeyDictionary[SecondaryStorage, list[Change]] = WeakKeyDictionary()

    def commit(storage: SecondaryStorage, changes: Iterable[Change]) -> None:
        changes = tuple(changes)
        waiting = late.setdefault(storage, [])
        if all(isinstance(change, Receive) for change in changes):
            waiting.extend(changes)
        else:
            right(storage, (*waiting, *changes))
            waiting.clear()

    return commit


@faulty("a track is overwritten before the flash target has a copy of it", (Layers, "held"), cites="[0021]")
def overwritten_before_copied(_right: Function) -> Function:
    return lambda *place: True


# Flash relations


def _seen(right: Function, other: Any) -> Function:
    """An answer that sees the flash relations otherwise than they are: *other* says how, given the command."""

    def answer(unit: SecondaryUnit, command: Command) -> Outcome:
        with undone(unit.record, relations=[other(relation, command) for relation in unit.record.relations]):
            outcome: Outcome = right(unit, command)
            return outcome

    return answer


@faulty("a flash is obeyed after data arrived that was sent after its unit had left the increment", (ANSWERS, Flash),
        cites="[0048] 852", faults="links")  # fmt: skip
def flash_despite_taint(right: Function) -> Function:
    return _seen(right, lambda relation, _: replace(relation, taint=0))


@faulty("the flash of an aborted increment lands after it was withdrawn", (ANSWERS, Flash), cites="[0048] 852",
        faults="islands")  # fmt: skip
def withdrawn_flash_lands(right: Function) -> Function:
    def other(relation: Relation, command: Command) -> Relation:
        ended = relation.state == WITHDRAWN and relation.increment == command.increment
        return replace(relation, increment=command.increment - 1) if ended else relation

    return _seen(right, other)


@faulty("a flash command of an older increment is obeyed in the next", (ANSWERS, Flash), cites="[0048] 852",
        faults="links")  # fmt: skip
def old_flash_accepted(right: Function) -> Function:
    def flash(unit: SecondaryUnit, command: Flash) -> Outcome:
        record = unit.record
        ended = all(r.state in (COMMITTED, WITHDRAWN) for r in record.relations)
        outcome: Outcome = right(unit, replace(command, increment=record.increment + 1) if ended else command)
        return outcome

    return flash


def _unnumbered(right: Function) -> Function:
    def answer(unit: SecondaryUnit, command: Command) -> Outcome:
        outcome: Outcome = right(unit, replace(command, increment=max(command.increment, unit.record.increment)))
        return outcome

    return answer


@faulty("a commit command of an older increment commits a flash of the next", (ANSWERS, Commit), cites="[0048]",
        faults="late copies")  # fmt: skip
def old_commit_accepted(right: Function) -> Function:
    return _unnumbered(right)


@faulty("a withdraw command of an older increment reverts a flash of the next", (ANSWERS, Withdraw), cites="[0048]",
        faults="late copies")  # fmt: skip
def old_withdraw_accepted(right: Function) -> Function:
    return _unnumbered(right)


# Fences


def _obeying(right: Function) -> Function:
    """The refusal of commands without the refusal of older sessions."""

    def refusal(record: Any, command: Command) -> str:
        code: str = right(record, replace(command, session=max(command.session, record.session)))
        return code

    return refusal


@faulty("units obey a session after they have answered a later one", (joining, "refusal"), (leaving, "refusal"),
        (secondary_module, "refusal"), cites="[0047]", faults="takeover")  # fmt: skip
def two_sessions_obeyed(right: Function) -> Function:
    return _obeying(right)


@faulty("secondaries obey a session after their unit has answered a later one; primaries do not",
        (secondary_module, "refusal"), cites="[0047]", faults="takeover")  # fmt: skip
def secondaries_unfenced(right: Function) -> Function:
    return _obeying(right)


@faulty("a secondary answers a new session without storing its number", (ANSWERS, Query), cites="[0047]",
        faults="takeover")  # fmt: skip
def takeover_without_fence(right: Function) -> Function:
    return lambda unit, command: without(
        right(unit, command), lambda change: isinstance(change, Put) and change.field == "session"
    )


# What is answered and not stored, so that a restart forgets it


@faulty("a secondary forgets in a restart that it received data of a later increment", COMMIT, cites="[0048]",
        faults="all")  # fmt: skip
def restart_forgets_taint(right: Function) -> Function:
    return lambda storage, changes: right(storage, [change for change in changes if not isinstance(change, Taint)])


@faulty("a secondary forgets in a restart that a flash was withdrawn, and obeys it late", COMMIT, cites="[0048]",
        faults="all")  # fmt: skip
def restart_forgets_withdrawal(right: Function) -> Function:
    def commit(storage: SecondaryStorage, changes: Iterable[Change]) -> None:
        changes = tuple(changes)
        relations = storage.load().relations
        refused = {
            change.volume
            for change in changes
            if isinstance(change, Relate) and change.act == "withdraw" and relations[change.volume].state != FLASHED
        }
        right(storage, [c for c in changes if not (isinstance(c, Relate) and c.volume in refused)])

    return commit


@faulty("a secondary forgets in a restart which session it has heard last", COMMIT, cites="[0047]", faults="all")
def restart_forgets_session(right: Function) -> Function:
    def kept(change: Change) -> bool:
        return not (isinstance(change, Put) and change.field == "session")

    return lambda storage, changes: right(storage, [change for change in changes if kept(change)])


# Recovery


@faulty("recovery takes whatever the flash targets hold, also where only some were flashed", (judging, "acts"),
        cites="[0048]")  # fmt: skip
def recovery_from_newest(_right: Function) -> Function:
    return lambda *details: [Put("recovered", 1)]
