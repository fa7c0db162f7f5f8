"""Which variant of the protocol is meant: the choices that the seed leaves open, and the two named configurations.

`SEED` is what the document says. `HARDENED` adds what the proof needs: numbered messages, fences, a flash that can be
reverted until it is committed. The other choices are the document's own alternatives; which combinations are safe is
tabled by `variants`, and only those may be built.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Hold(StrEnum):
    """How far a write gets while its unit is pending: "varying stages of processing" [0038]."""

    BEFORE_CACHE = "before_cache"
    """It waits before the cache."""
    IN_CACHE = "in_cache"
    """It is written to the cache, and only its acknowledgement waits."""


class Collision(StrEnum):
    """What a write does when it meets a track of the frozen set that is still to be sent."""

    SEND_FIRST = "send_first"
    """It waits until the old image is sent and acknowledged: FIG. 6 [0042]."""
    PRESERVE = "preserve"
    """The old image is kept for sending, the write goes to a new one: FIGS. 7A, 7B [0043-0045]."""
    SEND_COPY = "send_copy"
    """The old image is copied, the copy is sent at once, the write goes to the old place: the alternative in [0044]."""


class Switch(StrEnum):
    """What becomes of host requests in progress when recording switches to change recording [0041] 554."""

    AFTER = "after"
    """They are completed after the switch: they count as new writes."""
    BEFORE_START = "before_start"
    """Those that had arrived when start increment was accepted are completed before run: they are in the cut."""
    BEFORE_RUN = "before_run"
    """All that arrive until run are completed before it: the other way to read the sentence."""


class Restart(StrEnum):
    """What a primary does that restarts while its unit is pending or in progress."""

    RESUME = "resume"
    """It goes on: mode, bitmaps and preserved images are all durable."""
    LEAVE = "leave"
    """Preserved images are volatile, so it leaves the increment and merges."""


class Recovery(StrEnum):
    """From which flash targets recovery takes its image."""

    LAST_COMPLETE = "last_complete"
    """From those of the last increment that all volumes have: a revertible flash of a later one is reverted."""
    NEWEST = "newest"
    """From whatever each target holds: the obvious thing to do, and wrong."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One variant of the protocol."""

    name: str
    hardened: bool
    """Numbered messages, fences, abort, and a flash that is revertible until it is committed."""
    hold: Hold = Hold.BEFORE_CACHE
    collision: Collision = Collision.PRESERVE
    switch: Switch = Switch.AFTER
    restart: Restart = Restart.RESUME
    recovery: Recovery = Recovery.LAST_COMPLETE

    def with_options(self, **options: StrEnum) -> Configuration:
        """This configuration with some choices changed, and named after them."""
        changed = replace(self, **options)  # type: ignore[arg-type]  # the field names are checked by replace
        words = [str(v) for k, v in options.items() if v is not getattr(self, k)]
        return replace(changed, name="+".join([self.name, *words]))


CHOICES: dict[str, type[StrEnum]] = {
    "hold": Hold,
    "collision": Collision,
    "switch": Switch,
    "restart": Restart,
    "recovery": Recovery,
}
"""What a configuration leaves to choose, by the names of its fields."""

SEED = Configuration("seed", hardened=False)
HARDENED = Configuration("hardened", hardened=True)
CONFIGURATIONS = {c.name: c for c in (SEED, HARDENED)}
