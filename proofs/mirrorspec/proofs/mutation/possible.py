"""What must stay possible: a protocol that does nothing keeps SAFETY, so doing nothing has to be caught otherwise.

Two things are asked of every state that can be reached within a bound (PROGRESS, as a possibility under every fault of the
environment): that an increment which holds every write can still be committed, and that the next one can still begin. And
what must happen sometimes (SOMETIMES) has to happen in some state. The whole graph is kept as arrays: each state's place in
the store, each transition as two places; from the states of a goal it is walked backwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mirrorspec.proofs.search.batch import BatchEngine, initial_key
from mirrorspec.proofs.search.result import Violation
from mirrorspec.proofs.search.store import Hashes, Keys, Store, hash_of
from mirrorspec.proofs.search.symmetry import Symmetry
from mirrorspec.proofs.search.trace import shortest_trace
from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.layout import Layout
from mirrorspec.spec.model import Model, StagedStep, initial_state, settle_constants, substitute
from mirrorspec.spec.readings.batch import Batch
from mirrorspec.spec.simplify import evident
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State, symbolic_state
from mirrorspec.spec.terms import Truth, fold, full
from mirrorspec.spec.universe import Universe

Places = npt.NDArray[np.int64]

MOST_STATES = 4_000_000
"""Beyond so many a graph is not kept: with its transitions it takes about 400 bytes a state."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What must be reachable from everywhere."""

    name: str
    meaning: str
    truth: Callable[[State, Configuration], Truth]


def _completed(s: State, options: Configuration) -> Truth:
    held = (full(Sort.WRITE) <= s.begun) & (full(Sort.UNIT) <= s.members)
    final = s.committed if options.hardened else s.flashed
    return held & (full(Sort.VOLUME) <= (s.covered & final))


def _begins(s: State, options: Configuration) -> Truth:
    relations = s.flashed | s.committed | s.withdrawn
    new = (s.joined | s.left).is_empty() & relations.is_empty()
    return new & (s.starting.channels & ~s.fenced).some()


GOALS: tuple[Goal, ...] = (
    Goal("completes", "an increment that holds every write can still be committed, on every volume", _completed),
    Goal("begins again", "the next increment can still begin, led by a session that is heeded", _begins),
)
"""Together: again and again an increment can be committed, and it can hold whatever the hosts write."""

DEPENDS = "a write depends on another"
"""What is reached beside the SOMETIMES of the specification: without it SAFETY would say nothing."""


@dataclass(frozen=True, slots=True)
class Possible:
    """What a graph shows: so many states, the goal that is lost and the events after which it is, what never happens."""

    states: int
    lost: str = ""
    labels: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    complete: bool = True
    """Whether every state was looked at; if not, nothing is claimed."""


def possible(
    options: Configuration, model: Model, steps: list[StagedStep], universe: Universe, most: int = MOST_STATES
) -> Possible:
    """What stays possible in *model*, whose staged steps are *steps*, in all that can be reached in the universe."""
    engine, store, levels, edges = _graph(model, universe, most)
    if edges is None:
        return Possible(store.count, complete=False)
    _, constants = settle_constants(steps, initial_state(model.environment))
    s = symbolic_state()
    never = [name for name, seen in engine.sometimes.items() if not seen]
    depends = substitute(~s.needs.closes(full(Sort.WRITE) & ~s.acknowledged, full(Sort.WRITE)), constants)
    if universe.sizes[Sort.WRITE] > 1 and not np.any(_truth(engine, store, evident(depends))):
        never.append(DEPENDS)
    for goal in GOALS:
        there = _truth(engine, store, evident(substitute(goal.truth(s, options), constants)))
        able = _able(np.flatnonzero(there), edges, store.count)
        if not able.all():
            row = int(np.argmin(able))
            labels = shortest_trace(engine, store, levels, Violation(goal.name, row, None))
            return Possible(store.count, goal.name, labels, tuple(never))
    return Possible(store.count, never=tuple(never))


def _graph(
    model: Model, universe: Universe, most: int
) -> tuple[BatchEngine, Store, list[int], tuple[Places, Places] | None]:
    """Every state, the places at which each level begins, and every transition; no transitions where there is no end."""
    layout = Layout.of(model, universe)
    exchanges = Symmetry(model, universe, layout)
    engine = BatchEngine(model, universe, layout, frozenset(), exchanges)
    store = Store(layout.words, most * 2)
    store.insert(initial_key(model, universe, layout))
    engine.inspect(store, 0, 1)
    levels = [0]
    sources: list[Places] = []
    targets: list[Hashes] = []
    begin, end = 0, 1
    while begin < end:
        levels.append(end)
        for first in range(begin, end, engine.chunk):
            keys = store.keys[first : min(end, first + engine.chunk)]
            for _, rows, _, _, after in engine.successors(keys):
                found = engine.representatives(after)
                store.insert(found)
                sources.append(rows + first)
                targets.append(hash_of(found))
            if store.count > most:
                return engine, store, levels, None
        if store.count > end:
            engine.inspect(store, end, store.count)
        begin, end = end, store.count
    levels.pop()
    return engine, store, levels, (np.concatenate(sources), _places(store.keys[: store.count], np.concatenate(targets)))


def _places(keys: Keys, wanted: Hashes) -> Places:
    """The places of the keys whose hashes are *wanted*. Exact, since two keys of one hash are refused."""
    hashes = hash_of(keys)
    order = np.argsort(hashes)
    ordered = hashes.take(order)
    if not np.all(ordered[1:] != ordered[:-1]):
        raise RuntimeError("two states have one hash: transitions cannot be told apart")
    return order.take(np.searchsorted(ordered, wanted))


def _truth(engine: BatchEngine, store: Store, term: Truth) -> npt.NDArray[np.bool_]:
    columns = engine.columns(store.keys[: store.count])
    return np.broadcast_to(fold(term, Batch(engine.universe, columns, {})), store.count)


def _able(goals: Places, edges: tuple[Places, Places], count: int) -> npt.NDArray[np.bool_]:
    """Which states have a way to one of *goals*."""
    sources, targets = edges
    order = np.argsort(targets, kind="stable")
    sources = sources.take(order)
    starts = np.searchsorted(targets.take(order), np.arange(count + 1))
    able = np.zeros(count, np.bool_)
    able[goals] = True
    front = goals
    while len(front):
        sizes = starts[front + 1] - starts[front]
        offsets = np.repeat(starts[front] - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes)
        before = sources.take(np.arange(int(sizes.sum())) + offsets)
        before = before.compress(~able.take(before))
        able[before] = True
        front = np.unique(before).astype(np.int64)
    return able
