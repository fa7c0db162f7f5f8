"""What the invariant becomes where an order is changed: the conjuncts that are left out, and those that take their place.

Whatever is left out is weaker by that much, and what comes instead is proved like all the rest; so it is no matter of trust.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.proofs.induction.conjunct import Conjunct, Given, StagedConjunct, conjunct, same
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.invariant.images import idle, up_to_date
from mirrorspec.spec.configuration import Hold
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import Truth

GROUP = "reordering"


@conjunct(GROUP)
def recorded_in_an_increment(s: State, given: Given) -> Truth:
    """Change recording is empty outside an increment: leaving has merged it."""
    return s.change_recording <= (s.pending | s.in_progress).tracks


@conjunct(GROUP)
def unmarked_track_is_in_sync(s: State, given: Given) -> Truth:
    """In normal mode the secondary has of a track with a mark in neither bitmap all that the cache has."""
    return same(s.secondary, s.applied, idle(s) & ~(s.out_of_sync | s.change_recording).writes)


@conjunct(GROUP)
def transfer_carries_what_is_not_recorded(s: State, given: Given) -> Truth:
    """In normal mode a transfer carries what the cache holds, or the track is still marked, or will be sent again."""
    return same(s.wire, s.applied, idle(s) & up_to_date(s) & ~s.change_recording.writes)


@dataclass(frozen=True, slots=True)
class Amendment:
    """Conjuncts left out, by name, and conjuncts that are there besides."""

    without: frozenset[str] = frozenset()
    more: tuple[Conjunct, ...] = ()
    hold: Hold | None = None
    """The only hold with which the altered protocol is safe; None where any will do."""


AMENDED: dict[str, Amendment] = {
    "created_when_last_merged": Amendment(more=(recorded_in_an_increment,)),
    "created_with_run": Amendment(more=(recorded_in_an_increment,), hold=Hold.BEFORE_CACHE),
    "merged_after_normal": Amendment(
        frozenset({"clean_track_is_in_sync", "transfer_carries_the_cache"}),
        (unmarked_track_is_in_sync, transfer_carries_what_is_not_recorded),
    ),
    "flashed_unit_by_unit": Amendment(frozenset({"one_flashes_when_all_have_drained", "flash_is_sent_once_flashing"})),
}
"""By the name of the altered protocol; one that is not here keeps the invariant as it is."""


def invariant(name: str, given: Given) -> tuple[StagedConjunct, ...]:
    """The invariant of the altered protocol of that name."""
    amendment = AMENDED.get(name, Amendment())
    kept = [c for c in staged(given) if c.name not in amendment.without]
    more = [c for c in (conjunct.stage(given) for conjunct in amendment.more) if c is not None]
    return (*kept, *more)
