"""What is always true of the sessions: what a phase means, and why two of them never pull one increment two ways.

A session *leads* once it has begun or has taken over, and is *heeded* while some unit has not refused it for ever. Of all
sessions that lead at most one is heeded: that is what takeover is for. What follows speaks of a session by its channels.
"""

from __future__ import annotations

from itertools import combinations

from mirrorspec.proofs.induction.conjunct import Given, conjunct
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import TRUE, SetTerm, Truth, all_of, first_session

GROUP = "session"


def leading(s: State) -> SetTerm:
    """The sessions that have decided something: all but those standing by or still asking."""
    return s.starting | s.running | s.flashing | s.committing | s.aborting


def heeded(s: State, c: SetTerm) -> Truth:
    """Whether any member still heeds this channel's session."""
    return (c.session.channels & s.members.channels & ~s.fenced).some()


def obeyed(s: State, c: SetTerm) -> Truth:
    """Whether this channel leads to a member that heeds its session."""
    return c <= s.members.channels & ~s.fenced


@conjunct(GROUP)
def no_late_messages(s: State, given: Given) -> Truth:
    """Where no message outlives its increment, none of an older one is about."""
    if "late_messages" in given.environment.faults:
        return TRUE
    commands = s.old_start | s.old_run | s.old_flash | s.old_commit | s.old_abort
    replies = (s.old_joined | s.old_drained).is_empty() & (s.old_flashed | s.old_committed).is_empty()
    return commands.is_empty() & replies


@conjunct(GROUP)
def no_takeover(s: State, given: Given) -> Truth:
    """Where no session takes over, no unit refuses one, and only the first does anything."""
    if "takeover" in given.environment.faults:
        return TRUE
    return s.fenced.is_empty() & ((leading(s) | s.taking_over) <= first_session())


@conjunct(GROUP)
def one_phase(s: State, given: Given) -> Truth:
    """A session is in one phase."""
    phases = (s.starting, s.running, s.flashing, s.committing, s.aborting, s.taking_over)
    return all_of(a.outside(b) for a, b in combinations(phases, 2))


@conjunct(GROUP)
def asked_by_a_session_that_took_over(s: State, given: Given) -> Truth:
    """A session that stands by has asked nobody."""
    return s.asked <= (leading(s) | s.taking_over).channels


@conjunct(GROUP, c=Sort.CHANNEL)
def asked_unit_refuses_lower_sessions(s: State, c: SetTerm, given: Given) -> Truth:
    """A unit stores the new session's number before it answers."""
    return (c <= s.asked).implies(c.earlier <= s.fenced)


@conjunct(GROUP, c=Sort.CHANNEL)
def leader_is_the_highest_heard(s: State, c: SetTerm, given: Given) -> Truth:
    """A session leads when every member has answered it, so every member refuses the lower ones."""
    return ((c <= s.members.channels) & (c.session <= leading(s))).implies(c.earlier <= s.fenced)


@conjunct(GROUP, c=Sort.CHANNEL)
def lower_sessions_are_refused_somewhere(s: State, c: SetTerm, given: Given) -> Truth:
    """A session lower than one that leads is refused by some unit for ever, and so can admit and dismiss no unit."""
    if "membership" not in given.environment.faults:
        return TRUE
    return (c.session <= leading(s)).implies(c.earlier.session <= s.fenced.session)


@conjunct(GROUP)
def seen_flashed_has_joined(s: State, given: Given) -> Truth:
    """A unit that has flashed has joined."""
    return TRUE if "membership" not in given.environment.faults else s.saw_flashed <= s.joined.channels


@conjunct(GROUP)
def flash_is_sent_once_flashing(s: State, given: Given) -> Truth:
    """A session sends flash as it becomes flashing; from there it commits, or gives up."""
    if "membership" not in given.environment.faults:
        return TRUE
    return s.flash_sent <= (s.flashing | s.committing | s.aborting).channels


@conjunct(GROUP)
def commands_go_to_members(s: State, given: Given) -> Truth:
    """What a unit obeys was sent to it as a member."""
    if "membership" not in given.environment.faults:
        return TRUE
    sent = s.start_sent | s.run_sent | s.flash_sent | s.commit_sent | s.abort_sent
    return (sent & ~s.fenced) <= s.members.channels


