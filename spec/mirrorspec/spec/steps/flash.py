"""The secondary's part: instant virtual copy of its volumes, and what makes it safe to go back on one.

The copy is virtual [0020]: target and secondary share a track until either is to be overwritten, and only then does one of
them get a copy of its own. Nothing else of that can be seen, so the image of the target is told as if it had been copied.

In the seed a flash is final (852). Hardened, it is revertible until the session, knowing that every volume is flashed,
commits it; and a volume that received data of a later increment, or was told to withdraw, refuses the flash.
"""

from __future__ import annotations

from mirrorspec.spec.charts import FlashRelation, moves
from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.steps.message import command
from mirrorspec.spec.terms import SetTerm, choose


@step("[0020] [0048] 852", c=Sort.CHANNEL, v=Sort.VOLUME)
def flash(s: State, c: SetTerm, v: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A secondary volume is copied onto its flash target, at once; hardened, what the target held can be brought back."""
    relation = moves(FlashRelation, "flash", v)
    mine = v.tracks.writes
    return (
        when(
            addressed=v.unit <= c.unit,
            **command(s, c, s.flash_sent, s.old_flash, options),
            relation=relation.allowed,
            untainted=v.outside(s.tainted) if options.hardened else None,
        ),
        then(
            **relation.changes,
            previous=s.previous.onto(mine, s.target),
            target=s.target.onto(mine, s.secondary),
            shared=s.shared | v.tracks,
        ),
    )


@step("[0020]", t=Sort.TRACK)
def copy_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The background copy, where there is one, gives the flash target a copy of its own of a track."""
    return when(), then(shared=s.shared & ~t)


@step("two-phase flash: docs/explanation/findings.md", c=Sort.CHANNEL, v=Sort.VOLUME, only="hardened")
def commit(s: State, c: SetTerm, v: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """Every volume is flashed, so this flash becomes final."""
    relation = moves(FlashRelation, "commit", v)
    return (
        when(
            addressed=v.unit <= c.unit,
            **command(s, c, s.commit_sent, s.old_commit, options),
            relation=relation.allowed,
        ),
        then(**relation.changes),
    )


@step("two-phase flash: docs/explanation/findings.md", c=Sort.CHANNEL, v=Sort.VOLUME, only="hardened")
def withdraw(s: State, c: SetTerm, v: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The increment has failed: a flash of it is reverted, and one that has not come yet will be refused."""
    relation = moves(FlashRelation, "withdraw", v)
    return (
        when(
            addressed=v.unit <= c.unit,
            **command(s, c, s.abort_sent, s.old_abort, options),
            relation=relation.allowed,
        ),
        then(
            **relation.changes,
            reported_withdrawn=s.reported_withdrawn | v,
            target=choose(v <= s.flashed, s.target.onto(v.tracks.writes, s.previous), s.target),
            shared=choose(v <= s.flashed, s.shared & ~v.tracks, s.shared),
        ),
    )


STEPS = (flash, copy_track, commit, withdraw)
