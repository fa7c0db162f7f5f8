"""Restarts and handshakes that forget, or clear, what is durable or still needed."""

from __future__ import annotations

from mirrorspec.spec.steps import failure, takeover
from mirrorspec.spec.steps.broken.instead import instead

restart_clears_bitmap = instead(
    failure.restart_primary,
    "A primary restarts with an empty out-of-sync bitmap.",
    out_of_sync=lambda s, u, right: right & ~u.tracks,
)

restart_without_preserved = instead(
    failure.restart_primary,
    "A primary restarts without its preserved images and stays in the increment.",
    preserved=lambda s, u, right: right & ~u.tracks,
)

restart_forgets_mode = instead(
    failure.restart_primary,
    "A primary restarts in normal mode, its change recording gone.",
    pending=lambda s, u, right: right & ~u,
    in_progress=lambda s, u, right: right & ~u,
    change_recording=lambda s, u, right: right & ~u.tracks,
)

restart_forgets_in_flight = instead(
    failure.restart_primary,
    "A primary restarts with the bits of transfers in flight cleared.",
    out_of_sync=lambda s, u, right: right & ~(s.in_flight & u.tracks),
)

restart_forgets_leaving = instead(
    failure.restart_primary,
    "A primary restarts without knowing that it has left the increment.",
    left=lambda s, u, right: right & ~u,
)

restart_drops_hold = instead(
    failure.restart_primary,
    "A primary that was pending restarts in normal mode.",
    pending=lambda s, u, right: right & ~u,
)

restart_forgets_taint = instead(
    failure.restart_secondary,
    "A secondary restarts without its taint.",
    tainted=lambda s, u, right: right & ~u.volumes,
)

restart_forgets_withdrawal = instead(
    failure.restart_secondary,
    "A secondary restarts without knowing what was withdrawn; the session has its reply.",
    withdrawn=lambda s, u, right: right & ~u.volumes,
)

restart_forgets_session = instead(
    failure.restart_secondary,
    "A secondary restarts without the number of the session that it has heard last.",
    fenced=lambda s, u, right: right & ~u.channels,
)

reconnection_clears_bitmap = instead(
    failure.restart_secondary,
    "A primary that meets its secondary again, after that one's restart, begins with an empty out-of-sync bitmap.",
    out_of_sync=lambda s, u, right: right & ~u.tracks,
)

takeover_clears_bitmap = instead(
    takeover.answer,
    "A unit that meets a new session begins with an empty out-of-sync bitmap.",
    out_of_sync=lambda s, c, right: right & ~c.unit.tracks,
)
