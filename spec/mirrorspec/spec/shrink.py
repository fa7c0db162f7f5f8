"""Shorter counterexamples, for engines whose traces are not the shortest already.

Runs of events are left out, longest first, as long as what remains still breaks the same property; an event that is no longer
possible because of what was left out is left out too. The result replays.
"""

from __future__ import annotations

from collections.abc import Sequence

from mirrorspec.spec.counterexample import Counterexample, Setting, replayed
from mirrorspec.spec.readings.bits import BitsReading, Event


class _Runner:
    def __init__(self, setting: Setting, property: str) -> None:
        self.reading = BitsReading(setting.model(), setting.universe)
        self.property = property

    def shortened(self, labels: Sequence[str]) -> list[str] | None:
        """The events of *labels* that are possible in turn, up to the violation; None when there is none."""
        state = self.reading.initial()
        done: list[str] = []
        for label in labels:
            event: Event = self.reading.by_label[label]
            if self.reading.refusals(event, state):
                continue
            before, state = state, self.reading.after(event, state)
            done.append(label)
            if self.property in self.reading.broken(before, event, state):
                return done
        return None


def shrink(found: Counterexample) -> Counterexample:
    """A counterexample to the same property that has no event, and no run of events, that can be left out."""
    runner = _Runner(found.setting, found.property)
    best = runner.shortened(found.labels) or list(found.labels)
    size = max(1, len(best) // 2)
    while size:
        start = 0
        while start < len(best):
            shorter = runner.shortened(best[:start] + best[start + size :])
            if shorter is not None and len(shorter) < len(best):
                best = shorter
            else:
                start += size
        size //= 2
    return replayed(found.setting, best, found.property, engine=found.engine, seed=found.seed, shortest=found.shortest)
