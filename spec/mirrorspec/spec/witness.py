"""Why a truth fails in a state: the things that are where they must not be, or the two writes of which one is missing.

It descends into a term to the containments and closures that are false. It knows no property by name: whatever is written
in the algebra can be explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mirrorspec.spec.readings.bits import Bits, Valuation
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import Term, fold
from mirrorspec.spec.universe import Universe


@dataclass(frozen=True, slots=True)
class Missing:
    """The image holds one write and misses another that it needs."""

    holds: int
    misses: int

    def words(self, universe: Universe) -> str:
        """The two writes, and why one depends on the other."""
        held, missed = (_write(universe, w) for w in (self.holds, self.misses))
        return (
            f"holds {held} and misses {missed}, which was acknowledged before {_name(universe, self.holds)} was issued"
        )


@dataclass(frozen=True, slots=True)
class Outside:
    """Things that are not where they must be."""

    sort: Sort
    things: tuple[int, ...]

    def words(self, universe: Universe) -> str:
        """The things by name."""
        names = ", ".join(
            _write(universe, i) if self.sort is Sort.WRITE else universe.name(self.sort, i) for i in self.things
        )
        return f"{'lacks' if self.sort is Sort.WRITE else 'is wrong for'} {names}"


Witness = Missing | Outside


def _name(universe: Universe, write: int) -> str:
    return universe.name(Sort.WRITE, write)


def _write(universe: Universe, write: int) -> str:
    track = universe.owners[Sort.WRITE, Sort.TRACK][write]
    volume = universe.owners[Sort.TRACK, Sort.VOLUME][track]
    unit = universe.owners[Sort.VOLUME, Sort.UNIT][volume]
    return f"{_name(universe, write)} (track T{track} of U{unit})"


def witnesses(
    truth: Term, universe: Universe, state: Valuation, parameters: Mapping[str, int] | None = None
) -> list[Witness]:
    """What makes *truth* false in *state*; empty where it holds. What is said of writes comes first."""
    algebra = Bits(universe, state, parameters or {})

    def holds(term: Term) -> bool:
        return bool(fold(term, algebra))

    def why(term: Term, wanted: bool) -> list[Witness]:
        if holds(term) is wanted:
            return []
        if term.kind == "negate":
            return why(term.args[0], not wanted)
        if term.kind in ("both", "either"):
            return [w for part in term.args for w in why(part, wanted)]
        if not wanted or term.sort is None:
            return []
        values = [fold(part, algebra) for part in term.args]
        if term.kind == "within":
            outside = values[0] & ~values[1]
            return [Outside(term.sort, tuple(i for i in range(universe.sizes[term.sort]) if outside >> i & 1))]
        if term.kind == "closed":
            needs, image, among = values
            return [
                Missing(w, v)
                for w in range(len(needs))
                if image & among & (1 << w)
                for v in range(len(needs))
                if needs[w] & among & ~image & (1 << v)
            ]
        return []

    return sorted(why(truth, True), key=lambda w: not (isinstance(w, Missing) or w.sort is Sort.WRITE))
