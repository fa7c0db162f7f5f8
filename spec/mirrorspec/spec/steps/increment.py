"""The increment at a primary control unit: FIGS. 4B, 5B and the lower half of 8B, and its two timers.

A unit joins, holds its writes, runs, drains, and leaves. However it leaves (completed, timed out, aborted, or restarted
without what it needs), it merges change recording into out-of-sync in the same durable act that ends its mode, so no write
falls between 858 and 860, and from then on refuses this increment's commands.
"""

from __future__ import annotations

from mirrorspec.spec.charts import PrimaryMode, moves
from mirrorspec.spec.configuration import Configuration, Switch
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.steps.message import command
from mirrorspec.spec.terms import SetTerm, Truth, choose


@step("[0038-0039] 450-454", c=Sort.CHANNEL)
def start_increment(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit joins: it stops acknowledging, creates an empty change recording, and is pending. Here its cut is frozen."""
    u = c.unit
    mode = moves(PrimaryMode, "start_increment", u)
    mine = u.tracks.writes
    return (
        when(
            **command(s, c, s.start_sent, s.old_start, options),
            not_left=u.outside(s.left),
            mode=mode.allowed,
        ),
        then(
            **mode.changes,
            joined=s.joined | u,
            change_recording=s.change_recording & ~u.tracks,
            caught=s.caught.onto(mine, s.issued & ~s.applied),
            begun=choose(s.joined.is_empty(), s.acknowledged, s.begun),
            cut=s.cut.onto(mine, s.applied),
        ),
    )


@step("[0040-0041] 550-554", c=Sort.CHANNEL)
def run(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit lets its held writes go on, recorded in change recording from here on."""
    u = c.unit
    mode = moves(PrimaryMode, "run", u)
    completed: Truth | None = None
    if options.switch is not Switch.AFTER:
        due = s.caught if options.switch is Switch.BEFORE_START else s.issued
        completed = (u.tracks.writes & due) <= s.applied
    return (
        when(
            **command(s, c, s.run_sent, s.old_run, options),
            mode=mode.allowed,
            completed=completed,
        ),
        then(**mode.changes, ran=s.ran | u),
    )


@step("[0047] 850", u=Sort.UNIT)
def report_drained(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit in progress with nothing out of sync says so, asked or unasked."""
    return (
        when(
            in_progress=u <= s.in_progress,
            synchronised=u.tracks.outside(s.out_of_sync),
            new=u.outside(s.drained),
        ),
        then(drained=s.drained | u),
    )


def merge(s: State, u: SetTerm) -> Changes:
    """Change recording is merged into out-of-sync and emptied, and what was kept for the frozen set is given up [0048] 858.

    What is in flight no longer carries all that must be sent, where the track was written since.
    """
    recorded = s.change_recording & u.tracks
    return then(
        out_of_sync=s.out_of_sync | recorded,
        rewritten=s.rewritten | (recorded & s.in_flight),
        change_recording=s.change_recording & ~u.tracks,
        preserved=s.preserved & ~u.tracks,
    )


def leave(s: State, u: SetTerm) -> Changes:
    """A unit's increment is over: merge, and refuse its later commands [0048] 856-860."""
    return merge(s, u) | then(left=s.left | u)


@step("[0048] 854-860", c=Sort.CHANNEL)
def increment_complete(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The session says that the increment is safe: merge, and back to normal."""
    u = c.unit
    mode = moves(PrimaryMode, "increment_complete", u)
    return (
        when(**command(s, c, s.commit_sent, s.old_commit, options), mode=mode.allowed),
        then(**mode.changes, **leave(s, u)),
    )


@step("[0039] 430", u=Sort.UNIT, fault="run_timer")
def run_timeout(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """No run command came in time: the unit leaves, and its held writes are released."""
    mode = moves(PrimaryMode, "run_timeout", u)
    return when(mode=mode.allowed), then(**mode.changes, **leave(s, u))


@step("[0041] 558", u=Sort.UNIT, fault="increment_timer")
def increment_timeout(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """No increment complete came in time: the unit leaves."""
    mode = moves(PrimaryMode, "increment_timeout", u)
    return when(mode=mode.allowed), then(**mode.changes, **leave(s, u))


@step("[0039] [0041] error processing", c=Sort.CHANNEL, only="hardened")
def abort(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit is told that the increment has failed; it records it as over, even if it never joined."""
    u = c.unit
    mode = moves(PrimaryMode, "abort", u)
    return (
        when(**command(s, c, s.abort_sent, s.old_abort, options), not_left=u.outside(s.left), mode=mode.allowed),
        then(**mode.changes, **leave(s, u)),
    )


STEPS = (
    start_increment,
    run,
    report_drained,
    increment_complete,
    run_timeout,
    increment_timeout,
    abort,
)
