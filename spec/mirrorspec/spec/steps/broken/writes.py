"""Host writes that are marked too late, or whose collision is not seen."""

from __future__ import annotations

from collections.abc import Callable

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, Step, step, then, when
from mirrorspec.spec.steps import host
from mirrorspec.spec.steps.broken.instead import instead
from mirrorspec.spec.terms import SetTerm, Truth, choose

write_without_mark = instead(
    host.apply_write,
    "A unit writes to its cache, and leaves the mark for later.",
    out_of_sync=lambda s, w, right: s.out_of_sync,
    change_recording=lambda s, w, right: s.change_recording,
    rewritten=lambda s, w, right: s.rewritten,
    unpersisted=lambda s, w, right: s.unpersisted,
)


@step("[0037] 352", w=Sort.WRITE)
def mark_write(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The track of a write that was acknowledged is marked, in the bitmap that is in use by now."""
    u = w.track.unit
    return (
        when(acknowledged=w <= s.acknowledged, persisted=u.outside(s.nvs_failed)),
        host.marked(s, w.track, u <= s.pending | s.in_progress),
    )


write_marked_in_cache = instead(
    host.apply_write,
    "A unit marks the track in volatile cache only.",
    unpersisted=lambda s, w, right: s.unpersisted | w.track,
)

acknowledge_marked_in_cache = instead(
    host.acknowledge_write,
    "A unit reports a write complete that is marked, in cache if nowhere else.",
    {"marked": lambda s, w, right: w.track <= s.out_of_sync | s.change_recording},
)


@step("[0033]", t=Sort.TRACK)
def persist_mark(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The mark of a track reaches non-volatile storage."""
    return when(persisted=t.unit.outside(s.nvs_failed)), then(unpersisted=s.unpersisted & ~t)


def _collision_seen_where(name: str, meaning: str, seen: Callable[[State, SetTerm], Truth]) -> Step:
    """The right write, whose collision keeps the old image only where *seen* holds of the state and the write's track."""

    def text(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
        guards, changes = host.apply_write.function(s, w, options)
        for field in ("preserved", "preserved_image"):
            changes[field] = choose(seen(s, w.track), changes[field], getattr(s, field))  # type: ignore[arg-type]
        return guards, changes

    text.__doc__ = meaning
    return Step(name, "[0043] 722-724", host.apply_write.parameters, text, None, None)


collision_forgets_in_flight = _collision_seen_where(
    "apply_write",
    "A collision is seen only where the track is out of sync and not in flight.",
    lambda s, t: t.outside(s.in_flight),
)

collision_waits_for_run = _collision_seen_where(
    "apply_write",
    "A collision is seen only once the unit is in progress, though what is cached while pending is recorded.",
    lambda s, t: t.unit <= s.in_progress,
)
