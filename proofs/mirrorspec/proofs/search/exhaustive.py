"""Breadth-first search of every state within a bound: level after level, until no new state is found.

A violation ends the search in the level in which it is first seen, so that no trace to one is shorter. What does not fit is
refused, a limit that is reached makes the search inconclusive, and nothing is ever left out silently.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

from mirrorspec.proofs.search.background import Background
from mirrorspec.proofs.search.batch import BatchEngine, initial_key
from mirrorspec.proofs.search.compiled import CompiledEngine, available
from mirrorspec.proofs.search.limits import Limits
from mirrorspec.proofs.search.result import Progress, Report, SearchResult, Violation
from mirrorspec.proofs.search.store import Keys, Store, StoreFullError
from mirrorspec.proofs.search.symmetry import Symmetry
from mirrorspec.proofs.search.trace import shortest_trace
from mirrorspec.spec.errors import BadInputError, unknown_name
from mirrorspec.spec.layout import Layout
from mirrorspec.spec.model import Model
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.universe import Universe
from mirrorspec.spec.verdict import Verdict

SECONDS_WORTH_COMPILING = 5.0
"""About as long as compiling takes. A search that is still under way then goes on in compiled code."""

ENGINES = ("auto", "batch", "compiled")


class Engine(Protocol):
    """What takes the steps: the batch reading, or compiled code."""

    name: str
    chunk: int
    fired: dict[str, int]
    compile_seconds: float

    @property
    def sometimes(self) -> dict[str, bool]:
        """Whether each SOMETIMES property was seen to hold."""
        ...

    def expand(self, store: Store, first: int, last: int) -> tuple[Violation | None, Any]:
        """What the stored states of these places lead to, for `enter`; and the first step that breaks a property, if any."""
        ...

    def enter(self, store: Store, found: Any, /) -> None:
        """Store those states that are new; what was found stays as it is until the next call has returned."""

    def inspect(self, store: Store, first: int, last: int) -> Violation | None:
        """The first of the stored states of these places that breaks a property, if any."""
        ...


def search(
    model: Model,
    universe: Universe,
    *,
    engine: str = "auto",
    symmetry: bool = True,
    properties: Collection[str] | None = None,
    max_states: int | None = None,
    max_bytes: int | None = None,
    threads: int | None = None,
    progress: Report | None = None,
) -> SearchResult:
    """Search every state that the model can reach in the universe.

    *engine* is `auto`, `batch` or `compiled`; *properties* are those that may end the search (by default all, SOMETIMES
    apart); *max_states* and *max_bytes* bound what is stored; *threads* is 1 or 2 (by default, as the machine has).
    Interrupted, it raises `KeyboardInterrupt` and leaves nothing behind. Raises `BadInputError` for a universe that is
    too large and for unknown names.
    """
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    stopping = _stopping(model, properties)
    try:
        layout = Layout.of(model, universe)
    except OverflowError as error:
        raise BadInputError(f"this bound is too large: {error}") from error
    limits = Limits.of(layout.words, max_states, max_bytes)
    exchanges = Symmetry(model, universe, layout) if symmetry else None
    batch = BatchEngine(model, universe, layout, stopping, exchanges)

    def compiled(tick: Callable[[], None]) -> Engine:
        return CompiledEngine(model, universe, layout, stopping, exchanges, tick)

    better = engine == "compiled" or (engine == "auto" and available())
    run = _Run(
        batch,
        compiled if better else None,
        0.0 if engine == "compiled" else SECONDS_WORTH_COMPILING,
        Store(layout.words, limits.states),
        limits,
        threads or min(2, os.cpu_count() or 1),
        progress,
    )
    return run.result(initial_key(model, universe, layout), symmetry)


def _stopping(model: Model, properties: Collection[str] | None) -> frozenset[str]:
    known = {p.name for p in model.properties if p.kind is not Kind.SOMETIMES}
    for name in properties or ():
        if name not in known:
            raise unknown_name("property of this model", name, known)
    return frozenset(known if properties is None else properties)


class _Run:
    """One search under way."""

    def __init__(
        self,
        batch: BatchEngine,
        better: Callable[[Callable[[], None]], Engine] | None,
        better_after: float,
        store: Store,
        limits: Limits,
        threads: int,
        progress: Report | None,
    ) -> None:
        self.engine: Engine = batch
        self.batch, self.better, self.better_after, self.store = batch, better, better_after, store
        self.limits, self.threads, self.progress = limits, threads, progress
        self.engines: list[Engine] = [batch]
        self.levels = [0]
        self.expanded = 0
        batch.tick = self._report
        self.began = time.perf_counter()
        self.processor_began = time.process_time()

    @property
    def depth(self) -> int:
        return len(self.levels) - 1

    def result(self, initial: Keys, symmetry: bool) -> SearchResult:
        """Search, and say what came of it."""
        violation = None
        labels: tuple[str, ...] = ()
        verdict, reason = Verdict.EXHAUSTED, "every state within the bound was looked at"
        self._perhaps_compile()
        try:
            self.store.insert(initial)
            violation = self.engine.inspect(self.store, 0, 1) or self._levels()
        except StoreFullError:
            self.levels.pop()  # the last level is not whole
            verdict, reason = Verdict.INCONCLUSIVE, self.limits.reason(self.store.words, self.depth, self.store.most)
        seconds, processor_seconds = self._seconds(), time.process_time() - self.processor_began
        depth = self.depth
        if violation is not None:
            verdict, reason = Verdict.VIOLATED, f"{violation.property} does not hold"
            labels = shortest_trace(self.batch, self.store, self.levels, violation, lambda: self._report("tracing"))
            depth = len(labels)
        fired = {name: sum(e.fired[name] for e in self.engines) for name in self.batch.fired}
        sometimes = {name: any(e.sometimes[name] for e in self.engines) for name in self.batch.sometimes}
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
            sometimes=sometimes,
            engine=self.engine.name,
            symmetry=symmetry,
            reason=reason,
            compile_seconds=self._compile_seconds(),
            processor_seconds=processor_seconds,
            threads=self.threads,
        )

    def _levels(self) -> Violation | None:
        """Expand level after level. While a chunk is expanded, what the one before led to is stored."""
        inspected = end = 1
        begin = 0
        with Background(self.threads > 1) as background:
            while begin < end:
                self._perhaps_compile()
                self.levels.append(end)
                for first in range(begin, end, self.engine.chunk):
                    violation, rows = self.engine.expand(self.store, first, min(end, first + self.engine.chunk))
                    background.wait()
                    if violation is not None:
                        return violation
                    stored = self.store.count
                    background.start(self.engine.enter, self.store, rows)
                    violation = self._inspect(inspected, stored)
                    inspected = stored
                    if violation is not None:
                        return violation
                    self.expanded = min(end, first + self.engine.chunk)
                    self._report()
                background.wait()
                violation = self._inspect(inspected, self.store.count)
                inspected = self.store.count
                if violation is not None:
                    return violation
                begin, end = end, self.store.count
        self.levels.pop()
        return None

    def _inspect(self, first: int, last: int) -> Violation | None:
        return self.engine.inspect(self.store, first, last) if first < last else None

    def _perhaps_compile(self) -> None:
        """Compile once the search has lasted as long as that takes: at worst twice the time of the better choice."""
        if self.better is not None and self._seconds() >= self.better_after:
            began, processor_began = time.perf_counter(), time.process_time()
            self.engine = self.better(lambda: self._report("compiling"))
            self.engines.append(self.engine)
            self.better = None
            self.batch.sleep = None  # it expands no more states, so that no marks have to wait
            self.began += time.perf_counter() - began
            self.processor_began += time.process_time() - processor_began

    def _compile_seconds(self) -> float:
        return sum(e.compile_seconds for e in self.engines)

    def _seconds(self) -> float:
        """How long the search has lasted, compiling apart."""
        return time.perf_counter() - self.began

    def _report(self, doing: str = "searching") -> None:
        if self.progress is not None:
            frontier = max(0, self.store.count - self.expanded)
            self.progress(Progress(self.store.count, frontier, self.depth, self._seconds(), self.store.bytes, doing))
