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


def enters(s: State, w: SetTerm, options: Configuration) -> Truth | None:
    """Whether the write may enter the cache at all: how far it gets while its unit is pending [0038]."""
    held = w.track.unit <= s.pending
    if options.hold is Hold.IN_CACHE or options.switch is Switch.BEFORE_RUN:
        return None
    return ~held if options.switch is Switch.AFTER else ~held | (w <= s.caught)


def marked(s: State, t: SetTerm, records: Truth) -> Changes:
    """The write's mark: in change recording or out of sync; a unit that is no member tracks nothing [0037] 352 [0041] 554."""
    tracks = (t.unit <= s.members) & ~records
    return then(
        change_recording=choose(records, s.change_recording | t, s.change_recording),
        out_of_sync=choose(tracks, s.out_of_sync | t, s.out_of_sync),
        rewritten=choose(tracks, s.rewritten | (t & s.in_flight), s.rewritten),
        unpersisted=choose(t.unit <= s.nvs_failed, s.unpersisted | t, s.unpersisted),
    )


def kept(s: State, t: SetTerm, collides: Truth) -> Changes:
    """At the first collision of a track, its old image is kept until it is sent and acknowledged [0044] 726-732."""
    first = collides & t.outside(s.preserved)
    return then(
        preserved=choose(first, s.preserved | t, s.preserved),
        preserved_image=choose(first, s.preserved_image.onto(t.writes, s.applied), s.preserved_image),
    )


def sent_at_once(s: State, t: SetTerm, collides: Truth) -> Changes:
    """The alternative of [0044]: the copy is sent in the same act, unless the track is in flight already."""
    sends = collides & t.outside(s.preserved) & t.outside(s.in_flight)
    return then(
        in_flight=choose(sends, s.in_flight | t, s.in_flight),
        wire=choose(sends, s.wire.onto(t.writes, s.applied), s.wire),
        late=choose(sends, s.late & ~t, s.late),
    )


@step("[0037] 352; [0041] 554; [0042] 600-610; [0043-0044] 720-734", w=Sort.WRITE)
def apply_write(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The unit writes to its cache and, as part of the write, marks the track as out of sync or in change recording."""
    t = w.track
    records = recording(s, w, options)
    collides = records & (t <= s.out_of_sync)
    frozen = choose((t.unit <= s.pending) & ~records, s.cut | w, s.cut)
    changes = then(applied=s.applied | w, cut=frozen) | marked(s, t, records)
    if options.collision is not Collision.SEND_FIRST:
        changes |= kept(s, t, collides)
    if options.collision is Collision.SEND_COPY:
        changes |= sent_at_once(s, t, collides)
    return (
        when(
            issued=w <= s.issued,
            new=w.outside(s.applied),
            enters=enters(s, w, options),
            synchronised=~collides if options.collision is Collision.SEND_FIRST else None,
            persisted=t.unit.outside(s.nvs_failed),
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
