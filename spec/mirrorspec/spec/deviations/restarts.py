"""What a restart or a handshake must not forget."""

from __future__ import annotations

from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.steps import broken

RESTARTS = (
    Deviation(
        "restart_clears_bitmap",
        "a restart clears a bitmap that is not empty",
        "crashes",
        "1u1t2w",
        puts=(broken.restarts.restart_clears_bitmap,),
    ),
    Deviation(
        "reconnection_clears_bitmap",
        "the handshake with a secondary that comes back clears a bitmap that is not empty",
        "crashes",
        "1u1t2w",
        puts=(broken.restarts.reconnection_clears_bitmap,),
    ),
    Deviation(
        "takeover_clears_bitmap",
        "the handshake with a new session clears a bitmap that is not empty",
        "rivals",
        "1u1t2w",
        puts=(broken.restarts.takeover_clears_bitmap,),
    ),
    Deviation(
        "restart_without_preserved",
        "a primary restarts without its preserved images and goes on with the increment",
        "crashes",
        "1u2t3w",
        puts=(broken.restarts.restart_without_preserved,),
    ),
    Deviation(
        "restart_forgets_mode",
        "a primary forgets in a restart that it was in an increment",
        "crashes",
        "1u1t2w",
        puts=(broken.restarts.restart_forgets_mode,),
    ),
    Deviation(
        "restart_forgets_in_flight",
        "a primary counts what was in flight as synchronised after a restart",
        "crashes",
        "1u1t2w",
        puts=(broken.restarts.restart_forgets_in_flight,),
    ),
    Deviation(
        "restart_forgets_leaving",
        "a primary forgets in a restart that it had left the increment, and joins it again",
        "crashes",
        "2u2t2w",
        puts=(broken.restarts.restart_forgets_leaving,),
    ),
    Deviation(
        "restart_forgets_taint",
        "a secondary forgets in a restart that it received data of a later increment",
        "crashes",
        "2u2t2w",
        puts=(broken.restarts.restart_forgets_taint,),
    ),
    Deviation(
        "restart_forgets_withdrawal",
        "a secondary forgets in a restart that a flash was withdrawn, and obeys it late",
        "crashes",
        "2u2t2w",
        puts=(broken.restarts.restart_forgets_withdrawal,),
    ),
    Deviation(
        "restart_forgets_session",
        "a secondary forgets in a restart which session it has heard last, and obeys the older one again",
        "failover",
        "2u2t2w",
        puts=(broken.restarts.restart_forgets_session,),
    ),
    Deviation(
        "restart_drops_hold_and_rejoins",
        "a primary that was pending comes back normal, and accepts start increment once more",
        "crashes",
        "2u2t2w",
        puts=(broken.restarts.restart_drops_hold,),
    ),
    Deviation(
        "restart_drops_hold",
        "a primary that was pending comes back normal, and joins no increment twice",
        "crashes",
        "2u2t2w",
        puts=(broken.restarts.restart_drops_hold, broken.increment.join_once),
        harmless="run is refused unless pending and start unless new, so the increment cannot complete",
    ),
)
