"""Which events are independent: what one reads or writes the other does not write, bit by bit of the packed state.

Read from the terms, with a reading of its own (`Influence`): a bit of a set is a constant, a bit of the state as it stands,
or something that depends on certain bits of the state. An event reads the bits that its guards, its changes and the
properties of its step depend on; it writes the bits whose new value is not plainly the old one. Both may come out too large,
never too small. Independent events neither enable nor disable one another, and in either order lead to the same state;
and a property of the step of one has the same truth before and after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from mirrorspec.spec.layout import Layout
from mirrorspec.spec.readings.bits import Event
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import Term, fold, sort_of
from mirrorspec.spec.universe import Universe


@dataclass(frozen=True, slots=True)
class Bit:
    """What a bit, or a truth, depends on."""

    reads: int
    """The bits of the state, as a mask over the packed words."""
    constant: bool | None = None
    is_state: bool = False
    """Whether it is that one bit of the state, as it stands."""


FALSE, TRUE = Bit(0, False), Bit(0, True)
Set = tuple[Bit, ...]
State = Mapping[str, Any]
"""A set for each field; for a relation a tuple of sets, one a write."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """The bits of the packed state that an event reads, and those that it writes."""

    reads: int
    writes: int

    def independent(self, other: Footprint) -> bool:
        """Whether the two events may be exchanged, in any state."""
        return not (self.writes & (other.reads | other.writes) or self.reads & other.writes)


def footprint(
    event: Event, properties: Iterable[Term], layout: Layout, universe: Universe, relations: frozenset[str]
) -> Footprint:
    """What the event reads and writes; *properties* are those of its step."""
    state = _state(layout, relations)
    algebra = Influence(universe, state, event.parameters)
    memory: dict[int, object] = {}
    reads = writes = 0
    for term in (event.step.enabled, *properties):
        reads |= fold(term, algebra, memory).reads
    for name, term in event.step.changes.items():
        value = fold(term, algebra, memory)
        pairs = zip(value, state[name], strict=True) if name in relations else [(value, state[name])]
        for new, old in pairs:
            for bit, before in zip(new, old, strict=True):
                if bit != before:
                    reads |= bit.reads
                    writes |= before.reads
    return Footprint(reads, writes)


class Influence:
    """The algebra of what depends on what, over a universe, for one choice of parameters."""

    def __init__(self, universe: Universe, state: State, parameters: Mapping[str, int]) -> None:
        self.universe, self.state, self.parameters = universe, state, parameters

    def field(self, node: Term) -> Any:
        return self.state[node.name]

    relation_field = field

    def parameter(self, node: Term) -> Set:
        return self._only(node, self.parameters[node.name])

    def first_session(self, node: Term) -> Set:
        return self._only(node, 0)

    def empty(self, node: Term) -> Set:
        return (FALSE,) * self.universe.sizes[sort_of(node)]

    def full(self, node: Term) -> Set:
        return (TRUE,) * self.universe.sizes[sort_of(node)]

    def meet(self, node: Term, a: Set, b: Set) -> Set:
        return tuple(map(_both, a, b))

    def join(self, node: Term, a: Set, b: Set) -> Set:
        return tuple(map(_either, a, b))

    def complement(self, node: Term, a: Set) -> Set:
        return tuple(map(_not, a))

    def choose(self, node: Term, truth: Bit, a: Set, b: Set) -> Set:
        return tuple(_choice(truth, x, y) for x, y in zip(a, b, strict=True))

    def owned(self, node: Term, owners: Set) -> Set:
        return self._moved(node, owners, self.universe.owned_masks(sort_of(node), Sort(node.name)))

    def owner(self, node: Term, things: Set) -> Set:
        return self._moved(node, things, self.universe.owner_masks(Sort(node.name), sort_of(node)))

    def earlier(self, node: Term, channel: Set) -> Set:
        return self._moved(node, channel, self.universe.earlier_masks())

    def true(self, node: Term) -> Bit:
        return TRUE

    def false(self, node: Term) -> Bit:
        return FALSE

    def both(self, node: Term, a: Bit, b: Bit) -> Bit:
        return _both(a, b)

    def either(self, node: Term, a: Bit, b: Bit) -> Bit:
        return _either(a, b)

    def negate(self, node: Term, a: Bit) -> Bit:
        return _not(a)

    def within(self, node: Term, a: Set, b: Set) -> Bit:
        return reduce(_both, (_either(_not(x), y) for x, y in zip(a, b, strict=True)), TRUE)

    def no_needs(self, node: Term) -> tuple[Set, ...]:
        writes = self.universe.sizes[Sort.WRITE]
        return ((FALSE,) * writes,) * writes

    def record(self, node: Term, relation: tuple[Set, ...], row: Set, needed: Set) -> tuple[Set, ...]:
        return tuple(
            tuple(_choice(here, x, y) for x, y in zip(needed, old, strict=True))
            for here, old in zip(row, relation, strict=True)
        )

    def closed(self, node: Term, relation: tuple[Set, ...], image: Set, among: Set) -> Bit:
        good = TRUE
        for write, needs in enumerate(relation):
            held = _both(image[write], among[write])
            for need, counts, there in zip(needs, among, image, strict=True):
                good = _both(good, _not(_both(_both(held, need), _both(counts, _not(there)))))
        return good

    def _only(self, node: Term, thing: int) -> Set:
        return tuple(TRUE if i == thing else FALSE for i in range(self.universe.sizes[sort_of(node)]))

    def _moved(self, node: Term, things: Set, masks: Sequence[int]) -> Set:
        return tuple(
            reduce(_either, (bit for bit, mask in zip(things, masks, strict=True) if mask >> i & 1), FALSE)
            for i in range(self.universe.sizes[sort_of(node)])
        )


def _state(layout: Layout, relations: frozenset[str]) -> State:
    state: dict[str, Any] = {}
    for name, places in layout.places.items():
        rows = tuple(
            tuple(Bit(1 << (p.lane * p.lane_bits + p.shift_in_lane + i), is_state=True) for i in range(p.width))
            for p in places
        )
        state[name] = rows if name in relations else rows[0]
    return state


def _not(a: Bit) -> Bit:
    return Bit(a.reads, None if a.constant is None else not a.constant)


def _both(a: Bit, b: Bit) -> Bit:
    if FALSE in (a, b):
        return FALSE
    if a in (TRUE, b):
        return b
    return a if b == TRUE else Bit(a.reads | b.reads)


def _either(a: Bit, b: Bit) -> Bit:
    if TRUE in (a, b):
        return TRUE
    if a in (FALSE, b):
        return b
    return a if b == FALSE else Bit(a.reads | b.reads)


def _choice(truth: Bit, a: Bit, b: Bit) -> Bit:
    if truth.constant is not None:
        return a if truth.constant else b
    same = a == b and (a.is_state or a.constant is not None)
    return a if same else Bit(truth.reads | a.reads | b.reads)
