"""Faults of the session: it goes on before every unit has replied, counts older replies, or takes over too early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mirrorspec.impl.core import leading
from mirrorspec.impl.core.leading import COMMITTING, FLASHING, RUNNING, STARTING
from mirrorspec.impl.core.messages import PrimaryReport, SecondaryReport
from mirrorspec.impl.core.outcome import Outcome
from mirrorspec.impl.core.session import Known, Session
from mirrorspec.model_tests.faulty.controller import Function, faulty, undone

DECIDE = (leading, "decide")
REPORTED = (Session, "_reported")
Report = PrimaryReport | SecondaryReport


def _early(phase: str, step: str, following: str, enough: Callable[[Known], object]) -> Callable[[Function], Function]:
    """A session that goes on from a phase as soon as one unit has replied."""

    def change(right: Function) -> Function:
        def decide(s: Session) -> Outcome:
            if s.phase.state == phase and any(enough(known) for known in s.known):
                return leading._step(s, step, following)
            outcome: Outcome = right(s)
            return outcome

        return decide

    return change


@faulty("the hold is released on one unit before another is held", DECIDE, cites="[0040]")
def run_before_all_joined(right: Function) -> Function:
    return _early(STARTING, "all_joined", RUNNING, lambda known: known.joined)(right)


@faulty("some volumes are flashed while units have not drained", DECIDE, cites="[0047] 850")
def flashed_before_all_drained(right: Function) -> Function:
    return _early(RUNNING, "all_drained", FLASHING, lambda known: known.drained)(right)


@faulty("some volumes are committed while others are not yet flashed", DECIDE, cites="[0048] 852")
def committed_before_all_flashed(right: Function) -> Function:
    return _early(FLASHING, "all_flashed", COMMITTING, lambda known: known.flashed)(right)


@faulty("the next increment begins before every unit has left this one", (leading, "_end"), cites="[0048] 854",
        faults="links")  # fmt: skip
def next_begins_early(right: Function) -> Function:
    def end(s: Session, phase: str) -> Outcome:
        ended = [known.ended for known in s.known]
        for known in s.known:
            known.ended = True
        outcome: Outcome = right(s, phase)
        for known, was in zip(s.known, ended, strict=True):
            known.ended = was
        return outcome

    return end


def _counting(kind: type[Report], **forgotten: object) -> Callable[[Function], Function]:
    """A session that takes reports of one kind about an older increment for ones about this."""

    def change(right: Function) -> Function:
        def reported(s: Session, sender: str, report: Report) -> Outcome:
            if isinstance(report, kind) and report.increment < s.increment:
                report = replace(report, increment=s.increment, **forgotten)  # type: ignore[arg-type]
            outcome: Outcome = right(s, sender, report)
            return outcome

        return reported

    return change


@faulty("two increments share one hold: the reply of the older one counts in the next", REPORTED, cites="[0039]",
        faults="late copies")  # fmt: skip
def old_joined_accepted(right: Function) -> Function:
    return _counting(PrimaryReport, drained=False, ended=False)(right)


@faulty("a report of an older increment counts as drained in the next", REPORTED, cites="[0047]", faults="links")
def old_drained_accepted(right: Function) -> Function:
    return _counting(PrimaryReport, joined=False, ended=False)(right)


@faulty("a reply of an older increment counts as flashed in the next", REPORTED, cites="[0048] 852", faults="links")
def old_flashed_accepted(right: Function) -> Function:
    return _counting(SecondaryReport, committed=(), withdrawn=(), tainted=())(right)


@faulty("a reply of an older increment counts as committed in the next", REPORTED, cites="[0048]", faults="links")
def old_committed_accepted(right: Function) -> Function:
    return _counting(SecondaryReport, flashed=(), withdrawn=(), tainted=())(right)


@faulty("a session that takes over decides before every unit has answered", (leading, "_take"), cites="[0047]",
        faults="takeover")  # fmt: skip
def takeover_before_all_answered(right: Function) -> Function:
    def take(s: Session) -> Outcome:
        if len(s.answers) < len(s.volumes):
            outcome: Outcome = right(s)
            return outcome
        nothing: dict[str, Report] = {}
        for unit in range(len(s.volumes)):
            nothing[f"primary:{unit}"] = PrimaryReport(s.number, 0, unit, False, False, False, 0)
            nothing[f"secondary:{unit}"] = SecondaryReport(s.number, 0, unit, 0, (), (), (), ())
        with undone(s, answers={**nothing, **s.answers}):
            outcome = right(s)
        return outcome

    return take


@faulty("a takeover aborts an increment that is committed in part, and withdraws what others had reverted to",
        (leading, "_take"), cites="[0048]", faults="takeover")  # fmt: skip
def last_good_copy_withdrawn(right: Function) -> Function:
    def take(s: Session) -> Outcome:
        seen = {
            party: replace(report, committed=()) if isinstance(report, SecondaryReport) else report
            for party, report in s.answers.items()
        }
        if len(seen) == 2 * len(s.volumes):
            s.answers = seen
        outcome: Outcome = right(s)
        return outcome

    return take
