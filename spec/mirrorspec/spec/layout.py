"""How a state is laid out in words of 64 bits: exact keys, never a hash.

Each field has its own run of bits within one word; a relation has one run a row. Fields are placed first-fit, in the order of
the model, so that a state takes as few words as it can.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec.model import Model
from mirrorspec.spec.universe import Universe

WORD_BITS = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where a set lies: the word, the shift within it, and its width in bits."""

    word: int
    shift: int
    width: int

    @property
    def mask(self) -> int:
        """The set's bits, not shifted."""
        return (1 << self.width) - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of all fields; a relation has one place a row."""

    places: dict[str, tuple[Place, ...]]
    words: int
    bits: int

    @classmethod
    def of(cls, model: Model, universe: Universe) -> Layout:
        """The layout of a model's states. Raises `OverflowError` for a set of more than 64 things."""
        used: list[int] = []
        places: dict[str, tuple[Place, ...]] = {}
        for f in model.fields:
            width = universe.sizes[f.sort]
            if width > WORD_BITS:
                raise OverflowError(f"{f.name} would hold {width} {f.sort}s; at most {WORD_BITS} fit")
            places[f.name] = tuple(_place(used, width) for _ in range(width if f.relation else 1))
        return cls(places, max(1, len(used)), sum(used))


def _place(used: list[int], width: int) -> Place:
    for word, taken in enumerate(used):
        if taken + width <= WORD_BITS:
            used[word] += width
            return Place(word, taken, width)
    used.append(width)
    return Place(len(used) - 1, 0, width)
