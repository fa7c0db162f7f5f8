"""Breadth-first search of every state within a bound: level after level, until no new state is found.

A violation ends the search in the level in which it is first seen, so that no trace to one is shorter. What does not fit is
refused, a limit that is reached makes the search inconclusive, and nothing is ever left out silently.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Protocol

from mirrorspec.proofs.search.batch import BatchEngine, initial_key
from mirrorspec.proofs.search.limits import Limits
from mirrorspec.proofs.search.result import Progress, Report, SearchResult, Violation
from mirrorspec.proofs.search.store import Keys, Store, StoreFullError
from mirrorspec.proofs.search.trace import shortest_trace
from mirrorspec.spec.errors import BadInputError, unknown_name
from mirrorspec.spec.layout import Layout
from mirrorspec.spec.model import Model
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.universe import Universe
from mirrorspec.spec.verdict import Verdict

ENGINES = ("auto", "batch", "compiled")


class Engine(Protocol):
    """What takes the steps: the batch reading, or compiled code."""

    name: str
    chunk: int
    fired: dict[str, int]
    sometimes: dict[str, bool]

    def expand(self, store: Store, first: int, last: int) -> Violation | None:
        """Take every step from the stored states of these places, and store what is new."""

    def inspect(self, store: Store, first: int, last: int) -> Violation | None:
        """Look at the properties of the stored states of these places."""


def search(
    model: Model,
    universe: Universe,
    *,
    engine: str = "auto",
    symmetry: bool = True,
    properties: Collection[str] | None = None,
    max_states: int | None = None,
    max_bytes: int | None = None,
    progress: Report | None = None,
) -> SearchResult:
    """Search every state that the model can reach in the universe.

    *engine* is `auto`, `batch` or `compiled`; *properties* are those that may end the search (by default all, SOMETIMES
    apart); *max_states* and *max_bytes* bound what is stored. Interrupted, it raises `KeyboardInterrupt` and leaves
    nothing behind. Raises `BadInputError` for a universe that is too large and for unknown names.
    """
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    stopping = _stopping(model, properties)
    try:
        layout = Layout.of(model, universe)
    except OverflowError as error:
        raise BadInputError(f"this bound is too large: {error}") from error
    limits = Limits.of(layout.words, max_states, max_bytes)
    batch = BatchEngine(model, universe, layout, stopping)
    run = _Run(batch, batch, Store(layout.words, limits.states), limits, progress)
    return run.result(initial_key(model, universe, layout), symmetry=False)


def _stopping(model: Model, properties: Collection[str] | None) -> frozenset[str]:
    known = {p.name for p in model.properties if p.kind is not Kind.SOMETIMES}
    for name in properties or ():
        if name not in known:
            raise unknown_name("property of this model", name, known)
    return frozenset(known if properties is None else properties)


class _Run:
    """One search under way."""

    def __init__(
        self, engine: Engine, batch: BatchEngine, store: Store, limits: Limits, progress: Report | None
    ) -> None:
        self.engine, self.batch, self.store, self.limits, self.progress = engine, batch, store, limits, progress
        self.levels = [0]
        self.began = time.perf_counter()

    @property
    def depth(self) -> int:
        return len(self.levels) - 1

    def result(self, initial: Keys, symmetry: bool) -> SearchResult:
        """Search, and say what came of it."""
        violation = None
        labels: tuple[str, ...] = ()
        verdict, reason = Verdict.EXHAUSTED, "every state within the bound was looked at"
        try:
            self.store.insert(initial)
            violation = self.engine.inspect(self.store, 0, 1) or self._levels()
        except StoreFullError:
            verdict = Verdict.INCONCLUSIVE
            frontier = self.store.count - self.levels[-1]
            reason = self.limits.reason(self.store.words, self.depth, frontier)
        seconds = time.perf_counter() - self.began
        depth = self.depth
        if violation is not None:
            verdict, reason = Verdict.VIOLATED, f"{violation.property} does not hold"
            labels = shortest_trace(self.batch, self.store, self.levels, violation, lambda keys: keys)
            depth = len(labels)
        fired = dict(self.engine.fired)
        return SearchResult(
            verdict=verdict,
            states=self.store.count,
            transitions=sum(fired.values()),
            depth=depth,
            seconds=seconds,
            bytes_a_state=self.store.bytes / self.store.count,
            property=violation.property if violation else None,
            labels=labels,
            fired=fired,
            sometimes=dict(self.engine.sometimes),
            engine=self.engine.name,
            symmetry=symmetry,
            reason=reason,
        )

    def _levels(self) -> Violation | None:
        begin, end = 0, 1
        while begin < end:
            self.levels.append(end)
            for first in range(begin, end, self.engine.chunk):
                before = self.store.count
                violation = self.engine.expand(self.store, first, min(end, first + self.engine.chunk))
                if violation is None and self.store.count > before:
                    violation = self.engine.inspect(self.store, before, self.store.count)
                if violation is not None:
                    return violation
                if self.progress is not None:
                    self._report()
            begin, end = end, self.store.count
        self.levels.pop()
        return None

    def _report(self) -> None:
        assert self.progress is not None
        seconds = time.perf_counter() - self.began
        frontier = self.store.count - self.levels[-1]
        self.progress(Progress(self.store.count, frontier, self.depth, seconds, self.store.bytes))
