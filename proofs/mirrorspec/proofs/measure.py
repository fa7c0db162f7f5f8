"""What falls while an increment is under way: the measure of PROGRESS, and the steps that lower it.

The measure is a list of sets. *Falls* means: after any step each of them is contained in what it was, so that none of them
ever rises, until the increment is complete. Each is a threshold: a thing that has less to do has left more of the sets. All
are finite in an installation, so a step that takes something out of one of them can happen only so often.

Beside the invariant of the promises stands here what is true when nobody gives up: no timer fires, no unit crashes, no session
is taken over from. Links may lose, double, delay and reorder (`ENVIRONMENT`); what is asked of them is said in `completion`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mirrorspec.proofs.induction.conjunct import Conjunct, Given, conjunct
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import SetTerm, Truth, first_session

GOAL = "all_committed"
"""The step that completes an increment [0048] 860."""
GIVING_UP = ("abandon",)
"""The steps by which a session gives an increment up: with them nothing could be said of its end."""
LOSING = "lose_track"
"""The one step that may set the transfer of a track back; it never puts a track back among those still to be drained."""
ENVIRONMENT = {True: "links", False: "reliable"}
"""In which environment an increment is shown to complete: of the hardened protocol, and of the seed."""


@dataclass(frozen=True, slots=True)
class Component:
    """One of the sets that fall."""

    name: str
    meaning: str
    of: Callable[[State], SetTerm]
    transfer: bool = False
    """Whether the loss of a transfer may raise it, by the one track that is lost."""


def _unrun(s: State) -> SetTerm:
    """Tracks of units that have not run yet: whatever becomes of these until then, it is all still to be done."""
    return ~s.ran.tracks


def _draining(s: State) -> SetTerm:
    return s.in_progress.tracks & s.out_of_sync


MEASURE: tuple[Component, ...] = (
    Component("to_join", "units that have not joined [0038]", lambda s: s.members & ~s.joined),
    Component("unjoined", "sessions that wait for units to join", lambda s: s.starting),
    Component(
        "to_complete",
        "writes in progress at a unit when it joined, not yet in its cache [0041]",
        lambda s: (~s.joined).tracks.writes | (s.pending.tracks.writes & s.caught & ~s.applied),
    ),
    Component("to_run", "units that have not run [0040]", lambda s: s.members & ~s.ran),
    Component(
        "to_drain", "tracks of the frozen set that are not synchronised [0041] 556", lambda s: _unrun(s) | _draining(s)
    ),
    Component(
        "to_acknowledge",
        "of these, all but those whose present image has been delivered",
        lambda s: _unrun(s) | (_draining(s) & ~(s.delivered & ~s.rewritten)),
        transfer=True,
    ),
    Component(
        "to_send",
        "of these, those whose present image is not on its way",
        lambda s: _unrun(s) | (_draining(s) & (s.rewritten | ~s.in_flight)),
        transfer=True,
    ),
    Component(
        "to_send_again",
        "of these, those on whose way an older image is",
        lambda s: _unrun(s) | (_draining(s) & s.in_flight & s.rewritten),
        transfer=True,
    ),
    Component(
        "to_deliver_in_vain",
        "of these, those whose older image has not been delivered",
        lambda s: _unrun(s) | (_draining(s) & s.in_flight & s.rewritten & ~s.delivered),
        transfer=True,
    ),
    Component("to_report", "units that have not reported drained [0047] 850", lambda s: s.members & ~s.drained),
    Component("undrained", "sessions that wait for units to drain", lambda s: s.starting | s.running),
    Component(
        "to_flash", "volumes not yet flashed [0048] 852", lambda s: s.members.volumes & ~(s.flashed | s.committed)
    ),
    Component("unflashed", "sessions that wait for flashes", lambda s: s.starting | s.running | s.flashing),
    Component("to_commit", "volumes whose flash is not final", lambda s: s.members.volumes & ~s.committed),
    Component("to_leave", "units that have not ended the increment [0048] 860", lambda s: s.members & ~s.left),
)
"""In the order in which they become empty."""


@dataclass(frozen=True, slots=True)
class Situation:
    """How far an increment has come, and the steps of which one then helps."""

    name: str
    of: Callable[[State], Truth]
    steps: tuple[str, ...]


def _in(phase: Callable[[State], SetTerm]) -> Callable[[State], Truth]:
    return lambda s: first_session() <= phase(s)


def _ran(s: State) -> Truth:
    return s.members <= s.ran


def _drained(s: State) -> Truth:
    return s.members <= s.drained


def _flashed(s: State) -> Truth:
    return s.members.volumes <= s.flashed | s.committed


def _final(s: State) -> Truth:
    return s.members.volumes <= s.committed


_starting, _running, _flashing, _committing = (
    _in(lambda s: s.starting), _in(lambda s: s.running), _in(lambda s: s.flashing), _in(lambda s: s.committing)
)  # fmt: skip

SITUATIONS: tuple[Situation, ...] = (
    Situation("units are joining", lambda s: _starting(s) & ~(s.members <= s.joined), ("start_increment",)),
    Situation("all have joined", lambda s: _starting(s) & (s.members <= s.joined), ("all_joined",)),
    Situation("units are running", lambda s: _running(s) & ~_ran(s), ("run", "apply_write")),
    Situation(
        "units are draining",
        lambda s: _running(s) & _ran(s) & _draining(s).some(),
        ("send_track", "deliver_track", "acknowledge_track"),
    ),
    Situation(
        "the frozen set is empty",
        lambda s: _running(s) & _ran(s) & _draining(s).is_empty() & ~_drained(s),
        ("report_drained",),
    ),
    Situation("all have drained", lambda s: _running(s) & _drained(s), ("all_drained",)),
    Situation("volumes are flashed", lambda s: _flashing(s) & ~_flashed(s), ("flash",)),
    Situation("all are flashed", lambda s: _flashing(s) & _flashed(s), ("all_flashed",)),
    Situation("flashes become final", lambda s: _committing(s) & ~_final(s), ("commit", "increment_complete", GOAL)),
    Situation("units are leaving", lambda s: _committing(s) & ~(s.members <= s.left), ("increment_complete",)),
    Situation("all is done", lambda s: _committing(s) & _final(s) & (s.members <= s.left), (GOAL,)),
)
"""In every state one of these is the case. (In the seed no flash is made final apart, so there the ninth says little.)"""

HELPFUL: tuple[str, ...] = tuple(
    dict.fromkeys(step for situation in SITUATIONS for step in situation.steps if step != GOAL)
)
"""The steps of which an increment needs no more than that each is taken in the end, once it can be and lowers the measure."""


GROUP = "completion"


@conjunct(GROUP)
def first_session_leads(s: State, given: Given) -> Truth:
    """Nobody takes over, and nothing is given up: the first session leads one increment after another."""
    return first_session() <= (s.starting | s.running | s.flashing | s.committing)


@conjunct(GROUP)
def nothing_is_given_up(s: State, given: Given) -> Truth:
    """No flash is withdrawn, no bitmap fails to be persisted, and no copy of an abort is about."""
    return s.withdrawn.is_empty() & s.abort_sent.is_empty() & s.nvs_failed.is_empty()


@conjunct(GROUP)
def what_is_waited_for_is_asked_for(s: State, given: Given) -> Truth:
    """A session has sent to every member the command that it waits to see obeyed."""
    return (
        (s.starting.channels <= s.start_sent)
        & (s.running.channels <= s.run_sent)
        & (s.flashing.channels <= s.flash_sent)
        & (s.committing.channels <= s.commit_sent)
    )


@conjunct(GROUP)
def units_leave_when_all_is_flashed(s: State, given: Given) -> Truth:
    """A unit leaves when it is told that the increment is complete, and in no other way."""
    return s.left.some().implies(first_session() <= s.committing)


@conjunct(GROUP)
def rewritten_is_in_flight(s: State, given: Given) -> Truth:
    """Only what is on its way can have been overtaken by a write."""
    return s.rewritten <= s.in_flight


@conjunct(GROUP)
def caught_writes_were_issued(s: State, given: Given) -> Truth:
    """What was in progress when a unit joined, a host had sent."""
    return (s.caught & s.pending.tracks.writes) <= s.issued


CONJUNCTS: tuple[Conjunct, ...] = (
    first_session_leads,
    nothing_is_given_up,
    what_is_waited_for_is_asked_for,
    units_leave_when_all_is_flashed,
    rewritten_is_in_flight,
    caught_writes_were_issued,
)
"""What the argument needs beside the invariant; kept by every step where nobody gives up."""
