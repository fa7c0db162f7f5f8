"""The search in the batch reading: the steps of a whole chunk of states at a time, as columns.

For each event the guards are read for all rows, and only then, for the rows that it is enabled in and does not sleep in
(see `sleep`), the lanes that it needs are gathered, its changes are read, and the changed lanes are written into copies of
those rows. What does not depend on the event's parameters is read once a chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mirrorspec.proofs.search.independence import Footprint, footprint
from mirrorspec.proofs.search.result import Violation
from mirrorspec.proofs.search.sleep import Marks, Sleep, Truths
from mirrorspec.proofs.search.store import Keys, Store
from mirrorspec.proofs.search.symmetry import Symmetry
from mirrorspec.spec.layout import Layout, Place
from mirrorspec.spec.model import Model
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.batch import Batch
from mirrorspec.spec.readings.bits import BitsReading, Event, choices
from mirrorspec.spec.terms import Term, fold
from mirrorspec.spec.universe import Universe

Column = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]

CHUNK = 1 << 18
"""States a call: so many that calling costs little and copies among their successors are found, so few that they fit."""


class Columns(dict[str, Any]):
    """The fields of many states, each a column (a relation a tuple of columns), made when it is first asked for."""

    def __init__(self, layout: Layout, lanes: Column, relations: frozenset[str], rows: Rows | None = None) -> None:
        super().__init__()
        self.layout, self.lanes, self.relations, self.rows = layout, lanes, relations, rows
        self.chosen: dict[int, Column] = {}

    def __missing__(self, name: str) -> Any:
        columns = tuple(map(self._column, self.layout.places[name]))
        self[name] = columns if name in self.relations else columns[0]
        return self[name]

    def lane(self, lane: int) -> Column:
        """The lane of the chosen rows."""
        if self.rows is None:
            column: Column = self.lanes[lane]
            return column
        if lane not in self.chosen:
            self.chosen[lane] = self.lanes[lane].take(self.rows)
        return self.chosen[lane]

    def _column(self, place: Place) -> Column:
        column = self.lane(place.lane)
        if place.shift_in_lane:
            column = column >> place.shift_in_lane
        return column & place.mask if place.shift_in_lane + place.width < place.lane_bits else column


@dataclass(frozen=True, slots=True)
class Found:
    """The successors of a chunk, and what sleeps in each of them."""

    keys: Keys
    marks: Marks | None


class BatchEngine:
    """Takes the steps of stored states, stores what is new, and looks at the properties."""

    name = "batch"
    chunk = CHUNK
    compile_seconds = 0.0

    def __init__(
        self, model: Model, universe: Universe, layout: Layout, stopping: Collection[str], symmetry: Symmetry | None
    ) -> None:
        self.model, self.universe, self.layout = model, universe, layout
        self.symmetry = symmetry
        self._relations = frozenset(f.name for f in model.fields if f.relation)
        self.events = BitsReading(model, universe).events
        self.tick: Callable[[], None] = lambda: None
        """Called between the events of a chunk."""
        self.fired = dict.fromkeys((step.name for step in model.steps), 0)
        self.safety = [p for p in model.properties if p.kind is not Kind.SOMETIMES and p.name in stopping]
        self.sometimes = {p.name: False for p in model.properties if p.kind is Kind.SOMETIMES}
        self.sleep = None if symmetry is not None and symmetry.images else Sleep(self.footprints())
        self._common = _common_parts([step.enabled for step in model.steps])
        self._type = np.dtype(f"u{layout.lane_bits // 8}")
        self._lanes = layout.words * 64 // layout.lane_bits

    def expand(self, store: Store, first: int, last: int) -> tuple[Violation | None, Found]:
        """The successors of the stored states of these places; and the first step that breaks a property, if any.

        A successor that an event leads to where it sleeps is counted and left out. Each state is to be expanded once, in
        the order of the places.
        """
        keys = store.keys[first:last]
        columns = self.columns(keys)
        enabled = awake = self._enabled(columns, len(keys))
        sleepers: Marks = np.zeros(0, np.uint64)
        if self.sleep is not None:
            awake = self.sleep.awake(self.sleep.next(len(keys)), enabled)
            sleepers = self.sleep.sleepers(enabled, len(keys))
        parts: dict[int, Keys] = {}
        marks: dict[int, Marks] = {}
        for (index, truths), (_, taken) in zip(enabled, awake, strict=True):
            event = self.events[index]
            self.fired[event.step.name] += int(np.count_nonzero(truths))
            rows = taken.nonzero()[0]
            if not len(rows):
                continue
            self.tick()
            chosen, memory, parts[index] = self._take(event, columns, keys, rows)
            if broken := self.broken_step(event, chosen, memory, len(rows)):
                name, row = broken
                return Violation(name, first + int(rows[row]), index), Found(keys[:0], None)
            if self.sleep is not None:
                marks[index] = self.sleep.after(index, sleepers.take(rows))
        if self.sleep is None:
            return None, Found(self.representatives(_joined(parts, parts, keys)), None)
        order = [index for index in self.sleep.by_rank if index in parts]
        return None, Found(_joined(parts, order, keys), _joined(marks, order, sleepers))

    def representatives(self, rows: Keys) -> Keys:
        """What stands for each state: itself, or with symmetry the least of its images."""
        return rows if self.symmetry is None else self.symmetry.representatives(rows)

    def enter(self, store: Store, found: Found) -> None:
        """Store those states that are new."""
        stored = store.insert(found.keys)
        if self.sleep is not None and found.marks is not None:
            self.sleep.wait(found.marks.take(stored))

    def successors(self, keys: Keys) -> Iterator[tuple[Event, Rows, Columns, dict[int, Any], Keys]]:
        """For each event that is enabled in some row: which rows, their columns, values known of them, and their successors."""
        columns = self.columns(keys)
        for index, truths in self._enabled(columns, len(keys)):
            rows = truths.nonzero()[0]
            yield self.events[index], rows, *self._take(self.events[index], columns, keys, rows)

    def _enabled(self, columns: Columns, count: int) -> list[tuple[int, Truths]]:
        """For each event that is enabled in some row, its index and whether it is enabled in each."""
        common: dict[int, Any] = {}
        for term in self._common:
            fold(term, Batch(self.universe, columns, {}), common)
        found = []
        for index, event in enumerate(self.events):
            enabled = fold(event.step.enabled, Batch(self.universe, columns, event.parameters), dict(common))
            if np.any(enabled):
                found.append((index, np.ascontiguousarray(np.broadcast_to(enabled, count))))
        return found

    def _take(self, event: Event, columns: Columns, keys: Keys, rows: Rows) -> tuple[Columns, dict[int, Any], Keys]:
        """The columns of the rows, values known of them, and what the event leads to from them."""
        chosen = Columns(self.layout, columns.lanes, self._relations, rows)
        memory: dict[int, Any] = {}
        return chosen, memory, self._after(event, chosen, memory, keys.take(rows, axis=0))

    def footprints(self) -> list[Footprint]:
        """What each event reads, the properties of its step included, and what it writes."""
        return [
            footprint(
                event,
                [p.of_step[event.step.name] for p in self.safety if event.step.name in p.of_step],
                self.layout,
                self.universe,
                self._relations,
            )
            for event in self.events
        ]

    def inspect(self, store: Store, first: int, last: int) -> Violation | None:
        """Look at the stored states of these places; the first that breaks a property, if any."""
        columns = self.columns(store.keys[first:last])
        for p in self.model.properties:
            if p.kind is Kind.SOMETIMES:
                self.sometimes[p.name] = self.sometimes[p.name] or bool(np.any(self._truth(p.of_state, columns, {})))
        for p in self.safety:
            for things in choices(p.parameters, self.universe):
                names = (name for name, _ in p.parameters)
                truth = self._truth(p.of_state, columns, dict(zip(names, things, strict=True)))
                if not np.all(truth):
                    return Violation(p.name, first + int(np.argmin(np.broadcast_to(truth, last - first))), None)
        return None

    def columns(self, keys: Keys) -> Columns:
        """The fields of the states."""
        lanes = keys.view(self._type).reshape(len(keys), self._lanes)
        return Columns(self.layout, np.ascontiguousarray(lanes.T), self._relations)

    def _truth(self, term: Term, columns: Columns, parameters: Mapping[str, int]) -> Any:
        return fold(term, Batch(self.universe, columns, parameters))

    def broken_step(
        self, event: Event, columns: Columns, memory: dict[int, Any], rows: int, only: str | None = None
    ) -> tuple[str, int] | None:
        """The first property (or *only* that one) that the event breaks, and the first row in which it does."""
        for p in self.safety:
            term = p.of_step.get(event.step.name)
            if term is not None and only in (None, p.name):
                truth = fold(term, Batch(self.universe, columns, event.parameters), memory)
                if not np.all(truth):
                    return p.name, int(np.argmin(np.broadcast_to(truth, rows)))
        return None

    def _after(self, event: Event, columns: Columns, memory: dict[int, Any], keys: Keys) -> Keys:
        """*keys* with what the event changes; they are overwritten."""
        algebra = Batch(self.universe, columns, event.parameters)
        lanes = keys.view(self._type).reshape(len(keys), self._lanes)
        changed: dict[int, list[tuple[Place, Any]]] = {}
        for name, term in event.step.changes.items():
            value = fold(term, algebra, memory)
            for place, column in zip(
                self.layout.places[name], value if name in self._relations else (value,), strict=True
            ):
                changed.setdefault(place.lane, []).append((place, column))
        for lane, parts in changed.items():
            kept = (1 << self.layout.lane_bits) - 1
            fixed = 0
            for place, value in parts:
                kept &= ~(place.mask << place.shift_in_lane)
                if isinstance(value, int):
                    fixed |= value << place.shift_in_lane
            result = columns.lane(lane) & kept if kept else None
            for place, value in parts:
                if not isinstance(value, int):
                    moved = value << place.shift_in_lane if place.shift_in_lane else value
                    result = moved if result is None else result | moved
            lanes[:, lane] = fixed if result is None else result | fixed if fixed else result
        return keys


def _joined(parts: Mapping[int, Column], order: Iterable[int], none: Column) -> Column:
    return np.concatenate([parts[index] for index in order]) if parts else none[:0]


def _common_parts(terms: Iterable[Term]) -> list[Term]:
    """The largest parts of *terms* that no parameter occurs in, leaves apart: they are the same for every event."""
    parts: dict[int, Term] = {}

    def has_parameter(node: Term) -> bool:
        inside = [has_parameter(child) for child in node.args]
        if node.kind == "parameter" or any(inside):
            parts.update((id(c), c) for c, has in zip(node.args, inside, strict=True) if not has and c.args)
            return True
        return False

    for term in terms:
        if not has_parameter(term):
            parts[id(term)] = term
    return list(parts.values())


def initial_key(model: Model, universe: Universe, layout: Layout) -> Keys:
    """The one initial state, as a row."""
    words = [0] * layout.words
    initial = BitsReading(model, universe).initial()
    for f in model.fields:
        for place, value in zip(
            layout.places[f.name], initial[f.name] if f.relation else (initial[f.name],), strict=True
        ):
            words[place.word] |= value << place.shift
    return np.array([words], dtype=np.uint64)