@conjunct(GROUP)
def commit_is_sent_once_committing(s: State, given: Given) -> Truth:
    """A session that commits does nothing else until the increment has ended."""
    return s.commit_sent <= s.committing.channels


@conjunct(GROUP)
def abort_is_sent_once_aborting(s: State, given: Given) -> Truth:
    """A session that aborts does nothing else until the increment has ended."""
    return s.abort_sent <= s.aborting.channels


@conjunct(GROUP, c=Sort.CHANNEL)
def running_when_all_have_joined(s: State, c: SetTerm, given: Given) -> Truth:
    """A session that is heeded runs, flashes and commits only an increment that every unit has joined."""
    late = c.session <= s.running | s.flashing | s.committing
    return (obeyed(s, c) & (late | (c <= s.run_sent))).implies(s.members <= s.joined)


@conjunct(GROUP, c=Sort.CHANNEL)
def flashing_when_all_have_drained(s: State, c: SetTerm, given: Given) -> Truth:
    """A session that is heeded flashes and commits only an increment that every unit has drained."""
    late = c.session <= s.flashing | s.committing
    return (obeyed(s, c) & (late | (c <= s.flash_sent))).implies(s.members <= s.drained)


@conjunct(GROUP, c=Sort.CHANNEL)
def committing_when_all_are_flashed(s: State, c: SetTerm, given: Given) -> Truth:
    """While a committing session is heeded, every volume stays flashed: nobody who is heeded has it withdrawn."""
    return (obeyed(s, c) & (c.session <= s.committing)).implies(s.members.volumes <= s.flashed | s.committed)


@conjunct(GROUP, c=Sort.CHANNEL)
def committed_means_committing(s: State, c: SetTerm, given: Given) -> Truth:
    """Once a flash is final, a session that leads and is heeded is committing: it made it final, or saw that it was."""
    bound = s.committed.some() & obeyed(s, c) & (c.session <= leading(s))
    return bound.implies(c.session <= s.committing)


@conjunct(GROUP)
def seen_when_asked(s: State, given: Given) -> Truth:
    """What a session has seen, it has seen in answers."""
    return (s.saw_flashed | s.saw_committed) <= s.asked


@conjunct(GROUP, c=Sort.CHANNEL)
def seen_flashed_stays_flashed(s: State, c: SetTerm, given: Given) -> Truth:
    """What a unit answered as flashed stays so while the asking session is heeded: lower sessions are refused."""
    seen = (c <= s.saw_flashed) & (c.session <= s.taking_over) & heeded(s, c)
    return seen.implies(c.unit.volumes <= s.flashed | s.committed)


@conjunct(GROUP, c=Sort.CHANNEL)
def seen_committed_is_committed(s: State, c: SetTerm, given: Given) -> Truth:
    """A final flash stays final until the increment ends."""
    return (c <= s.saw_committed).implies(~c.unit.volumes.outside(s.committed))


@conjunct(GROUP, c=Sort.CHANNEL)
def not_seen_committed_is_not_committed(s: State, c: SetTerm, given: Given) -> Truth:
    """What a unit did not answer as final becomes final no more while the asking session is heeded."""
    asking = (c <= s.asked & ~s.saw_committed) & (c.session <= s.taking_over) & heeded(s, c)
    return asking.implies(c.unit.volumes.outside(s.committed))


CONJUNCTS = (
    no_late_messages,
    no_takeover,
    one_phase,
    asked_by_a_session_that_took_over,
    asked_unit_refuses_lower_sessions,
    leader_is_the_highest_heard,
    lower_sessions_are_refused_somewhere,
    seen_flashed_has_joined,
    flash_is_sent_once_flashing,
    commands_go_to_members,
    commit_is_sent_once_committing,
    abort_is_sent_once_aborting,
    running_when_all_have_joined,
    flashing_when_all_have_drained,
    committing_when_all_are_flashed,
    committed_means_committing,
    seen_when_asked,
    seen_flashed_stays_flashed,
    seen_committed_is_committed,
    not_seen_committed_is_not_committed,
)
