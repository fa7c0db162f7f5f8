"""The shortest trace to a stored state, recovered from the levels of the search alone: no state stores where it came from.

Backwards, the level before is expanded until the wanted state appears among the successors, and so on to the initial state:
that gives one stored state a level. Forwards, the events between them are found. With symmetry the stored states are
representatives, so the walk forwards keeps the actual state, and asks of its successors only that they have the right one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import numpy as np

from mirrorspec.proofs.search.batch import BatchEngine
from mirrorspec.proofs.search.result import Violation
from mirrorspec.proofs.search.store import Keys, Store


def shortest_trace(
    engine: BatchEngine,
    store: Store,
    levels: list[int],
    violation: Violation,
    tick: Callable[[], None] = lambda: None,
) -> tuple[str, ...]:
    """The labels of the events that lead to the violation; *levels* holds the place of each level's first state.

    *tick* is called before each level.
    """
    row = violation.row
    rows = [row]
    while row:
        tick()
        level = bisect_right(levels, row) - 1
        row = _predecessor(engine, store, levels[level - 1], levels[level], store.keys[row])
        rows.append(row)
    rows.reverse()
    labels = []
    actual = store.keys[0:1].copy()
    for row in rows[1:]:
        label, actual = _event(engine, actual, store.keys[row])
        labels.append(label)
    if violation.event is not None:
        labels.append(_breaking(engine, actual, violation.property))
    return tuple(labels)


def _predecessor(engine: BatchEngine, store: Store, begin: int, end: int, wanted: Keys) -> int:
    for first in range(begin, end, engine.chunk):
        keys = store.keys[first : min(end, first + engine.chunk)]
        for _, rows, _, _, after in engine.successors(keys):
            hits = np.flatnonzero((engine.representatives(after) == wanted).all(axis=1))
            if len(hits):
                return first + int(rows[hits[0]])
    raise AssertionError("a stored state has no predecessor in the level before it")


def _event(engine: BatchEngine, actual: Keys, wanted: Keys) -> tuple[str, Keys]:
    for event, _, _, _, after in engine.successors(actual):
        if (engine.representatives(after) == wanted).all():
            return event.label(engine.universe), after
    raise AssertionError("a representative has a successor that its image has not")


def _breaking(engine: BatchEngine, actual: Keys, name: str) -> str:
    for event, rows, columns, memory, _ in engine.successors(actual):
        if engine.broken_step(event, columns, memory, len(rows), only=name):
            return event.label(engine.universe)
    raise AssertionError("a step breaks a property, and its image does not")
