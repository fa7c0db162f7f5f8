"""Increments that are joined twice, merged in two acts, or ended by taking one bitmap for the other."""

from __future__ import annotations

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.steps import increment, transfer
from mirrorspec.spec.steps.broken.instead import instead
from mirrorspec.spec.terms import SetTerm

swap_on_failure = instead(
    increment.increment_timeout,
    "A unit whose increment times out takes change recording for out-of-sync.",
    out_of_sync=lambda s, u, right: (s.out_of_sync & ~u.tracks) | (s.change_recording & u.tracks),
)


merge_despite_failed_persist = instead(
    increment.increment_timeout,
    "A unit merges and leaves although it could not persist the merged bits.",
    unpersisted=lambda s, u, right: s.unpersisted | (s.change_recording & u.tracks & s.nvs_failed.tracks),
)


@step("[0048] 858", u=Sort.UNIT, fault="crash_primary")
def crash_inside_merge(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A primary crashes when change recording is emptied and not yet merged, and comes back in normal mode."""
    guards, changes = increment.increment_timeout.function(s, u, options)
    return guards, changes | then(out_of_sync=s.out_of_sync, **transfer.ended(s, u.tracks))


@step("[0048] 858-860", c=Sort.CHANNEL, w=Sort.WRITE)
def write_between_merge_and_normal(s: State, c: SetTerm, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The increment completes, and a write is applied after the merge but recorded as before it."""
    guards, changes = increment.increment_complete.function(s, c, options)
    recorded = changes["change_recording"]
    assert isinstance(recorded, SetTerm)
    return (
        guards | when(there=w.track.unit <= c.unit, issued=w <= s.issued, new=w.outside(s.applied)),
        changes | then(applied=s.applied | w, change_recording=recorded | w.track),
    )


@step("[0048] 858", c=Sort.CHANNEL, fault="crash_primary")
def crash_inside_swap(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """An increment completes by exchanging the two bitmaps, and the primary crashes between the two pointers.

    Change recording points to what was out-of-sync, which is empty; so does out-of-sync still.
    """
    u = c.unit
    guards, changes = increment.increment_complete.function(s, c, options)
    exchanged = s.change_recording.onto(u.tracks, s.out_of_sync)
    return guards, changes | transfer.ended(s, u.tracks) | then(change_recording=exchanged, out_of_sync=s.out_of_sync)


join_once = instead(
    increment.start_increment,
    "A unit joins, unless it has joined before.",
    {"not_joined": lambda s, c, right: c.unit.outside(s.joined)},
)
