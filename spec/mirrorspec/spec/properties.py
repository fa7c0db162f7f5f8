"""What the protocol promises, in the same algebra as its steps.

SAFETY      the image recovered at this moment is dependent-write consistent, holds what was promised, and never goes back;
SOMETIMES   what must be reachable, so that SAFETY is not kept by doing nothing;
PROGRESS    what falls, or at least never rises, on the way to the end of an increment;
AVAILABILITY  every hold of host writes ends.

A property speaks of one state, or of a step (the state before it, the state after it), for every thing that it names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mirrorspec.spec.configuration import Collision, Configuration
from mirrorspec.spec.recovery import committed_image, promised, recovered
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import SetTerm, Truth, first_session, parameter

Guards = dict[str, Truth]


class Kind(StrEnum):
    """What a property is for."""

    SAFETY = "safety"
    SOMETIMES = "sometimes"
    PROGRESS = "progress"
    AVAILABILITY = "availability"


@dataclass(frozen=True, slots=True)
class Property:
    """A promise: its name, its words, its source, and its text over the states before and after a step."""

    name: str
    kind: Kind
    meaning: str
    cites: str
    truth: Callable[[State, State, Configuration], Truth]
    of_step: bool = False
    """Whether it speaks of two states; else the second is not read."""
    needs_step: str = ""
    """A step that must be part of the model for the property to make sense."""
    relief: str = ""
    """A step that must be enabled, for the same thing, wherever the truth holds: then that is the promise."""


def consistent(s: State, _: State, options: Configuration) -> Truth:
    """Every write that a recovered write needs is recovered too."""
    return s.needs.closes(recovered(s, options), promised(s).tracks.writes)


def consistent_committing(s: State, _: State, options: Configuration) -> Truth:
    """The same, where recovery commits what is wholly flashed: equally consistent."""
    return s.needs.closes(committed_image(s, options), promised(s).tracks.writes)


def promised_writes_held(s: State, _: State, options: Configuration) -> Truth:
    """Once an increment is committed, what was acknowledged before it started is recovered."""
    begun = s.begun & promised(s).tracks.writes
    ended = s.committed.some() if options.hardened else s.members.volumes <= s.flashed
    return (~ended) | (begun <= recovered(s, options))


def never_back(before: State, after: State, options: Configuration) -> Truth:
    """What recovery would have yielded before a step, it yields after it."""
    kept = (promised(before) & promised(after)).tracks.writes
    return (recovered(before, options) & kept) <= recovered(after, options)


def not_below_committed(s: State, _: State, options: Configuration) -> Truth:
    """Committing what is wholly flashed never yields less than reverting it."""
    return (recovered(s, options) & promised(s).tracks.writes) <= committed_image(s, options)


def frozen_set_falls(before: State, after: State, options: Configuration) -> Truth:
    """While a unit is in progress no step puts a track out of sync: what is still to be drained never grows."""
    drains = (before.in_progress & after.in_progress).tracks
    return (after.out_of_sync & drains) <= before.out_of_sync


def held(s: State, _: State, options: Configuration) -> Truth:
    """A unit holds its writes."""
    return parameter("u", Sort.UNIT) <= s.pending


def _reaches(what: Callable[[State], Truth]) -> Callable[[State, State, Configuration], Truth]:
    return lambda s, _, options: what(s)


def _collided(s: State, _: State, options: Configuration) -> Truth:
    if options.collision is Collision.SEND_FIRST:
        return (s.issued & ~s.applied & (s.in_progress.tracks & s.out_of_sync).writes).some()
    return s.preserved.some()


def _later(sessions: SetTerm) -> SetTerm:
    return sessions & ~first_session()


def _safety(name: str, meaning: str, cites: str, truth: Callable[..., Truth], of_step: bool = False) -> Property:
    return Property(name, Kind.SAFETY, meaning, cites, truth, of_step)


def _sometimes(name: str, meaning: str, cites: str, what: Callable[[State], Truth], needs_step: str = "") -> Property:
    return Property(name, Kind.SOMETIMES, meaning, cites, _reaches(what), needs_step=needs_step)


PROPERTIES: dict[str, Property] = {
    p.name: p
    for p in (
        _safety("consistent", "the recovered image is dependent-write consistent", "[0008-0009] [0049]", consistent),
        _safety(
            "consistent_committing",
            "so is the image that recovery yields by committing what is wholly flashed",
            "[0008-0009] [0049]",
            consistent_committing,
        ),
        _safety(
            "promised_writes_held",
            "it holds every write acknowledged before the last committed increment started",
            "[0010]",
            promised_writes_held,
        ),
        _safety("never_back", "the recovered increment never goes back", "[0010]", never_back, True),
        _safety(
            "not_below_committed",
            "recovery that commits never yields less than the last committed increment",
            "[0010]",
            not_below_committed,
        ),
        Property(
            "frozen_set_falls",
            Kind.PROGRESS,
            "no step puts a track of a unit in progress out of sync",
            "[0041] 556 [0049]",
            frozen_set_falls,
            True,
        ),
        Property(
            "hold_ends",
            Kind.AVAILABILITY,
            "wherever a unit holds its writes, the run timer can end the hold",
            "[0039] 430",
            held,
            needs_step="run_timeout",
            relief="run_timeout",
        ),
        _sometimes("a unit is pending", "some unit is increment pending", "[0039] 454", lambda s: s.pending.some()),
        _sometimes(
            "a unit is in progress",
            "some unit has its consistency group in progress",
            "[0041] 552",
            lambda s: s.in_progress.some(),
        ),
        _sometimes("writes are recorded", "change recording is used", "[0034]", lambda s: s.change_recording.some()),
        Property(
            "a write collides",
            Kind.SOMETIMES,
            "a write met a track of the frozen set that was still to be sent",
            "[0042-0045]",
            _collided,
        ),
        _sometimes("a flash is committed", "a flash became final", "[0048]", lambda s: s.committed.some(), "commit"),
        _sometimes(
            "all are flashed",
            "every volume is flashed",
            "[0048] 852",
            lambda s: s.members.some() & (s.members.volumes <= s.flashed),
        ),
        _sometimes(
            "a flash must be reverted",
            "an increment is given up after a volume was flashed",
            "[0041] error processing",
            lambda s: s.aborting.some() & s.flashed.some(),
            "abort",
        ),
        _sometimes(
            "a takeover commits",
            "a session that took over commits the increment",
            "[0047]",
            lambda s: (_later(s.committing) & ~s.run_sent.session).some(),
            "take_over",
        ),
        _sometimes(
            "a takeover reverts",
            "a session that took over reverts a flash",
            "[0047]",
            lambda s: (_later(s.aborting) & ~s.start_sent.session).some() & s.flashed.some(),
            "take_over",
        ),
    )
}
"""Every property by its name."""
