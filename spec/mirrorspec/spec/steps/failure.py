"""Crash and restart of a control unit, failure of its non-volatile storage, and who belongs to the session.

What survives a restart is said here and nowhere else: whatever a step does not change is durable. A unit that is down is one
that takes no step, so crash and restart are one step.
"""

from __future__ import annotations

from dataclasses import replace

from mirrorspec.spec.configuration import Configuration, Restart
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.steps.increment import leave
from mirrorspec.spec.steps.transfer import ended
from mirrorspec.spec.terms import SetTerm


@step("[0017] [0031] [0033]", u=Sort.UNIT, fault="crash_primary")
def restart_primary(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A primary crashes and comes back with what its non-volatile storage holds: bitmaps, mode, and what it refuses.

    All its transfers are given up, and marks that were never persisted are gone. If its preserved images are gone too, a
    unit that is in an increment leaves it, and merges what was persisted.
    """
    lost = s.unpersisted & u.tracks
    changes = ended(s, u.tracks) | then(
        out_of_sync=s.out_of_sync & ~lost,
        change_recording=s.change_recording & ~lost,
        unpersisted=s.unpersisted & ~lost,
    )
    if options.restart is Restart.LEAVE:
        survived = replace(s, **changes)  # type: ignore[arg-type]  # the fields are sets, and so are their new values
        active = u & (s.pending | s.in_progress)
        changes |= leave(survived, active) | then(pending=s.pending & ~u, in_progress=s.in_progress & ~u)
    return when(), changes


@step("[0019]", u=Sort.UNIT, fault="crash_secondary")
def restart_secondary(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A secondary crashes and comes back without what it had received and not hardened; transfers to it are given up.

    Nothing of that was acknowledged. Its images, its flash relations, its taint and the sessions that it refuses are durable.
    """
    return when(), ended(s, u.tracks) | then(received=s.received & ~u.tracks)


@step("[0017] [0031]", u=Sort.UNIT, fault="persist_failure")
def fail_storage(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A primary can no longer persist changes of its bitmaps."""
    return when(sound=u.outside(s.nvs_failed)), then(nvs_failed=s.nvs_failed | u)


@step("[0017] [0031]", u=Sort.UNIT, fault="persist_failure")
def mend_storage(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """It can again."""
    return when(failed=u <= s.nvs_failed), then(nvs_failed=s.nvs_failed & ~u)


@step("[0005] [0007] [0026]", c=Sort.CHANNEL, fault="membership")
def establish(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Between increments a unit's pairs are established: it becomes a member, and all its tracks are copied first.

    Only a session that no unit has ever left for a later one may change the membership, and the newcomer refuses all earlier
    sessions from the start: it was not there to answer when this one took over.
    """
    u = c.unit
    return (
        when(
            outsider=u.outside(s.members),
            between=(c.session <= s.starting) & (s.joined | s.left).is_empty(),
            obeyed=c.session.channels.outside(s.fenced),
        ),
        then(
            members=s.members | u,
            fenced=s.fenced | c.earlier,
            out_of_sync=s.out_of_sync | u.tracks,
            start_sent=s.start_sent | c,
        ),
    )


@step("[0007] [0026]", c=Sort.CHANNEL, fault="membership")
def dismiss(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Between increments a unit leaves the session; recovery no longer offers its volumes."""
    u = c.unit
    return (
        when(
            member=u <= s.members,
            between=(c.session <= s.starting) & (s.joined | s.left).is_empty(),
            obeyed=c.session.channels.outside(s.fenced),
        ),
        then(
            members=s.members & ~u,
            start_sent=s.start_sent & ~u.channels,
            covered=s.covered & ~u.volumes,
            out_of_sync=s.out_of_sync & ~u.tracks,
            **ended(s, u.tracks),
        ),
    )


STEPS = (restart_primary, restart_secondary, fail_storage, mend_storage, establish, dismiss)
