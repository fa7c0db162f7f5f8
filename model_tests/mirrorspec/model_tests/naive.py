"""The search as plainly as it can be written: the reference that the fast engines are compared with.

One state at a time, in the bits reading, in a dictionary of everything seen. It shares nothing with `proofs.search` but the
terms and the events' labels.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from mirrorspec.spec.model import Model
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.universe import Universe

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NaiveResult:
    """What the plain search found; a violation by the length of a shortest trace and the properties broken there."""

    states: int
    transitions: int
    depth: int
    fired: dict[str, int]
    sometimes: dict[str, bool]
    broken: frozenset[str]


def search(model: Model, universe: Universe) -> NaiveResult:
    """Search breadth first; where a level breaks a property, the search ends with that level."""
    reading = BitsReading(model, universe)
    sometimes = {p.name: False for p in model.of_kind(Kind.SOMETIMES)}
    fired: Counter[str] = Counter(dict.fromkeys((step.name for step in model.steps), 0))
    level = [reading.initial()]
    seen = {_key(level[0])}
    depth = 0
    broken = set(reading.broken(None, None, level[0]))
    while True:
        for state in level:
            for p in model.of_kind(Kind.SOMETIMES):
                sometimes[p.name] = sometimes[p.name] or reading.truth(p.of_state, state)
        following: list[State] = []
        for state in level if not broken else []:
            for event in reading.enabled(state):
                after = reading.after(event, state)
                fired[event.step.name] += 1
                broken.update(reading.broken(state, event, after))
                if _key(after) not in seen:
                    seen.add(_key(after))
                    following.append(after)
        if broken or not following:
            depth += bool(broken) and bool(following)
            return NaiveResult(len(seen), sum(fired.values()), depth, dict(fired), sometimes, frozenset(broken))
        level = following
        depth += 1


def _key(state: State) -> tuple[Any, ...]:
    return tuple(state.values())
