"""How a primary takes a command and answers: refuse lower numbers, take note of higher ones, report what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirrorspec.impl.core.messages import Command, PrimaryReport, Refused
from mirrorspec.impl.core.outcome import Change, Outcome, Put, Send
from mirrorspec.impl.core.records import PrimaryRecord, SecondaryRecord

if TYPE_CHECKING:
    from mirrorspec.impl.core.primary import PrimaryUnit


def refusal(record: PrimaryRecord | SecondaryRecord, command: Command) -> str:
    """The guard that refuses a command whoever it is for; empty where none does."""
    if command.session < record.session:
        return "obeyed"
    if command.increment < record.increment:
        return "current"
    return ""


def heard(record: PrimaryRecord | SecondaryRecord, command: Command) -> tuple[Change, ...]:
    """Take note of numbers that are higher than those heard before."""
    changes: tuple[Change, ...] = ()
    if command.session > record.session:
        changes += (Put("session", command.session),)
    if command.increment > record.increment:
        changes += (Put("increment", command.increment),)
    return changes


def report(unit: PrimaryUnit, session: int, increment: int, **now: bool) -> Send:
    """What is recorded of the increment, told to the session; *now* is what the outcome adds to it."""
    record = unit.record
    facts = {
        "joined": record.joined == increment,
        "drained": record.drained == increment,
        "ended": record.over == increment > 0,
    }
    facts |= now
    message = PrimaryReport(session, increment, unit.unit, **facts, remaining=len(unit.out_of_sync))
    return Send(f"session:{session}", message)


def refused(unit: PrimaryUnit, command: Command, code: str) -> Outcome:
    """The command is refused, and the session told why, or what it has missed."""
    if code == "obeyed":
        answer = Send(f"session:{command.session}", Refused(command.session, command.increment, unit.unit, code))
    else:
        answer = report(unit, command.session, unit.record.increment)
    return Outcome(refused=code, outputs=(answer,))
