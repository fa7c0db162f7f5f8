"""How much a search may take, and what to do about a bound that is beyond it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mirrorspec.proofs.search.store import BYTES_OF_INDEX, MOST_STATES

SHARE_OF_MEMORY = 0.8
"""Of the machine's memory, what a search may take unless it is told."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most states that may be stored, and which limit that is.

    Memory means the keys and their index. What an engine works with comes on top, and does not grow with the states
    stored: the candidates of a chunk or two, and with sleep 8 bytes for each state that waits to be expanded.
    """

    states: int
    name: str

    @classmethod
    def of(cls, words: int, max_states: int | None, max_bytes: int | None) -> Limits:
        """The lowest of the limits, for keys of so many words."""
        each = words * 8 + BYTES_OF_INDEX
        memory = int(_memory() * SHARE_OF_MEMORY)
        limits = [
            (MOST_STATES, "the index's places of 32 bits"),
            ((memory if max_bytes is None else max_bytes) // each, "the limit of memory"),
        ]
        if max_states is not None:
            limits.append((max_states, "the limit of states"))
        return cls(*min(limits))

    def reason(self, words: int, depth: int, granted: int) -> str:
        """Why a search stopped that has looked at every state up to *depth*, and what would do.

        *granted* is the number of states for which the system gave address space.
        """
        states = min(self.states, granted)
        name = self.name if states == self.states else "the address space that the system grants"
        memory = states * (words * 8 + BYTES_OF_INDEX) / 2**20
        return (
            f"{name} of {states:,} states (keys and index: {memory:,.0f} MiB) was reached; every state of up to {depth} steps "
            "was looked at, and nothing is claimed beyond. A higher limit, smaller bounds, or an environment with fewer "
            "faults would let it end"
        )


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 8 << 30
