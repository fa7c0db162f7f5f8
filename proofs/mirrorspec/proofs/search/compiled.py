"""The search in compiled code: the model's steps printed as scalar text and compiled, the store's index searched by it too.

The extra `fast` (numba). It does what `batch` does, state by state: same states, same counts. Compiling takes
seconds, so that small searches are over before it would have paid.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from importlib.util import find_spec
from typing import Any

import numpy as np

from mirrorspec.proofs.search.result import Violation
from mirrorspec.proofs.search.source import Source
from mirrorspec.proofs.search.store import Keys, Store, StoreFullError
from mirrorspec.proofs.search.symmetry import Symmetry
from mirrorspec.spec.errors import MissingToolError
from mirrorspec.spec.layout import Layout
from mirrorspec.spec.model import Model
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.universe import Universe

CHUNK = 1 << 11
RECENT = 1 << 14
"""Keys stored lately that are compared first; a power of two, so small that they stay in the processor's cache."""

STEP_TYPES = "int64(int64[:, ::1], int64, int64, int64[:, ::1], int64, int64[::1])"
INSPECTION_TYPES = "int64(int64[:, ::1], int64, int64, int64[::1], int64[::1])"
REPRESENTATIVES_TYPES = "void(int64[:, ::1], int64)"


def available() -> bool:
    """Whether numba is installed."""
    return find_spec("numba") is not None


class CompiledEngine:
    """Takes the steps of stored states, stores what is new, and looks at the properties."""

    name = "compiled"
    chunk = CHUNK

    def __init__(
        self,
        model: Model,
        universe: Universe,
        layout: Layout,
        stopping: Collection[str],
        symmetry: Symmetry | None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Compile; *tick* is called before each function."""
        if not available():
            raise MissingToolError("the compiled search needs numba: pip install 'mirrorspec[fast]'")
        from mirrorspec.proofs.search.kernels import kernels

        self.fired = dict.fromkeys((step.name for step in model.steps), 0)
        self.safety = [p for p in model.properties if p.kind is not Kind.SOMETIMES and p.name in stopping]
        self._sometimes = [p.name for p in model.of_kind(Kind.SOMETIMES)]
        events = BitsReading(model, universe).events
        self._buffers = [np.empty((CHUNK * len(events), layout.words), np.uint64) for _ in range(2)]
        self._recent: Keys | None = None
        self._broken = np.zeros(3, np.int64)
        self._seen = np.zeros(len(self._sometimes), np.int64)
        began = time.perf_counter()
        self._enter, self._index_all = kernels(layout.words)
        source = Source(model, universe, layout, self.safety)
        self._steps = []
        for step in model.steps:
            tick()
            self._steps.append((step.name, _compile(source.step("step", _of(step, events)), "step", STEP_TYPES)))
        tick()
        self._inspection = _compile(source.inspection("inspection"), "inspection", INSPECTION_TYPES)
        self._representatives = None
        if symmetry is not None and symmetry.images:
            tick()
            text = source.representatives("representatives", symmetry.images)
            self._representatives = _compile(text, "representatives", REPRESENTATIVES_TYPES)
        scratch = Store(layout.words, 1)  # the first call compiles, or loads what was compiled before
        self._index_all(scratch.keys, 0, scratch.index, scratch.place_bits)
        self._enter(
            scratch.keys, 0, 0, scratch.index, scratch.place_bits, self._buffers[0][:0], 0, self._buffers[0][:2]
        )
        self.compile_seconds = time.perf_counter() - began

    @property
    def sometimes(self) -> dict[str, bool]:
        """Whether each SOMETIMES property was seen to hold."""
        return {name: bool(seen) for name, seen in zip(self._sometimes, self._seen, strict=True)}

    def expand(self, store: Store, first: int, last: int) -> tuple[Violation | None, Keys]:
        """The successors of the stored states of these places; and the first step that breaks a property, if any."""
        keys = store.keys.view(np.int64)
        self._buffers.reverse()  # the other one may still be read by `enter`
        out = self._buffers[0]
        end = 0
        for name, step in self._steps:
            begin, end = end, int(step(keys, first, last, out.view(np.int64), end, self._broken))
            if end < 0:
                place, event, broken = map(int, self._broken)
                return Violation(self.safety[broken].name, place, event), out[:begin]
            self.fired[name] += end - begin
        if self._representatives is not None:
            self._representatives(out.view(np.int64), end)
        return None, out[:end]

    def enter(self, store: Store, rows: Keys) -> None:
        """Store those of *rows* that are new."""
        if self._recent is None:  # every entry has to be a key that is stored
            self._recent = np.tile(store.keys[0], (RECENT, 1))
        done = 0
        while done < len(rows):
            store.room(self._index_all)
            store.count, done = self._enter(
                store.keys, store.count, store.fullest, store.index, store.place_bits, rows, done, self._recent
            )
            if store.count > store.most:
                raise StoreFullError

    def inspect(self, store: Store, first: int, last: int) -> Violation | None:
        """Look at the stored states of these places; the first that breaks a property, if any."""
        place = int(self._inspection(store.keys.view(np.int64), first, last, self._seen, self._broken))
        return None if place < 0 else Violation(self.safety[int(self._broken[2])].name, place, None)


def _of(step: Any, events: list[Any]) -> list[tuple[int, Any]]:
    return [(i, event) for i, event in enumerate(events) if event.step is step]


def _compile(text: str, name: str, types: str) -> Callable[..., Any]:
    from numba import njit

    names: dict[str, Any] = {}
    exec(text, names)
    compiled: Callable[..., Any] = njit(types, nogil=True, boundscheck=False)(names[name])
    return compiled
