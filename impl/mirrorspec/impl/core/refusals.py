"""Every code with which the controller refuses something: its plain words, and whether the refusal is final.

The codes of steps are the names of the guards of the specification and have its words. A refusal that is not *definite* may
turn out otherwise when the same thing is tried again later.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec.guards import GUARDS


@dataclass(frozen=True, slots=True)
class Refusal:
    """One code."""

    code: str
    words: str
    definite: bool


_PASSING = frozenset(
    {"enters", "synchronised", "persisted", "released", "idle", "hardened", "completed", "replied", "ended"}
)
"""Guards that hold later without anybody's mistake being mended."""

_OWN = (
    Refusal("beyond", "the write does not lie within one track of the unit", True),
    Refusal("outside", "the request does not lie within the volume, or is longer than a request may be", True),
    Refusal("empty", "the write has no data", True),
    Refusal("known", "the request's number has been used before", True),
    Refusal("busy", "too many writes are waiting at the unit", False),
    Refusal("disconnected", "the unit has no connection to its secondary", False),
    Refusal("malformed", "the message cannot be read", True),
    Refusal("unknown", "no such unit, volume or party is known here", True),
    Refusal("paused", "the session has been told to pause, or has failed too often in a row", False),
    Refusal("recovered", "the secondary site has been recovered and takes no more transfers or commands", True),
)

REFUSALS: dict[str, Refusal] = {
    **{name: Refusal(name, words, name not in _PASSING) for name, words in GUARDS.items()},
    **{refusal.code: refusal for refusal in _OWN},
}
"""Every code by its name."""
