"""Which events need not be taken where, because the other order of two independent events leads to the same state.

Let a and b be independent (see `independence`), both enabled in s, and b of higher rank. Then a *sleeps* in b(s): the state
that it leads to, a(b(s)) = b(a(s)), is found from a(s). Unless b sleeps in a(s), which only an event of still higher rank can
have caused; ranks end, so that some order of the events is taken. Each state on the way lies in a level no later than b(s),
so nothing is found later than without sleep: states, levels and shortest traces are the same. So are the transitions
that are counted, since one that sleeps is known to be enabled. The step of an event asleep breaks a property only where it
broke it in s before, since an event reads what the properties of its step speak of.

A state gets the marks of the one transition by which it is stored, as bits of a word: those of the sleepers. They wait,
in the order of the states, until the states are expanded. An exchange of symmetry may turn an event into one of another
rank, so where there is one nothing sleeps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mirrorspec.proofs.search.independence import Footprint

Marks = npt.NDArray[np.uint64]
"""For each state the events that sleep in it."""
Truths = npt.NDArray[np.bool_]

MARKED = 64
"""As many events can sleep as a word has bits: those that sleep after most others."""
BYTES = MARKED // 8


class Sleep:
    """Marks for the events of a universe, given by their indices, and those of the states that wait for expansion."""

    def __init__(self, footprints: Sequence[Footprint]) -> None:
        events = range(len(footprints))
        free = [[a for a in events if a != b and footprints[a].independent(footprints[b])] for b in events]
        self.by_rank = sorted(events, key=lambda e: (len(free[e]), -e))
        """The events, lowest rank first: an event that is independent of many lets many sleep."""
        rank = {event: i for i, event in enumerate(self.by_rank)}
        may = {b: {a for a in free[b] if rank[a] < rank[b]} for b in events}
        sleepers = {e: sum(e in may[b] for b in events) for e in events}
        marked = sorted((e for e in events if sleepers[e]), key=lambda e: (-sleepers[e], e))[:MARKED]
        self.bit = {event: bit for bit, event in enumerate(marked)}
        self._after = [np.uint64(sum(1 << self.bit[a] for a in may[b] if a in self.bit)) for b in events]
        self._waiting = deque([np.zeros(1, np.uint64)])  # in the initial state nothing sleeps

    def wait(self, marks: Marks) -> None:
        """Keep the marks of states just stored."""
        self._waiting.append(marks)

    def next(self, count: int) -> Marks:
        """The marks of so many states, which are expanded in the order in which they were stored."""
        parts = []
        while count:
            part = self._waiting.popleft()
            if len(part) > count:
                self._waiting.appendleft(part[count:])
                part = part[:count]
            parts.append(part)
            count -= len(part)
        return np.concatenate(parts)

    def awake(self, marks: Marks, enabled: Sequence[tuple[int, Truths]]) -> list[tuple[int, Truths]]:
        """Of the states in which each event is enabled, those in which it does not sleep."""
        lanes = np.ascontiguousarray(marks.view(np.uint8).reshape(len(marks), BYTES).T)
        found = []
        for event, truths in enabled:
            bit = self.bit.get(event)
            if bit is not None:
                truths = truths & (lanes[bit >> 3] & np.uint8(1 << (bit & 7)) == 0)
            found.append((event, truths))
        return found

    def sleepers(self, enabled: Sequence[tuple[int, Truths]], count: int) -> Marks:
        """For each of so many states, of the events that can sleep, those that are enabled in it."""
        lanes = np.zeros((BYTES, count), np.uint8)
        for event, truths in enabled:
            bit = self.bit.get(event)
            if bit is not None:
                lanes[bit >> 3] |= truths.view(np.uint8) << np.uint8(bit & 7)
        return np.ascontiguousarray(lanes.T).view(np.uint64).reshape(count)

    def after(self, event: int, sleepers: Marks) -> Marks:
        """What sleeps after the event; *sleepers* are enabled before it."""
        return sleepers & self._after[event]
