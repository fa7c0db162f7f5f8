"""The session: the control logic of FIG. 8B, which leads every unit through one increment after another.

Each decision needs a reply from every member. An increment ends only when every member has durably recorded it as over;
only then does the next begin, and that is what makes "of this increment or older" enough to know of a message. (A session
that no member heeds any more may believe that it begins one; it can do nothing with it, so `heeded` leaves it out.)
"""

from __future__ import annotations

from mirrorspec.spec.charts import FlashRelation, SessionPhase, moves
from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, members_of, step, then, when
from mirrorspec.spec.steps.message import reply
from mirrorspec.spec.terms import SetTerm, empty, full


@step("[0038-0040]", k=Sort.SESSION)
def all_joined(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Every unit holds its writes, so the session lets them run."""
    phase = moves(SessionPhase, "all_joined", k)
    return (
        when(
            phase=phase.allowed,
            some_member=s.members.some(),
            **reply(s, s.members, s.joined, s.old_joined, options),
        ),
        then(**phase.changes, run_sent=s.run_sent | members_of(k.channels, s)),
    )


@step("[0047-0048] 850-852", k=Sort.SESSION)
def all_drained(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Every unit's frozen set has reached its secondary, so the session has it flashed."""
    phase = moves(SessionPhase, "all_drained", k)
    return (
        when(phase=phase.allowed, **reply(s, s.members, s.drained, s.old_drained, options)),
        then(**phase.changes, flash_sent=s.flash_sent | members_of(k.channels, s)),
    )


@step("[0048] 852-854", k=Sort.SESSION)
def all_flashed(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Every volume is flashed: the session commits, and tells the primaries that the increment is complete."""
    phase = moves(SessionPhase, "all_flashed", k)
    return (
        when(
            phase=phase.allowed,
            **reply(s, s.members.volumes, s.flashed | s.committed, s.old_flashed, options),
        ),
        then(**phase.changes, commit_sent=s.commit_sent | members_of(k.channels, s)),
    )


def next_increment(s: State, k: SetTerm, options: Configuration) -> Changes:
    """The next increment begins: nothing of the last one is current any more; start increment is sent.

    In the seed a flash is final, and the next one takes its place. Hardened, a relation stays as it is until it is committed
    or withdrawn, whatever the session believes.
    """
    units, channels = empty(Sort.UNIT), empty(Sort.CHANNEL)
    relation = moves(FlashRelation, "settle" if options.hardened else "supersede", full(Sort.VOLUME))
    return then(
        **relation.changes,
        reported_withdrawn=empty(Sort.VOLUME),
        joined=units,
        ran=units,
        drained=units,
        left=units,
        tainted=empty(Sort.VOLUME),
        late=empty(Sort.TRACK),
        begun=empty(Sort.WRITE),
        start_sent=members_of(k.channels, s),
        run_sent=channels,
        flash_sent=channels,
        commit_sent=channels,
        abort_sent=channels,
        saw_flashed=channels,
        saw_committed=channels,
    )


@step("[0048] 860, and again from 450", k=Sort.SESSION)
def all_committed(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Every flash is final and every unit is normal again: the next increment begins."""
    phase = moves(SessionPhase, "all_committed", k)
    volumes = s.members.volumes
    return (
        when(
            phase=phase.allowed,
            **(reply(s, volumes, s.committed, s.old_committed, options) if options.hardened else {}),
            ended=s.members <= s.left,
            heeded=(members_of(k.channels, s) & ~s.fenced).some(),
        ),
        then(**phase.changes, **next_increment(s, k, options), covered=s.covered | volumes),
    )


@step("[0039] [0041] error processing", k=Sort.SESSION, only="hardened")
def abandon(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The session gives the increment up: it waited too long, or was told of a failure."""
    phase = moves(SessionPhase, "abandon", k)
    return when(phase=phase.allowed, some_member=s.members.some()), then(
        **phase.changes, abort_sent=s.abort_sent | members_of(k.channels, s)
    )


@step("[0039] [0041] error processing", k=Sort.SESSION, only="hardened")
def all_aborted(s: State, k: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Every unit has recorded the increment as over, every flash is withdrawn: the next increment begins."""
    phase = moves(SessionPhase, "all_aborted", k)
    return (
        when(
            phase=phase.allowed,
            ended=s.members <= s.left,
            withdrawn=s.members.volumes <= s.reported_withdrawn,
            heeded=(members_of(k.channels, s) & ~s.fenced).some(),
        ),
        then(**phase.changes, **next_increment(s, k, options)),
    )


STEPS = (all_joined, all_drained, all_flashed, all_committed, abandon, all_aborted)
