"""The reading in which a set is a column of words, one row a state: a whole frontier is read at a call.

It is `bits` over NumPy columns. A value that is the same in every row stays a plain integer, so what depends only on the
parameters costs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mirrorspec.spec.readings.bits import Bits
from mirrorspec.spec.terms import Term
from mirrorspec.spec.universe import Universe

Column = npt.NDArray[Any]
Value = Any
"""An integer, a truth, or a column of either."""


def word_type(universe: Universe) -> np.dtype[Any]:
    """The narrowest unsigned type that holds a set of any sort of the universe."""
    widest = max(universe.sizes.values())
    for bits in (8, 16, 32, 64):
        if widest <= bits:
            return np.dtype(f"u{bits // 8}")
    raise OverflowError(f"a set of {widest} things does not fit a column of 64 bits")


class Batch(Bits):
    """The algebra of columns over a universe, for one choice of parameters."""

    def choose(self, node: Term, truth: Value, a: Value, b: Value) -> Value:
        if isinstance(truth, (bool, np.bool_)):
            return a if truth else b
        return np.where(truth, self._column(a), self._column(b))

    def negate(self, node: Term, a: Value) -> Value:
        return (not a) if isinstance(a, bool) else np.logical_not(a)

    def record(self, node: Term, relation: Value, row: Value, needed: Value) -> Value:
        if not isinstance(row, int):
            raise TypeError("a relation is recorded for one write at a time")
        return super().record(node, relation, row, needed)

    def _column(self, value: Value) -> Value:
        return word_type(self.universe).type(value) if isinstance(value, int) else value
