"""Host writes at a primary control unit: FIGS. 3B, 6 and 7A.

A host issues a write, the unit applies it to its cache and marks the track, and only then acknowledges it. Where the
mark goes depends on the mode: to out-of-sync in normal mode, to change recording once a consistent set is forming. A write
that meets a track of the frozen set still to be sent *collides*, and must not destroy the frozen image.
"""

from __future__ import annotations

from mirrorspec.spec.configuration import Collision, Configuration, Hold, Switch
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.terms import SetTerm, Truth, choose


@step("[0008] [0035]", w=Sort.WRITE)
def issue_write(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A host sends a write, which depends on every write that it could have seen completed."""
    return (
        when(new=w.outside(s.issued)),
        then(issued=s.issued | w, needs=s.needs.record(w, s.acknowledged)),
    )


def recording(s: State, w: SetTerm, options: Configuration) -> Truth:
    """Whether this write is recorded in change recording [0038] 602, 722; otherwise it is in the cut, or in no increment.

    Once in progress, always. While pending it is the same for a write that enters the cache, unless the variant counts
    it among the requests that are completed before the switch.
    """
    u = w.track.unit
    in_progress = u <= s.in_progress
    if options.hold is Hold.BEFORE_CACHE or options.switch is Switch.BEFORE_RUN:
        return in_progress
    held = u <= s.pending
    return in_progress | ((held & w.outside(s.caught)) if options.switch is Switch.BEFORE_START else held)


@step("[0037] 352; [0041] 554; [0042] 600-610; [0043-0044] 720-734", w=Sort.WRITE)
def apply_write(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The unit writes to its cache and, as part of the write, marks the track as out of sync or in change recording."""
    t = w.track
    u = t.unit
    records = recording(s, w, options)
    collides = records & (t <= s.out_of_sync)
    keeps = collides & t.outside(s.preserved)
    enters: Truth | None = None
    if options.hold is Hold.BEFORE_CACHE and options.switch is Switch.AFTER:
        enters = u.outside(s.pending)
    elif options.hold is Hold.BEFORE_CACHE and options.switch is Switch.BEFORE_START:
        enters = u.outside(s.pending) | (w <= s.caught)
    marks_out_of_sync = (u <= s.members) & ~records
    marked = choose(marks_out_of_sync, s.rewritten | t, s.rewritten)
    changes = then(
        applied=s.applied | w,
        out_of_sync=choose(marks_out_of_sync, s.out_of_sync | t, s.out_of_sync),
        rewritten=marked,
        change_recording=choose(records, s.change_recording | t, s.change_recording),
        unpersisted=choose(u <= s.nvs_failed, s.unpersisted | t, s.unpersisted),
        cut=choose(records, s.cut, s.cut | w),
    )
    if options.collision is not Collision.SEND_FIRST:
        changes |= then(
            preserved=choose(keeps, s.preserved | t, s.preserved),
            preserved_image=choose(keeps, s.preserved_image.onto(t.writes, s.applied), s.preserved_image),
        )
    if options.collision is Collision.SEND_COPY:
        sends = keeps & t.outside(s.in_flight)
        changes |= then(
            in_flight=choose(sends, s.in_flight | t, s.in_flight),
            rewritten=choose(sends, s.rewritten & ~t, marked),
            wire=choose(sends, s.wire.onto(t.writes, s.applied), s.wire),
            late=choose(sends, s.late & ~t, s.late),
        )
    return (
        when(
            issued=w <= s.issued,
            new=w.outside(s.applied),
            enters=enters,
            synchronised=~collides if options.collision is Collision.SEND_FIRST else None,
            persisted=u.outside(s.nvs_failed),
        ),
        changes,
    )


@step("[0035]; [0039] 452; [0041] 554", w=Sort.WRITE)
def acknowledge_write(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The unit reports the write complete to the host; a pending unit does not."""
    return (
        when(
            applied=w <= s.applied,
            new=w.outside(s.acknowledged),
            released=w.track.unit.outside(s.pending),
        ),
        then(acknowledged=s.acknowledged | w),
    )


STEPS = (issue_write, apply_write, acknowledge_write)
