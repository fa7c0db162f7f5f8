"""What is always true of one unit: its mode, its bitmaps, the transfers on its wire."""

from __future__ import annotations

from mirrorspec.proofs.induction.conjunct import Given, conjunct
from mirrorspec.spec.configuration import Hold
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import TRUE, Truth, full

GROUP = "unit"


@conjunct(GROUP)
def one_mode(s: State, given: Given) -> Truth:
    """A unit is pending or in progress, never both."""
    return s.pending.outside(s.in_progress)


@conjunct(GROUP)
def active_unit_has_joined(s: State, given: Given) -> Truth:
    """A unit in an increment has said that it joined, and has not left."""
    return (s.pending | s.in_progress) <= (s.joined & ~s.left)


@conjunct(GROUP)
def joined_unit_is_active_until_it_leaves(s: State, given: Given) -> Truth:
    """A unit goes back to normal only by leaving."""
    return s.joined <= (s.pending | s.in_progress | s.left)


@conjunct(GROUP)
def in_progress_means_ran(s: State, given: Given) -> Truth:
    """Only run brings a unit into progress."""
    return s.in_progress <= s.ran


@conjunct(GROUP)
def pending_means_not_ran(s: State, given: Given) -> Truth:
    """Run ends the hold, and there is one hold an increment."""
    return s.pending.outside(s.ran)


@conjunct(GROUP)
def ran_means_joined(s: State, given: Given) -> Truth:
    """A unit runs out of its hold."""
    return s.ran <= s.joined


@conjunct(GROUP)
def drained_means_ran(s: State, given: Given) -> Truth:
    """Drained is reported in progress."""
    return s.drained <= s.ran


@conjunct(GROUP)
def only_members_join(s: State, given: Given) -> Truth:
    """A unit joins as a member, and the membership stands still while anyone has joined."""
    return s.joined <= s.members


@conjunct(GROUP)
def membership_is_fixed(s: State, given: Given) -> Truth:
    """Without the fault that units come and go, every unit is a member."""
    return TRUE if "membership" in given.environment.faults else full(s.members.sort) <= s.members


@conjunct(GROUP)
def only_members_track(s: State, given: Given) -> Truth:
    """Out-of-sync is kept for established pairs only."""
    return s.out_of_sync <= s.members.tracks


@conjunct(GROUP)
def in_flight_is_out_of_sync(s: State, given: Given) -> Truth:
    """Out-of-sync is cleared by the acknowledgement of a transfer, never by its sending."""
    return s.in_flight <= s.out_of_sync


@conjunct(GROUP)
def delivered_is_in_flight(s: State, given: Given) -> Truth:
    """What the primary has given up, it no longer waits for."""
    return s.delivered <= s.in_flight


@conjunct(GROUP)
def preserved_in_an_increment(s: State, given: Given) -> Truth:
    """Old images are kept for the increment that froze them, and given up with it."""
    return s.preserved <= (s.pending | s.in_progress).tracks


@conjunct(GROUP)
def held_before_the_cache(s: State, given: Given) -> Truth:
    """Where held writes wait before the cache, a pending unit has nothing to record, and nothing to preserve."""
    if given.options.hold is not Hold.BEFORE_CACHE:
        return TRUE
    return (s.change_recording | s.preserved).outside(s.pending.tracks)


@conjunct(GROUP)
def late_means_left(s: State, given: Given) -> Truth:
    """A transfer counts as late when its unit had left before it was sent."""
    return s.late <= s.left.tracks


@conjunct(GROUP)
def tainted_means_left(s: State, given: Given) -> Truth:
    """Only data that was sent after its unit had left taints a volume."""
    return s.tainted <= s.left.volumes


@conjunct(GROUP)
def all_is_persisted(s: State, given: Given) -> Truth:
    """A write whose mark cannot be persisted is not applied."""
    return s.unpersisted.is_empty()


@conjunct(GROUP)
def drained_is_synchronised(s: State, given: Given) -> Truth:
    """While a unit that drained is in progress, writes go to change recording: out-of-sync stays empty."""
    return (s.drained & s.in_progress).tracks.outside(s.out_of_sync)


@conjunct(GROUP)
def after_draining_only_late_transfers(s: State, given: Given) -> Truth:
    """What a unit that drained sends, it sends after it has left."""
    return (s.drained.tracks & s.in_flight) <= s.late


CONJUNCTS = (
    one_mode,
    active_unit_has_joined,
    joined_unit_is_active_until_it_leaves,
    in_progress_means_ran,
    pending_means_not_ran,
    ran_means_joined,
    drained_means_ran,
    only_members_join,
    membership_is_fixed,
    only_members_track,
    in_flight_is_out_of_sync,
    delivered_is_in_flight,
    preserved_in_an_increment,
    held_before_the_cache,
    late_means_left,
    tainted_means_left,
    all_is_persisted,
    drained_is_synchronised,
    after_draining_only_late_transfers,
)
