"""Takeover: a new session of higher number finds out, unit by unit, what became of the increment, and ends it.

The old session may have crashed, or be alive and merely cut off; nobody can tell, so it goes on taking its steps here, and
its commands are still on their way. (A session that has crashed is one that takes no further step: nothing obliges it.)
A unit that answers the query first stores the new number durably and refuses lower ones ever after. Recovery at the
secondary site is a takeover too, and takes the same decision.
"""

from __future__ import annotations

from mirrorspec.spec.charts import SessionPhase, moves
from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, members_of, step, then, when
from mirrorspec.spec.terms import SetTerm, choose


@step("[0047] control logic elsewhere", k=Sort.SESSION, fault="takeover", only="hardened")
def take_over(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A session with a new number, higher than any that a unit has heard, begins to ask the units."""
    phase = moves(SessionPhase, "take_over", k)
    return when(phase=phase.allowed, newest=k.channels.outside(s.fenced)), then(**phase.changes)


@step("[0047] control logic elsewhere", c=Sort.CHANNEL, fault="takeover", only="hardened")
def answer(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit stores the new session's number, so that it refuses the older ones, and answers what it has flashed.

    Only members answer: a unit that belonged to nobody and refused the older session could never be established by it, and a
    session without members has nothing to end.
    """
    volumes = c.unit.volumes
    return (
        when(
            asking=c.session <= s.taking_over,
            member=c.unit <= s.members,
            unanswered=c.outside(s.asked),
            obeyed=c.outside(s.fenced),
        ),
        then(
            fenced=s.fenced | c.earlier,
            asked=s.asked | c,
            saw_flashed=choose(volumes <= s.flashed | s.committed, s.saw_flashed | c, s.saw_flashed),
            saw_committed=choose(volumes.outside(s.committed), s.saw_committed, s.saw_committed | c),
        ),
    )


@step("decision table: docs/explanation/findings.md", k=Sort.SESSION, fault="takeover", only="hardened")
def take_commit(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """All have answered, and some volume is committed or all are flashed: the increment is committed everywhere."""
    phase = moves(SessionPhase, "take_commit", k)
    all_flashed = members_of(k.channels, s) <= s.saw_flashed
    return (
        when(
            phase=phase.allowed,
            some_member=s.members.some(),
            all_answered=members_of(k.channels, s) <= s.asked,
            complete=all_flashed | (k.channels & s.saw_committed).some(),
        ),
        then(**phase.changes, commit_sent=s.commit_sent | members_of(k.channels, s)),
    )


@step("decision table: docs/explanation/findings.md", k=Sort.SESSION, fault="takeover", only="hardened")
def take_abort(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """All have answered and nothing is committed: the increment is aborted everywhere."""
    phase = moves(SessionPhase, "take_abort", k)
    return (
        when(
            phase=phase.allowed,
            some_member=s.members.some(),
            all_answered=members_of(k.channels, s) <= s.asked,
            uncommitted=k.channels.outside(s.saw_committed),
        ),
        then(**phase.changes, abort_sent=s.abort_sent | members_of(k.channels, s)),
    )


STEPS = (take_over, answer, take_commit, take_abort)
