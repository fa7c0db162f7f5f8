"""Where contents repeat: the cuts that a unit allows are then a union of intervals, and one sweep intersects all unions.

A unit that shows a content which several writes wrote (or a write and the initial image) may owe it to any of them, so
it allows every cut that one of them allows. `allowed` makes these unions, `common` intersects them.

Everything is arrays. What must not cross from one unit into the next (a running minimum, a running maximum) is kept apart
by putting the unit above the value's rank in one integer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirrorspec.oracle.cut.history import ALWAYS, NEVER, Flags, Numbers, Times


@dataclass(frozen=True, slots=True)
class Unions:
    """Closed intervals, ordered by unit and then by time; those of one unit are apart from each other."""

    unit: Numbers
    low: Times
    high: Times

    def of(self, unit: int) -> list[tuple[int, int]]:
        """The intervals of one unit."""
        begin, end = np.searchsorted(self.unit, (unit, unit + 1)).tolist()
        return list(zip(self.low[begin:end].tolist(), self.high[begin:end].tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.unit)


@dataclass(frozen=True, slots=True)
class Matches:
    """One entry for each way in which a unit may have got its content; those of one unit in order of time."""

    unit: Numbers
    row: Numbers
    """The write, or -1 for the initial content."""
    low: Times
    high: Times


def matches(unit: Numbers, issue: Times, ack: Times, shown: Flags, initial: Numbers) -> Matches:
    """The cuts allowed by each shown write, and by the initial content of the units *initial*.

    After a shown write i, the first acknowledgement of a later write (issued after i was acknowledged) ends what is
    allowed. In each unit, ordered by issue, that is a minimum over the writes from some place on, found by bisection.
    """
    order = np.lexsort((issue, unit)) if (issue[1:] < issue[:-1]).any() else by_unit(unit)
    unit, issue, ack, shown = unit[order], issue[order], ack[order], shown[order]
    size = len(unit)
    begin_of = np.searchsorted(unit, initial)
    entry = np.flatnonzero(shown)
    owner = np.concatenate((initial, unit[entry]))
    after = np.concatenate((np.full(len(initial), ALWAYS), ack[entry]))
    begin = np.concatenate((begin_of, np.searchsorted(unit, unit[entry])))
    end = np.searchsorted(unit, owner, side="right")

    low, high = begin, end
    while (open_ := low < high).any():  # as often as the longest unit's writes can be halved
        middle = (low + high) >> 1
        later = np.zeros(len(low), np.bool_)
        later[open_] = issue[middle[open_]] > after[open_]
        high = np.where(open_ & later, middle, high)
        low = np.where(open_ & ~later, middle + 1, low)

    by_ack = np.argsort(ack)
    rank = np.empty(size, np.int64)
    rank[by_ack] = np.arange(size)
    # From the last row back, units fall; so does the unit's part of the sum, and the minimum begins anew with each.
    segment = np.cumsum(np.concatenate(([0], unit[1:] != unit[:-1]))) if size else unit
    least = np.minimum.accumulate((segment * size + rank)[::-1])[::-1] % max(size, 1)
    ends = np.full(len(owner), NEVER)
    some = low < end
    ends[some] = ack[by_ack[least[low[some]]]]
    starts = np.concatenate((np.full(len(initial), ALWAYS), issue[entry]))
    row = np.concatenate((np.full(len(initial), -1), order[entry]))
    return Matches(owner, row, starts, ends)


def by_unit(unit: Numbers) -> Numbers:
    """The order by unit, and within one as they come, in linear time.

    NumPy sorts 16-bit numbers stably by counting them, so a unit's number is sorted 16 bits at a time, low ones first.
    """
    order = np.arange(len(unit))
    top, shift = int(unit.max(initial=0)), 0
    while top >> shift:
        order = order[np.argsort((unit[order] >> shift).astype(np.uint16), kind="stable")]
        shift += 16
    return order


def unions(found: Matches) -> Unions:
    """The matches of each unit as intervals that are apart."""
    order = by_unit(found.unit)  # those of one unit come in order of time
    unit, low, high = found.unit[order], found.low[order], found.high[order]
    size = len(unit)
    if not size:
        return Unions(unit, low, high)
    by_high = np.argsort(high)
    rank = np.empty(size, np.int64)
    rank[by_high] = np.arange(size)
    new_unit = np.concatenate(([True], unit[1:] != unit[:-1]))
    segment = np.cumsum(new_unit)
    furthest = high[by_high[np.maximum.accumulate(segment * size + rank) % size]]
    starts = new_unit.copy()
    starts[1:] |= low[1:] > furthest[:-1]
    first = np.flatnonzero(starts)
    last = np.concatenate((first[1:] - 1, [size - 1]))
    return Unions(unit[first], low[first], furthest[last])


def common(unions: Unions, units: int, low: int, high: int) -> list[tuple[int, int]]:
    """The intervals of times from *low* to *high* that every one of the *units* units allows, in order.

    One sweep: at each start count the units that have started and not ended; where that is all, a common interval begins
    and lasts to the next end.
    """
    if low > high:
        return []
    if not units:
        return [(low, high)]
    starts, ends = np.sort(unions.low), np.sort(unions.high)
    ended = np.searchsorted(ends, starts, side="left")
    full = np.flatnonzero(np.arange(1, len(starts) + 1) - ended == units)
    begins = np.maximum(starts[full], low)
    stops = np.minimum(ends[ended[full]], high)
    some = begins <= stops
    return list(zip(begins[some].tolist(), stops[some].tolist(), strict=True))
