"""The reading in which a set is a Python integer, one bit a thing: for execution, replay and explanation.

Read `Bits` beside the list of operations in `terms`: one method a kind of node, given the node and its arguments' values.
The same text serves the batch reading, where a value may also be a column of such integers; only `choose` and the truths
differ there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from mirrorspec.spec.model import Model, Parameters, StagedStep
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import Term, fold, sort_of
from mirrorspec.spec.universe import Universe

Value = Any
"""A word of bits; in the batch reading, a word or a column of words. A relation is a tuple of words, one a write."""
Valuation = Mapping[str, Value]


class Bits:
    """The algebra of words over a universe, for one state and one choice of parameters."""

    def __init__(self, universe: Universe, state: Valuation, parameters: Mapping[str, int]) -> None:
        self.universe = universe
        self.state = state
        self.parameters = parameters

    def field(self, node: Term) -> Value:
        return self.state[node.name]

    relation_field = field

    def parameter(self, node: Term) -> Value:
        return 1 << self.parameters[node.name]

    def empty(self, node: Term) -> Value:
        return 0

    def full(self, node: Term) -> Value:
        return self.universe.full(sort_of(node))

    def first_session(self, node: Term) -> Value:
        return 1

    def meet(self, node: Term, a: Value, b: Value) -> Value:
        return a & b

    def join(self, node: Term, a: Value, b: Value) -> Value:
        return a | b

    def complement(self, node: Term, a: Value) -> Value:
        return a ^ self.universe.full(sort_of(node))

    def choose(self, node: Term, truth: Value, a: Value, b: Value) -> Value:
        return a if truth else b

    def owned(self, node: Term, owners: Value) -> Value:
        return moved(owners, self.universe.owned_masks(sort_of(node), Sort(node.name)))

    def owner(self, node: Term, things: Value) -> Value:
        return moved(things, self.universe.owner_masks(Sort(node.name), sort_of(node)))

    def earlier(self, node: Term, channel: Value) -> Value:
        return moved(channel, self.universe.earlier_masks())

    def true(self, node: Term) -> Value:
        return True

    def false(self, node: Term) -> Value:
        return False

    def both(self, node: Term, a: Value, b: Value) -> Value:
        return a & b

    def either(self, node: Term, a: Value, b: Value) -> Value:
        return a | b

    def negate(self, node: Term, a: Value) -> Value:
        return not a

    def within(self, node: Term, a: Value, b: Value) -> Value:
        return (a & (b ^ self.universe.full(sort_of(node)))) == 0

    def no_needs(self, node: Term) -> Value:
        return (0,) * self.universe.sizes[Sort.WRITE]

    def record(self, node: Term, relation: Value, row: Value, needed: Value) -> Value:
        return tuple(needed if row >> w & 1 else old for w, old in enumerate(relation))

    def closed(self, node: Term, relation: Value, image: Value, among: Value) -> Value:
        missing = 0
        held, lacked = image & among, among & (image ^ self.universe.full(sort_of(node.args[1])))
        for w, needs in enumerate(relation):
            missing = missing | (held >> w & 1) * (needs & lacked)
        return missing == 0


@cache
def moves_of(masks: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """A map from things to sets of things, *masks* being the set for each, as few moves of bits at a time.

    Pairs of a distance (to the left, if positive) and the bits that move so far.
    """
    moves: dict[int, int] = {}
    for i, mask in enumerate(masks):
        for j in range(mask.bit_length()):
            if mask >> j & 1:
                moves[j - i] = moves.get(j - i, 0) | 1 << i
    return tuple(sorted(moves.items()))


def moved(word: Value, masks: tuple[int, ...]) -> Value:
    """The union of the masks of the things in the set."""
    result = None
    every = (1 << len(masks)) - 1
    for distance, some in moves_of(masks):
        part = word if some == every else word & some
        part = part << distance if distance > 0 else part >> -distance if distance else part
        result = part if result is None else result | part
    return 0 if result is None else result


@dataclass(frozen=True, slots=True)
class Event:
    """A step about particular things."""

    step: StagedStep
    things: tuple[int, ...]

    @property
    def parameters(self) -> dict[str, int]:
        """The index of the thing for each parameter's name."""
        return dict(zip((name for name, _ in self.step.parameters), self.things, strict=True))

    def label(self, universe: Universe) -> str:
        """The event as it is printed: the step, and its things by name."""
        names = (universe.name(sort, i) for (_, sort), i in zip(self.step.parameters, self.things, strict=True))
        return f"{self.step.name}({', '.join(names)})"


def choices(parameters: Parameters, universe: Universe) -> Iterator[tuple[int, ...]]:
    """Every choice of things for the parameters."""
    return product(*(range(universe.sizes[sort]) for _, sort in parameters))


class BitsReading:
    """A model over a universe, one state at a time. A state is a dict from field names to words."""

    def __init__(self, model: Model, universe: Universe) -> None:
        self.model = model
        self.universe = universe
        self.events = [Event(step, things) for step in model.steps for things in choices(step.parameters, universe)]
        self.by_label = {event.label(universe): event for event in self.events}

    def initial(self) -> dict[str, Value]:
        """The one initial state."""
        return {name: fold(term, Bits(self.universe, {}, {})) for name, term in self.model.initial.items()}

    def value(self, term: Term, state: Valuation, parameters: Mapping[str, int] | None = None) -> Value:
        """The value of a term that is not part of the model."""
        return fold(term, Bits(self.universe, state, parameters or {}))

    def truth(self, term: Term, state: Valuation, parameters: Mapping[str, int] | None = None) -> bool:
        """Whether a term holds."""
        return bool(self.value(term, state, parameters))

    def refusals(self, event: Event, state: Valuation) -> list[str]:
        """The names of the guards that refuse the event in the state; none when it is enabled."""
        algebra = Bits(self.universe, state, event.parameters)
        memory: dict[int, Any] = {}
        return [name for name, guard in event.step.guards.items() if not fold(guard, algebra, memory)]

    def after(self, event: Event, state: Valuation) -> dict[str, Value]:
        """The state after the event, whether or not it is enabled."""
        algebra = Bits(self.universe, state, event.parameters)
        memory: dict[int, Any] = {}
        changes = {name: fold(term, algebra, memory) for name, term in event.step.changes.items()}
        return {**state, **changes}

    def enabled(self, state: Valuation) -> Iterator[Event]:
        """The events that can happen in the state."""
        return (event for event in self.events if not self.refusals(event, state))

    def broken(self, before: Valuation | None, event: Event | None, state: Valuation) -> list[str]:
        """The names of the properties (SOMETIMES apart) that the state, or the step into it, breaks."""
        names = []
        for p in self.model.properties:
            if p.kind == "sometimes":
                continue
            good = all(
                self.truth(p.of_state, state, dict(zip((n for n, _ in p.parameters), things, strict=True)))
                for things in choices(p.parameters, self.universe)
            )
            if good and before is not None and event is not None and event.step.name in p.of_step:
                good = self.truth(p.of_step[event.step.name], before, event.parameters)
            if not good:
                names.append(p.name)
        return names
