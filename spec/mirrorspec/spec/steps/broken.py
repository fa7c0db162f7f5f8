"""Steps done wrong: for the deviations that are more than a guard or a change left out.

None of these is part of the protocol. Each is the right step with one thing changed, so that the fault stands alone.
"""

from __future__ import annotations

from collections.abc import Callable

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, Step, step, then, when
from mirrorspec.spec.steps import failure, flash, host, increment, transfer
from mirrorspec.spec.terms import SetTerm, Truth, choose


def _instead(right: Step, name: str, meaning: str, **changed: object) -> Step:
    """The step *right* with the named changes computed from its own by functions of (state, thing, right change)."""

    def text(s: State, x: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
        guards, changes = right.function(s, x, options)
        for field, wrong in changed.items():
            changes[field] = wrong(s, x, changes.get(field, getattr(s, field)))  # type: ignore[operator]
        return guards, changes

    text.__doc__ = meaning
    return Step(name, right.cites, right.parameters, text, right.fault, right.only)


restart_clears_bitmap = _instead(
    failure.restart_primary,
    "restart_primary",
    "A primary restarts with an empty out-of-sync bitmap.",
    out_of_sync=lambda s, u, right: right & ~u.tracks,
)

restart_without_preserved = _instead(
    failure.restart_primary,
    "restart_primary",
    "A primary restarts without its preserved images and stays in the increment.",
    preserved=lambda s, u, right: right & ~u.tracks,
)

restart_forgets_mode = _instead(
    failure.restart_primary,
    "restart_primary",
    "A primary restarts in normal mode, its change recording gone.",
    pending=lambda s, u, right: right & ~u,
    in_progress=lambda s, u, right: right & ~u,
    change_recording=lambda s, u, right: right & ~u.tracks,
)

restart_forgets_in_flight = _instead(
    failure.restart_primary,
    "restart_primary",
    "A primary restarts with the bits of transfers in flight cleared.",
    out_of_sync=lambda s, u, right: right & ~(s.in_flight & u.tracks),
)

restart_forgets_leaving = _instead(
    failure.restart_primary,
    "restart_primary",
    "A primary restarts without knowing that it has left the increment.",
    left=lambda s, u, right: right & ~u,
)

restart_drops_hold = _instead(
    failure.restart_primary,
    "restart_primary",
    "A primary that was pending restarts in normal mode.",
    pending=lambda s, u, right: right & ~u,
)

restart_forgets_taint = _instead(
    failure.restart_secondary,
    "restart_secondary",
    "A secondary restarts without its taint.",
    tainted=lambda s, u, right: right & ~u.volumes,
)

restart_forgets_withdrawal = _instead(
    failure.restart_secondary,
    "restart_secondary",
    "A secondary restarts without knowing what was withdrawn; the session has its reply.",
    withdrawn=lambda s, u, right: right & ~u.volumes,
)

restart_forgets_session = _instead(
    failure.restart_secondary,
    "restart_secondary",
    "A secondary restarts without the number of the session that it has heard last.",
    fenced=lambda s, u, right: right & ~u.channels,
)

preserved_dropped_early = _instead(
    transfer.acknowledge_track,
    "acknowledge_track",
    "Any acknowledgement of a track discards its preserved image.",
    preserved=lambda s, t, right: right & ~t,
)

swap_on_failure = _instead(
    increment.increment_timeout,
    "increment_timeout",
    "A unit whose increment times out takes change recording for out-of-sync.",
    out_of_sync=lambda s, u, right: (s.out_of_sync & ~u.tracks) | (s.change_recording & u.tracks),
)


merge_despite_failed_persist = _instead(
    increment.increment_timeout,
    "increment_timeout",
    "A unit merges and leaves although it could not persist the merged bits.",
    unpersisted=lambda s, u, right: s.unpersisted | (s.change_recording & u.tracks & s.nvs_failed.tracks),
)


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


@step("[0048] 852", c=Sort.CHANNEL, v=Sort.VOLUME)
def flash_finds_relation(s: State, c: SetTerm, v: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A flash finds a relation of an older increment, and reports it as the new one without copying."""
    guards, changes = flash.flash.function(s, c, v, options)
    changes.pop("target")
    return guards | when(exists=v <= s.old_flashed), changes


@step("[0038-0039] 450-454", c=Sort.CHANNEL)
def _join_once(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit joins, unless it has joined before."""
    guards, changes = increment.start_increment.function(s, c, options)
    return guards | when(not_joined=c.unit.outside(s.joined)), changes


join_once = Step("start_increment", "[0038-0039] 450-454", _join_once.parameters, _join_once.function, None, None)
