"""What is always true of the images: which of them agree, and on which tracks.

The cut of a unit that joined is what its cache held then. A track is *clean* when it is not out of sync.
"""

from __future__ import annotations

from mirrorspec.proofs.induction.conjunct import Given, conjunct, same
from mirrorspec.spec.configuration import Switch
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import SetTerm, Truth, full

GROUP = "image"


def active(s: State) -> SetTerm:
    """The writes to units that are pending or in progress."""
    return (s.pending | s.in_progress).tracks.writes


def idle(s: State) -> SetTerm:
    """The writes to members that are in normal mode."""
    return (s.members & ~(s.pending | s.in_progress)).tracks.writes


def up_to_date(s: State) -> SetTerm:
    """The writes to tracks in flight whose transfer carries what it should."""
    return (s.in_flight & ~s.rewritten).writes


@conjunct(GROUP)
def applied_was_issued(s: State, given: Given) -> Truth:
    """A unit applies what a host has sent."""
    return s.applied <= s.issued


@conjunct(GROUP)
def acknowledged_is_applied(s: State, given: Given) -> Truth:
    """A host hears of a write only once it is in the cache."""
    return s.acknowledged <= s.applied


@conjunct(GROUP, n=Sort.WRITE)
def needed_is_acknowledged(s: State, n: SetTerm, given: Given) -> Truth:
    """A write depends only on writes that its host could have seen completed: nothing else needs any other write."""
    return (n <= s.acknowledged) | s.needs.closes(~n, full(Sort.WRITE))


@conjunct(GROUP)
def copies_hold_what_was_applied(s: State, given: Given) -> Truth:
    """Every image is a copy, at some remove, of what the cache held."""
    on_the_wire = s.wire & s.in_flight.writes
    frozen = s.cut & s.joined.tracks.writes
    return (s.secondary | s.target | (s.previous & s.flashed.tracks.writes) | on_the_wire | frozen) <= s.applied


@conjunct(GROUP)
def what_is_not_recorded_is_in_the_cut(s: State, given: Given) -> Truth:
    """In an increment a track without a mark in change recording is as it was when the cut froze."""
    return same(s.applied, s.cut, active(s) & ~s.change_recording.writes)


@conjunct(GROUP)
def the_only_image_is_the_cut(s: State, given: Given) -> Truth:
    """In an increment a track still to be sent, of which no old image is kept, is as it was when the cut froze."""
    return same(s.applied, s.cut, active(s) & (s.out_of_sync & ~s.preserved).writes)


@conjunct(GROUP)
def preserved_image_is_the_cut(s: State, given: Given) -> Truth:
    """An old image is kept before the first write that the cut lacks."""
    return same(s.preserved_image, s.cut, s.preserved.writes)


@conjunct(GROUP)
def clean_track_is_the_cut(s: State, given: Given) -> Truth:
    """In an increment the secondary has of a clean track just what the cut has."""
    return same(s.secondary, s.cut, active(s) & ~s.out_of_sync.writes)


@conjunct(GROUP)
def clean_track_is_in_sync(s: State, given: Given) -> Truth:
    """In normal mode the secondary has of a clean track all that the cache has."""
    return same(s.secondary, s.applied, idle(s) & ~s.out_of_sync.writes)


@conjunct(GROUP)
def transfer_carries_the_cut(s: State, given: Given) -> Truth:
    """In an increment a transfer carries the cut's image, or the track will be sent again."""
    return same(s.wire, s.cut, active(s) & up_to_date(s))


@conjunct(GROUP)
def transfer_carries_the_cache(s: State, given: Given) -> Truth:
    """In normal mode a transfer carries what the cache holds, or the track will be sent again."""
    return same(s.wire, s.applied, idle(s) & up_to_date(s))


@conjunct(GROUP)
def delivered_is_hardened(s: State, given: Given) -> Truth:
    """A secondary acknowledges only what it has hardened."""
    return same(s.secondary, s.wire, s.delivered.writes)


@conjunct(GROUP)
def drained_secondary_is_the_cut(s: State, given: Given) -> Truth:
    """The secondary of a unit that drained holds the cut, on every volume that no later data has tainted."""
    return same(s.secondary, s.cut, (s.drained.tracks & ~s.tainted.tracks).writes)


@conjunct(GROUP)
def held_write_is_not_acknowledged(s: State, given: Given) -> Truth:
    """A pending unit acknowledges nothing that its cut lacks."""
    return (s.acknowledged & s.pending.tracks.writes) <= s.cut


def forming(s: State, given: Given) -> SetTerm:
    """The cut, with what will still become part of it."""
    if given.options.switch is not Switch.BEFORE_START:
        return s.cut
    return s.cut | (s.caught & s.pending.tracks.writes)


@conjunct(GROUP)
def caught_was_issued(s: State, given: Given) -> Truth:
    """What was in progress when a unit joined had been sent by a host."""
    return (s.caught & s.pending.tracks.writes) <= s.issued


@conjunct(GROUP)
def cuts_fit_one_another(s: State, given: Given) -> Truth:
    """No unit acknowledges a write outside its cut before every unit has frozen its own: together the cuts are closed."""
    return s.needs.closes(forming(s, given), (s.pending | s.ran).tracks.writes)


CONJUNCTS = (
    applied_was_issued,
    acknowledged_is_applied,
    needed_is_acknowledged,
    copies_hold_what_was_applied,
    what_is_not_recorded_is_in_the_cut,
    the_only_image_is_the_cut,
    preserved_image_is_the_cut,
    clean_track_is_the_cut,
    clean_track_is_in_sync,
    transfer_carries_the_cut,
    transfer_carries_the_cache,
    delivered_is_hardened,
    drained_secondary_is_the_cut,
    held_write_is_not_acknowledged,
    caught_was_issued,
    cuts_fit_one_another,
)
