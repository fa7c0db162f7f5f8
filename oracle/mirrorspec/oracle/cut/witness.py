"""Why an image is torn: the fewest units that no cut allows together.

Two writes are enough where each unit has one interval (`judge`). With unions of intervals (contents that repeat) more
units may be needed: each leaves out some times, and together they must leave out all. Finding the fewest is set cover, so
the search is exact while it is affordable and otherwise ends in a set of which no unit can be spared; `Witness.smallest`
says which of the two it is.

The search branches at the time that the fewest units leave out: one of these must be in every witness. A unit with one
interval that contains another unit's one interval is left out beforehand: the other does at least what it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirrorspec.oracle.cut.history import ALWAYS, NEVER, Flags, Numbers, Times
from mirrorspec.oracle.cut.intervals import Unions, matches, unions
from mirrorspec.oracle.cut.judge import Judgement

Intervals = list[tuple[int, int]]

EVERY_TIME: Intervals = [(ALWAYS, NEVER)]
MAX_SIZE = 6
"""The largest witness that is looked for exhaustively."""
MAX_WORK = 100_000_000
"""Intervals looked at (some seconds) before the search settles for a witness that is merely irreducible."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Units that no cut allows together, in rising order."""

    units: tuple[int, ...]
    smallest: bool
    """True where no smaller set exists; else only no unit of this one can be spared."""
    allowed: tuple[tuple[tuple[int, int], ...], ...]
    """For each unit the times it allows."""


def smallest_witness(
    judgement: Judgement,
    unit: Numbers,
    issue: Times,
    ack: Times,
    shown: Flags,
    initial: Flags,
    max_work: int = MAX_WORK,
) -> Witness:
    """The witness of a torn image, for the columns that were judged."""
    if judgement.low > judgement.high:
        pair = tuple(sorted((int(unit[judgement.held]), int(unit[judgement.missing]))))
        part = np.flatnonzero((unit == pair[0]) | (unit == pair[1]))
        start = np.array([u for u in pair if initial[u]], np.int64)
        few = unions(matches(unit[part], issue[part], ack[part], shown[part], start))
        return _witness(pair, True, few)
    everything = unions(matches(unit, issue, ack, shown, np.flatnonzero(initial)))
    search = _Search(_without_dominated(everything), max_work)
    found = search.fewest()
    if found is not None:
        return _witness(tuple(sorted(found)), True, everything)
    return _witness(tuple(sorted(search.irreducible())), False, everything)


def _witness(units: tuple[int, ...], smallest: bool, allowed: Unions) -> Witness:
    return Witness(units, smallest, tuple(tuple(allowed.of(unit)) for unit in units))


def _without_dominated(all_units: Unions) -> Unions:
    """Leave out the units whose one interval contains another unit's one interval."""
    new = np.concatenate(([True], all_units.unit[1:] != all_units.unit[:-1]))
    sole = np.flatnonzero(new & np.concatenate((new[1:], [True])))
    order = sole[np.lexsort((all_units.high[sole], ~all_units.low[sole]))]  # ~: falling; ALWAYS has no negative
    high = all_units.high[order]
    least_before = np.concatenate(([NEVER], np.minimum.accumulate(high)[:-1]))
    keep = np.ones(len(all_units), np.bool_)
    keep[order[1:]] = high[1:] < least_before[1:]
    return Unions(all_units.unit[keep], all_units.low[keep], all_units.high[keep])


class _Search:
    def __init__(self, candidates: Unions, max_work: int) -> None:
        self.all = candidates
        self.max_work = max_work
        self.work = 0
        self.starts, self.ends = np.sort(candidates.low), np.sort(candidates.high)
        first = np.concatenate(([True], candidates.unit[1:] != candidates.unit[:-1]))
        self.distinct = candidates.unit[first]
        self.owner = np.cumsum(first) - 1
        """For each interval the index of its unit among the distinct ones."""

    def fewest(self) -> set[int] | None:
        """The fewest units that leave out every time; None if they are many, or the search for them takes too long."""
        for size in range(2, MAX_SIZE + 1):
            found = self.within(size, EVERY_TIME)
            if found is not None or self.work > self.max_work:
                return found
        return None

    def within(self, size: int, left: Intervals) -> set[int] | None:
        """At most *size* units that together leave out all times in *left*; None if there are none, or no time for it."""
        if not left:
            return set()
        if not size or self.work > self.max_work:
            return None
        if size == 1:
            alone = self.leaving_out(left)
            return {alone[0]} if alone else None
        time = self.weakest(left)
        for candidate in self.leaving_out([(time, time)]):
            found = self.within(size - 1, intersect(left, self.all.of(candidate)))
            if found is not None:
                return found | {candidate}
        return None

    def weakest(self, left: Intervals) -> int:
        """The time in *left* that the fewest units leave out: where most allow it, an interval or *left* itself begins."""
        self.work += len(self.starts)
        begins, ends = np.array(left, np.int64).T
        place = np.searchsorted(begins, self.starts, side="right") - 1
        times = np.concatenate((begins, self.starts[(place >= 0) & (self.starts <= ends[place])]))
        allowing = np.searchsorted(self.starts, times, side="right") - np.searchsorted(self.ends, times, side="left")
        return int(times[allowing.argmax()])

    def leaving_out(self, times: Intervals) -> list[int]:
        """The units that allow no time in *times*."""
        self.work += len(self.starts)
        begins, ends = np.array(times, np.int64).T
        place = np.searchsorted(begins, self.all.high, side="right") - 1
        meets = (place >= 0) & (self.all.low <= ends[place])
        allows = np.zeros(len(self.distinct), np.bool_)
        allows[self.owner[meets]] = True
        return [int(unit) for unit in self.distinct[~allows]]

    def irreducible(self) -> set[int]:
        """Leave out the weakest time again and again, then drop every unit that the others make needless."""
        chosen: list[int] = []
        left = EVERY_TIME
        while left:
            time = self.weakest(left)
            chosen.append(self.leaving_out([(time, time)])[0])
            left = intersect(left, self.all.of(chosen[-1]))
        for candidate in list(chosen):
            left = EVERY_TIME
            for unit in chosen:
                if unit != candidate:
                    left = intersect(left, self.all.of(unit))
            if not left:
                chosen.remove(candidate)
        return set(chosen)


def intersect(some: Intervals, others: Intervals) -> Intervals:
    """The times in both of two ordered lists of intervals."""
    result: Intervals = []
    i = j = 0
    while i < len(some) and j < len(others):
        low, high = max(some[i][0], others[j][0]), min(some[i][1], others[j][1])
        if low <= high:
            result.append((low, high))
        if some[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return result
