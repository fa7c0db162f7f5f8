"""Symmetry: things that no step can tell apart, so that of all states that differ only by exchanging them one is enough.

Two writes to one track may be exchanged; two tracks of a volume, volumes of a unit, or units, when they own alike. Such an
exchange preserves the static relations, and a term says nothing else about a thing: so every step, every property and the
initial state look the same afterwards. Sessions are ordered, and are never exchanged. The specification knows nothing of
this.

The representative of a state is the least of its images under the group that the exchanges generate (or, where that
is larger than MOST_IMAGES, under a subgroup). Images under a group fall into classes, all states of a class have the same
images, and so the same least one: two states have the same representative exactly when one is an image of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorspec.proofs.search.store import Keys
from mirrorspec.spec.layout import Layout
from mirrorspec.spec.model import Model
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.universe import Universe

MOST_IMAGES = 48

Exchange = Mapping[Sort, tuple[int, ...]]
"""For each sort the things that take the places of the first, the second, and so on."""


@dataclass(frozen=True, slots=True)
class Swap:
    """An exchange of bits: those of *mask* in the word *low* with those *distance* further to the left in *high*."""

    low: int
    high: int
    distance: int
    mask: int


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a state: that of an earlier one in the list (the state itself is the first) by some swaps."""

    of: int
    swaps: tuple[Swap, ...]


class Symmetry:
    """The images of a packed state; there are none but itself where nothing can be exchanged."""

    def __init__(self, model: Model, universe: Universe, layout: Layout) -> None:
        generators = [(e, _swaps(e, model, layout)) for e in exchanges(universe)]
        while len(images := _images(universe, generators)) >= MOST_IMAGES:
            generators.pop()
        self.images = images
        self.words = layout.words

    @property
    def order(self) -> int:
        """How many images a state has, counted with repetitions."""
        return len(self.images) + 1

    def representatives(self, rows: Keys) -> Keys:
        """The least image of each state."""
        if not self.images or not len(rows):
            return rows
        least = [np.ascontiguousarray(rows[:, word]) for word in range(self.words)]
        images = [least]
        for image in self.images:
            words = list(images[image.of])
            for swap in image.swaps:
                _apply(swap, words)
            images.append(words)
            less = _less(words, least)
            least = [np.where(less, a, b) for a, b in zip(words, least, strict=True)]
        return np.stack(least, axis=1)


def exchanges(universe: Universe) -> Iterator[Exchange]:
    """Exchanges of two neighbours that own alike, from units down to writes: they generate all others."""
    for sort in (Sort.UNIT, Sort.VOLUME, Sort.TRACK, Sort.WRITE):
        last: dict[Any, int] = {}
        for thing in range(universe.sizes[sort]):
            key = (_owner(universe, sort, thing), _shape(universe, sort, thing))
            if key in last:
                yield _exchange(universe, sort, last[key], thing)
            last[key] = thing


OWNED = {Sort.UNIT: Sort.VOLUME, Sort.VOLUME: Sort.TRACK, Sort.TRACK: Sort.WRITE}


def _owner(universe: Universe, sort: Sort, thing: int) -> int:
    above = next((o for o, owned in OWNED.items() if owned is sort), None)
    return 0 if above is None else universe.owners[sort, above][thing]


def _children(universe: Universe, sort: Sort, thing: int) -> list[int]:
    below = OWNED.get(sort)
    return [] if below is None else [i for i, o in enumerate(universe.owners[below, sort]) if o == thing]


def _shape(universe: Universe, sort: Sort, thing: int) -> tuple[Any, ...]:
    return tuple(_shape(universe, OWNED[sort], child) for child in _children(universe, sort, thing))


def _exchange(universe: Universe, sort: Sort, a: int, b: int) -> Exchange:
    """Exchange two things that own alike, together with all that they own, one by one."""
    places = {s: list(range(size)) for s, size in universe.sizes.items()}

    def exchange(sort: Sort, a: int, b: int) -> None:
        places[sort][a], places[sort][b] = b, a
        for x, y in zip(_children(universe, sort, a), _children(universe, sort, b), strict=True):
            exchange(OWNED[sort], x, y)

    exchange(sort, a, b)
    units, sessions = universe.owners[Sort.CHANNEL, Sort.UNIT], universe.owners[Sort.CHANNEL, Sort.SESSION]
    channel = {(s, u): c for c, (s, u) in enumerate(zip(sessions, units, strict=True))}
    places[Sort.CHANNEL] = [channel[s, places[Sort.UNIT][u]] for s, u in zip(sessions, units, strict=True)]
    return {s: tuple(p) for s, p in places.items()}


def _swaps(exchange: Exchange, model: Model, layout: Layout) -> tuple[Swap, ...]:
    """The swaps of bits that an exchange of two things is; those of the same distance between the same words are one."""
    moves: dict[tuple[int, int, int], int] = {}
    for f in model.fields:
        rows = exchange[f.sort] if f.relation else (0,)
        for row, other in enumerate(rows):
            a, b = layout.places[f.name][row], layout.places[f.name][other]
            for bit, moved in enumerate(exchange[f.sort]):
                low, high = (a.shift + bit, a.word), (b.shift + moved, b.word)
                if low < high:
                    key = (low[1], high[1], high[0] - low[0])
                    moves[key] = moves.get(key, 0) | 1 << low[0]
    return tuple(Swap(low, high, distance, mask) for (low, high, distance), mask in sorted(moves.items()))


def _images(universe: Universe, generators: Sequence[tuple[Exchange, tuple[Swap, ...]]]) -> list[Image]:
    """Every element of the group but the identity, as a generator after an element listed before it."""
    identity = {s: tuple(range(size)) for s, size in universe.sizes.items()}
    elements = [identity]
    known = {_key(identity)}
    images: list[Image] = []
    for at, element in enumerate(elements):
        for exchange, swaps in generators:
            after = {s: tuple(exchange[s][i] for i in places) for s, places in element.items()}
            if _key(after) not in known:
                known.add(_key(after))
                elements.append(after)
                images.append(Image(at, swaps))
        if len(elements) > MOST_IMAGES:
            break
    return images


def _key(element: Exchange) -> tuple[tuple[int, ...], ...]:
    return tuple(element[s] for s in Sort)


def _apply(swap: Swap, words: list[Any]) -> None:
    moved = ((words[swap.high] >> np.uint64(swap.distance)) ^ words[swap.low]) & np.uint64(swap.mask)
    words[swap.low] = words[swap.low] ^ moved
    words[swap.high] = words[swap.high] ^ (moved << np.uint64(swap.distance))


def _less(a: list[Any], b: list[Any]) -> Any:
    """Word by word, as signed integers, as compiled code compares them."""
    less = a[-1].view(np.int64) < b[-1].view(np.int64)
    for x, y in zip(reversed(a[:-1]), reversed(b[:-1]), strict=True):
        x, y = x.view(np.int64), y.view(np.int64)
        less = (x < y) | ((x == y) & less)
    return less
