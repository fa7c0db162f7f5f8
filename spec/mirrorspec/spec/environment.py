"""What the world may do to the protocol: a set of faults beside the bounds, never inside a step.

A step that is a fault says which (`step(fault=...)`) and takes part only where the environment has it.
"""

from __future__ import annotations

from dataclasses import dataclass

FAULTS: dict[str, str] = {
    "loss": "transfers of tracks, or their acknowledgements, are lost",
    "reordering": "copies of transfers linger and arrive later, out of order or twice",
    "late_messages": "commands and replies arrive after their increment has ended",
    "run_timer": "the run timer fires [0039] 430",
    "increment_timer": "the maximum increment timer fires [0041] 558",
    "crash_primary": "a primary control unit crashes and restarts",
    "crash_secondary": "a secondary control unit crashes and restarts",
    "takeover": "a session crashes, or is taken for crashed, and another takes over",
    "persist_failure": "a primary cannot persist a change of a bitmap: what would change one does not happen until it can",
    "membership": "units are established, with their initial copy, and dismissed",
}


@dataclass(frozen=True, slots=True)
class Environment:
    """A named set of faults, and what it is for."""

    name: str
    faults: frozenset[str]
    reason: str

    @property
    def sessions(self) -> int:
        """How many sessions a bounded search needs: a rival only where one can take over."""
        return 2 if "takeover" in self.faults else 1

    @property
    def established(self) -> bool:
        """Whether all pairs are established when everything begins; else units come, with an initial copy, and go."""
        return "membership" not in self.faults


def _named(name: str, reason: str, *faults: str) -> tuple[str, Environment]:
    return name, Environment(name, frozenset(faults), reason)


_LINKS = ("loss", "reordering", "late_messages")
_TIMERS = ("run_timer", "increment_timer")
_CRASHES = ("crash_primary", "crash_secondary")

ENVIRONMENTS: dict[str, Environment] = dict(
    [
        _named("reliable", "nothing fails: what the seed promises without saying so"),
        _named("timer", "only block 558's timer fires", "increment_timer"),
        _named("links", "the network at its worst, and nothing else", *_LINKS),
        _named("standard", "bad links and both timers: what every installation sees", *_LINKS, *_TIMERS),
        _named("crashes", "control units crash too", *_LINKS, *_TIMERS, *_CRASHES, "persist_failure"),
        _named("takeover", "sessions take over from one another", *_LINKS, *_TIMERS, "takeover"),
        _named("rivals", "a session is taken over from, and nothing else fails", "takeover"),
        _named("failover", "a session and control units fail together", "takeover", *_CRASHES),
        _named(
            "disaster", "bad links, timers, crashes and takeovers at once", *_LINKS, *_TIMERS, *_CRASHES, "takeover"
        ),
        _named("membership", "units come, with an initial copy, and go", *_LINKS, *_TIMERS, "membership"),
        _named("all", "every fault at once", *FAULTS),
    ]
)
