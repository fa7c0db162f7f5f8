"""What must hold of a host write before the cache, whatever mode, track and variant it meets [0037-0044].

A contract is a function that returns true for every input that its ``pre`` line allows; CrossHair reads the ``pre`` and
``post`` lines of its text, and `confirm` requires that it says *confirmed*. A line ``pre`` speaks of what is given, never of
what was decided, so that no contract is made true by a wrong decision. The variants are those that are tabled safe: no other
may be built (`spec.variants`).
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.impl.core import decisions
from mirrorspec.impl.core.decisions import Arrived, Mode, Recorded, Source, WriteDecision
from mirrorspec.spec.configuration import Collision, Hold, Switch
from mirrorspec.spec.variants import combinations, fault


@dataclass(frozen=True, slots=True)
class Variant:
    """The choices of a configuration that the write path knows."""

    hold: Hold
    collision: Collision
    switch: Switch


SAFE = {(o.hold, o.collision, o.switch) for o in combinations().values() if not fault(o)}


def built(v: Variant) -> bool:
    """Whether the variant may be built."""
    return (v.hold, v.collision, v.switch) in SAFE


def decided(w: Arrived, v: Variant) -> WriteDecision:
    """What becomes of the write."""
    return decisions.host_write(w, v.hold, v.collision, v.switch)


def outside(w: Arrived, v: Variant) -> bool:
    """Whether the write is outside the cut of an increment that has begun at its unit [0038] 602, 722; [0041] 554."""
    if w.mode is Mode.PENDING:
        return not (w.caught and v.switch is Switch.BEFORE_START)
    return w.mode is Mode.IN_PROGRESS


def the_frozen_image_is_never_destroyed(w: Arrived, v: Variant) -> bool:
    """A write outside the cut that meets a track of it waits, or the track's image is kept, or is kept already [0042-0044].

    pre: built(v)
    pre: outside(w, v) and w.out_of_sync
    post: _
    """
    d = decided(w, v)
    return d.refused != "" or d.preserve or w.preserved


def a_kept_image_is_never_replaced(w: Arrived, v: Variant) -> bool:
    """An image is kept once: the first write outside the cut does it, and the next ones find it kept [0044] 726-732.

    pre: built(v)
    post: _
    """
    d = decided(w, v)
    return not d.preserve or (w.out_of_sync and not w.preserved and outside(w, v))


def a_later_write_is_recorded_as_a_change(w: Arrived, v: Variant) -> bool:
    """A write outside the cut goes to change recording or waits: in progress always, and while pending too [0038] [0041].

    pre: built(v)
    pre: outside(w, v)
    post: _
    """
    d = decided(w, v)
    return d.refused != "" or d.recorded is Recorded.CHANGE_RECORDING


def a_write_of_the_cut_is_marked_out_of_sync(w: Arrived, v: Variant) -> bool:
    """A member's write that is in the cut, or in no increment, waits for nothing and is marked out of sync [0037] 352.

    pre: built(v)
    pre: w.member and not outside(w, v)
    post: _
    """
    d = decided(w, v)
    return d.refused == "" and d.recorded is Recorded.OUT_OF_SYNC


def a_pending_unit_acknowledges_nothing(w: Arrived, v: Variant) -> bool:
    """No write is acknowledged while its unit is pending, however far it gets [0038-0039] 454.

    pre: built(v)
    pre: w.mode is Mode.PENDING
    post: _
    """
    return not decided(w, v).acknowledged


def other_units_acknowledge_at_once(w: Arrived, v: Variant) -> bool:
    """A write that enters in any other mode is acknowledged in the same act: only pending holds hosts [0035] [0041].

    pre: built(v)
    pre: w.mode is not Mode.PENDING
    post: _
    """
    d = decided(w, v)
    return d.acknowledged == (d.refused == "")


def a_hold_before_the_cache_holds(w: Arrived, v: Variant) -> bool:
    """Where writes wait before the cache, none that is outside the cut enters while its unit is pending [0038].

    pre: built(v)
    pre: w.mode is Mode.PENDING and v.hold is Hold.BEFORE_CACHE and outside(w, v)
    post: _
    """
    return decided(w, v).refused == "enters"


def a_write_waits_for_two_things_only(w: Arrived, v: Variant) -> bool:
    """A write waits for a pending unit to run, or for the frozen image of its track to be sent; for nothing else [0042].

    pre: built(v)
    post: _
    """
    match decided(w, v).refused:
        case "enters":
            return w.mode is Mode.PENDING and v.hold is Hold.BEFORE_CACHE
        case "synchronised":
            return w.out_of_sync and outside(w, v) and v.collision is Collision.SEND_FIRST
        case refused:
            return refused == ""


def a_write_that_waits_does_nothing(w: Arrived, v: Variant) -> bool:
    """A refused write marks nothing, keeps nothing, sends nothing and is not acknowledged.

    pre: built(v)
    post: _
    """
    d = decided(w, v)
    return d.refused == "" or d == WriteDecision(refused=d.refused)


def an_outsider_tracks_nothing(w: Arrived, v: Variant) -> bool:
    """A unit that belongs to no session lets every write go on and marks nothing [0026].

    pre: built(v)
    pre: not w.member and w.mode is Mode.NORMAL
    post: _
    """
    return decided(w, v) == WriteDecision(acknowledged=True)


def a_transfer_overtaken_by_a_write_is_out_of_date(w: Arrived, v: Variant) -> bool:
    """A write marked out of sync makes what the transfer carries out of date; one outside the cut does not [0042] 608.

    pre: built(v)
    post: _
    """
    d = decided(w, v)
    return d.rewritten == (w.in_flight and d.recorded is Recorded.OUT_OF_SYNC)


def only_a_copy_just_made_is_sent(w: Arrived, v: Variant) -> bool:
    """The write sends only the image that it keeps, and never beside another transfer of the track [0044].

    pre: built(v)
    post: _
    """
    d = decided(w, v)
    return not d.send or (d.preserve and not w.in_flight and v.collision is Collision.SEND_COPY)


def the_copy_is_sent_at_once(w: Arrived, v: Variant) -> bool:
    """With the alternative of [0044], the first collision sends the copy in the same act, unless the track is in flight.

    pre: built(v)
    pre: v.collision is Collision.SEND_COPY and outside(w, v) and w.out_of_sync and not w.preserved and not w.in_flight
    post: _
    """
    d = decided(w, v)
    return d.refused != "" or d.send


def an_acknowledgement_never_hides_a_write(w: Arrived, v: Variant, same: bool, rewritten: bool) -> bool:
    """The acknowledgement of a transfer that a write overtook leaves the track out of sync [0042] 608 758.

    pre: built(v)
    pre: w.in_flight and w.member and not outside(w, v)
    post: _
    """
    d = decided(w, v)
    return not decisions.hardened(w.in_flight, same, rewritten or d.rewritten).synchronised


def after_a_collision_the_kept_image_is_sent(w: Arrived, v: Variant, left: bool) -> bool:
    """Once a write outside the cut is in the cache of a track of the cut, the next transfer sends the kept image [0045] 750.

    pre: built(v)
    pre: outside(w, v) and w.out_of_sync and not w.in_flight
    post: _
    """
    d = decided(w, v)
    if d.refused or d.send:
        return True
    return decisions.transfer(True, False, w.preserved or d.preserve, left).source is Source.PRESERVED


CONTRACTS = (
    the_frozen_image_is_never_destroyed,
    a_kept_image_is_never_replaced,
    a_later_write_is_recorded_as_a_change,
    a_write_of_the_cut_is_marked_out_of_sync,
    a_pending_unit_acknowledges_nothing,
    other_units_acknowledge_at_once,
    a_hold_before_the_cache_holds,
    a_write_waits_for_two_things_only,
    a_write_that_waits_does_nothing,
    an_outsider_tracks_nothing,
    a_transfer_overtaken_by_a_write_is_out_of_date,
    only_a_copy_just_made_is_sent,
    the_copy_is_sent_at_once,
    an_acknowledgement_never_hides_a_write,
    after_a_collision_the_kept_image_is_sent,
)
