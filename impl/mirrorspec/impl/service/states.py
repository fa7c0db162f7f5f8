"""What each kind of party says of itself when it is asked: plain facts by name, ready for JSON."""

from __future__ import annotations

from time import time

from mirrorspec.impl.core.outcome import Bitmap, Outcome
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.impl.core.secondary import SecondaryUnit
from mirrorspec.impl.core.session import Session
from mirrorspec.impl.service.endpoint import Status


def of_primary(unit: PrimaryUnit) -> Status:
    """A primary: its mode, its bitmaps as counts of tracks, and what waits."""
    record = unit.record
    return {
        "mode": unit.mode.state,
        "session": record.session,
        "increment": record.increment,
        "over": record.over,
        "tracks": record.tracks,
        "out_of_sync": len(record.bitmaps[Bitmap.OUT_OF_SYNC]),
        "change_recording": len(record.bitmaps[Bitmap.CHANGE_RECORDING]),
        "preserved": len(record.bitmaps[Bitmap.PRESERVED]),
        "in_flight": len(unit.flying),
        "writes_waiting": len(unit.arrived) + len(unit.withheld),
        "connected": unit.connected,
        "epoch": record.epoch,
    }


def of_secondary(unit: SecondaryUnit, connected: bool) -> Status:
    """A secondary: what it has heard, and its flash relations in the order of its volumes."""
    record = unit.record
    return {
        "session": record.session,
        "increment": record.increment,
        "connected": connected,
        "epoch": record.epoch,
        "recovered": bool(record.recovered),
        "formed": max(relation.formed for relation in record.relations),
        "relations": [
            {"state": r.state, "increment": r.increment, "formed": r.formed, "forming": r.forming, "taint": r.taint}
            for r in record.relations
        ],
    }


class SessionWatch:
    """Follows a session's outcomes for the times that the session itself has no use for: how old the recovery point is.

    The cut of an increment lies after the last unit has joined and before the first one runs, so its time is that of the step
    `all_joined`. An increment that an earlier session has cut has a number but no time here.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._cut: float | None = None
        self._formed = session.formed
        self._formed_cut: float | None = None

    def after(self, outcome: Outcome) -> None:
        """Take note of an outcome that has been applied."""
        names = {taken.step for taken in outcome.steps}
        if "all_joined" in names:
            self._cut = time()
        elif "take_commit" in names or "take_abort" in names:
            self._cut = None
        if self.session.formed > self._formed:
            self._formed, self._formed_cut = self.session.formed, self._cut

    def status(self) -> Status:
        """A session: its phase, its counts, and the last increment that it knows to be committed."""
        s = self.session
        age = None if self._formed_cut is None else round(max(0.0, time() - self._formed_cut), 3)
        return {
            "number": s.number,
            "phase": s.phase.state,
            "increment": s.increment,
            "formed": s.counts["formed"],
            "failed": s.counts["failed"],
            "failures_in_a_row": s.failures,
            "paused": s.paused,
            "superseded": s.superseded,
            "recovery_point": {"increment": s.formed, "age_seconds": age},
            "remaining": [known.remaining for known in s.known],
        }
