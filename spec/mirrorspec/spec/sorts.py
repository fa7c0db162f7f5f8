"""The six sorts of thing that the protocol speaks of, and who owns whom.

A *write* goes to a track, a *track* lies on a volume, a *volume* belongs to a control unit [0016, 0025-0028]. A *unit* is
a primary control unit together with its secondary. A *session* is the control logic of FIG. 8B that coordinates all
units; a *channel*, such as S0-U1, joins one session to one unit: commands go one way over it, replies the other. Nothing
else about these things is known to the specification, so they may be of any number.
"""

from __future__ import annotations

from enum import StrEnum


class Sort(StrEnum):
    """A kind of thing; a set in the specification is a set of things of one sort."""

    SESSION = "session"
    UNIT = "unit"
    VOLUME = "volume"
    TRACK = "track"
    WRITE = "write"
    CHANNEL = "channel"


OWNERS: dict[Sort, tuple[Sort, ...]] = {
    Sort.WRITE: (Sort.TRACK,),
    Sort.TRACK: (Sort.VOLUME,),
    Sort.VOLUME: (Sort.UNIT,),
    Sort.CHANNEL: (Sort.UNIT, Sort.SESSION),
}
"""For each sort the sorts that own it; each pair is a static function from the thing to its owner."""
