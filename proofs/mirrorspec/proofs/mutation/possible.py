"""What must stay possible: a protocol that does nothing keeps SAFETY, so doing nothing has to be caught otherwise.

PROGRESS is asked as a possibility, under every fault of the environment: from every state that can be reached within a bound,
an increment which holds every write can still be committed, and the next one can still begin; and where one begins, it can be
committed without anybody giving up first. And what must happen sometimes (SOMETIMES) has to happen in some state. The whole
graph is kept as arrays: each state's place in the store, each transition as two places; from the states of a goal it is walked
backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

PATIENTLY = Goal(
    "completes patiently",
    "where an increment begins, one that holds every write can be committed without anybody giving up first",
    _completed,
)
"""Without it, an increment lost for nothing would not count: the session can always abandon it and begin another."""
GIVING_UP = frozenset({"abandon", "run_timeout", "increment_timeout", "take_over"})
"""The steps by which somebody gives up."""
LOSSES = {goal.name: goal.meaning for goal in (*GOALS, PATIENTLY)}
"""What it means that a goal is lost."""

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
    where = {goal.name: _truth(engine, store, evident(substitute(goal.truth(s, options), constants))) for goal in GOALS}
    completed, begins = (where[goal.name] for goal in GOALS)
    every = np.ones(store.count, np.bool_)
    for name, goal, asked, taken in (
        (GOALS[0].name, completed, every, slice(None)),
        (GOALS[1].name, begins, every, slice(None)),
        (PATIENTLY.name, completed, begins, edges.patient),
    ):
        able = _able(np.flatnonzero(goal), edges.sources[taken], edges.targets[taken], store.count)
        if np.any(lost := asked & ~able):
            labels = shortest_trace(engine, store, levels, Violation(name, int(np.argmax(lost)), None))
            return Possible(store.count, name, labels, tuple(never))
    return Possible(store.count, never=tuple(never))


@dataclass(frozen=True, slots=True)
class _Edges:
    """Every transition: its places, and whether nobody gives up in it."""

    sources: Places
    targets: Places
    patient: npt.NDArray[np.bool_]


def stays_possible(
    options: Configuration, model: Model, steps: list[StagedStep], universe: Universe, labels: Sequence[str], most: int
) -> bool | None:
    """Whether an increment can still be committed after these events; None where the search for it comes to no end.

    Raises `ValueError` for an event that cannot be taken.
    """
    layout = Layout.of(model, universe)
    engine = BatchEngine(model, universe, layout, frozenset(), None)
    actual = initial_key(model, universe, layout)
    for label in labels:
        taken = [after for event, *_, after in engine.successors(actual) if event.label(universe) == label]
        if not taken:
            raise ValueError(f"{label} cannot be taken")
        actual = taken[0]
    _, constants = settle_constants(steps, initial_state(model.environment))
    goal = evident(substitute(_completed(symbolic_state(), options), constants))
    store = Store(layout.words, most * 2)
    store.insert(actual)
    begin, end = 0, 1
    while begin < end:
        if np.any(fold(goal, Batch(universe, engine.columns(store.keys[begin:end]), {}))):
            return True
        for first in range(begin, end, engine.chunk):
            for _, _, _, _, after in engine.successors(store.keys[first : min(end, first + engine.chunk)]):
                store.insert(after)
            if store.count > most:
                return None
        begin, end = end, store.count
    return False


def _graph(model: Model, universe: Universe, most: int) -> tuple[BatchEngine, Store, list[int], _Edges | None]:
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
    patient: list[npt.NDArray[np.bool_]] = []
    begin, end = 0, 1
    while begin < end:
        levels.append(end)
        for first in range(begin, end, engine.chunk):
            keys = store.keys[first : min(end, first + engine.chunk)]
            for event, rows, _, _, after in engine.successors(keys):
                found = engine.representatives(after)
                store.insert(found)
                sources.append(rows + first)
                patient.append(np.full(len(rows), event.step.name not in GIVING_UP))
                targets.append(hash_of(found))
            if store.count > most:
                return engine, store, levels, None
        if store.count > end:
            engine.inspect(store, end, store.count)
        begin, end = end, store.count
    levels.pop()
    there = _places(store.keys[: store.count], np.concatenate(targets))
    return engine, store, levels, _Edges(np.concatenate(sources), there, np.concatenate(patient))


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


def _able(goals: Places, sources: Places, targets: Places, count: int) -> npt.NDArray[np.bool_]:
    """Which states have a way to one of *goals*."""
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
