"""Can an increment always still complete? No reachable state may be one from which commit cannot be reached.

`stuck` walks the whole graph of a small bound in the bits reading, forwards and then backwards from the states in which a
step of the goal's name is enabled. It claims *possibility* under every fault of the environment; that a fair run in which
nobody gives up really gets there is proved, at every size, by the falling measure (`completion`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.bits import BitsReading, Valuation
from mirrorspec.spec.universe import Universe

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Reachability:
    """How many states there are, and the events that lead to the first from which the goal cannot be reached."""

    states: int
    goals: int
    stuck: tuple[str, ...] | None


def stuck(model: Model, universe: Universe, goal: str) -> Reachability:
    """Whether from every reachable state some event of the step *goal* stays reachable."""
    reading = BitsReading(model, universe)
    names = [f.name for f in model.fields]
    first = reading.initial()
    found: dict[Key, tuple[Key, str] | None] = {_key(first, names): None}
    before: dict[Key, list[Key]] = {}
    goals: list[Key] = []
    queue: deque[Valuation] = deque([first])
    while queue:
        state = queue.popleft()
        here = _key(state, names)
        for event in reading.enabled(state):
            if event.step.name == goal:
                goals.append(here)
            after = reading.after(event, state)
            there = _key(after, names)
            before.setdefault(there, []).append(here)
            if there not in found:
                found[there] = (here, event.label(universe))
                queue.append(after)
    able = _backwards(goals, before)
    for key in found:
        if key not in able:
            return Reachability(len(found), len(set(goals)), _path(found, key))
    return Reachability(len(found), len(set(goals)), None)


def _key(state: Valuation, names: list[str]) -> Key:
    return tuple(state[name] for name in names)


def _backwards(goals: Iterable[Key], before: dict[Key, list[Key]]) -> set[Key]:
    able = set(goals)
    stack = list(able)
    while stack:
        for earlier in before.get(stack.pop(), ()):
            if earlier not in able:
                able.add(earlier)
                stack.append(earlier)
    return able


def _path(found: dict[Key, tuple[Key, str] | None], key: Key) -> tuple[str, ...]:
    labels: list[str] = []
    while (step := found[key]) is not None:
        key, label = step
        labels.append(label)
    return tuple(reversed(labels))
