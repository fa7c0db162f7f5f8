"""How a state is laid out in words of 64 bits: exact keys, never a hash.

A word is a row of *lanes*, each as wide as a set of any sort may be (8, 16, 32 or 64 bits). Each field lies within one lane, so
that a column of states is also a column of each lane, in the narrowest type there is; a relation has one run of bits a row.
Fields are placed first-fit, in the order of the model, so that a state takes as few words as it can.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec.model import Model
from mirrorspec.spec.universe import Universe

WORD_BITS = 64
LANE_BITS = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a set lies: the lane, the shift within it, and its width in bits; `word` and `shift` say the same of words."""

    lane: int
    shift_in_lane: int
    width: int
    lane_bits: int

    @property
    def word(self) -> int:
        """The index of the word."""
        return self.lane * self.lane_bits // WORD_BITS

    @property
    def shift(self) -> int:
        """The shift within the word."""
        return self.lane * self.lane_bits % WORD_BITS + self.shift_in_lane

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
    lane_bits: int

    @classmethod
    def of(cls, model: Model, universe: Universe) -> Layout:
        """The layout of a model's states. Raises `OverflowError` for a set of more than 64 things."""
        lane_bits = _lane_bits(universe)
        used: list[int] = []
        places: dict[str, tuple[Place, ...]] = {}
        for f in model.fields:
            width = universe.sizes[f.sort]
            places[f.name] = tuple(_place(used, width, lane_bits) for _ in range(width if f.relation else 1))
        words = max(1, -(-len(used) * lane_bits // WORD_BITS))
        return cls(places, words, sum(used), lane_bits)


def _lane_bits(universe: Universe) -> int:
    sort, widest = max(universe.sizes.items(), key=lambda item: item[1])
    for bits in LANE_BITS:
        if widest <= bits:
            return bits
    raise OverflowError(f"there are {widest} {sort}s; a set of at most {WORD_BITS} things fits a word")


def _place(used: list[int], width: int, lane_bits: int) -> Place:
    for lane, taken in enumerate(used):
        if taken + width <= lane_bits:
            used[lane] += width
            return Place(lane, taken, width, lane_bits)
    used.append(width)
    return Place(len(used) - 1, 0, width, lane_bits)
