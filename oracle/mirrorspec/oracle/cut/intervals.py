"""Where contents repeat: the cuts that a unit allows are then a union of intervals, and one sweep intersects all unions.

A unit that shows a content which several writes wrote (or a write and the initial image) may owe it to any of them, so
it allows every cut that one of them allows. `matches` and `unions` make these, `common` intersects them.

Everything is arrays. A running minimum or maximum that must not cross from one unit into the next is made by doubling: of
two rows, then of four, as long as both ends are of one unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirrorspec.oracle.cut.history import ALWAYS, NEVER, Flags, Numbers, Times

SLICE = 1 << 18
"""How many rows are worked on at a time; more where one unit has more."""


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
    """The cuts allowed by each shown write, and by the initial content of the units *initial*, which are in order.

    The rows are brought together by unit and worked on some units at a time, so that what is worked on stays in the
    processor's cache.
    """
    order = np.lexsort((issue, unit)) if (issue[1:] < issue[:-1]).any() else by_unit(unit)
    unit = unit[order]
    parts: list[Matches] = []
    begin = 0
    while begin < len(unit):
        last_unit = unit[min(begin + SLICE, len(unit)) - 1]
        end = int(np.searchsorted(unit, last_unit, side="right"))
        mine, here = slice(begin, end), order[begin:end]
        low, high = np.searchsorted(initial, (unit[begin], last_unit + 1)).tolist()
        parts.append(_some_matches(unit[mine], here, issue[here], ack[here], shown[here], initial[low:high]))
        begin = end
    if not parts:
        return Matches(unit, unit, issue, ack)
    return Matches(*(np.concatenate([getattr(part, name) for part in parts]) for name in Matches.__slots__))


def _some_matches(unit: Numbers, row: Numbers, issue: Times, ack: Times, shown: Flags, initial: Numbers) -> Matches:
    """The same for rows that are ordered by unit and issue.

    After a shown write i, the first acknowledgement of a later write (issued after i was acknowledged) ends what is
    allowed. That is a minimum over the unit's writes from some place on; the place is found by bisection.
    """
    entry = np.flatnonzero(shown)
    owner = np.concatenate((initial, unit[entry]))
    after = np.concatenate((np.full(len(initial), ALWAYS), ack[entry]))
    low, high = np.searchsorted(unit, owner), np.searchsorted(unit, owner, side="right")
    end = high
    while (open_ := low < high).any():  # as often as the longest unit's writes can be halved
        middle = (low + high) >> 1
        later = issue[np.minimum(middle, len(issue) - 1)] > after
        high = np.where(open_ & later, middle, high)
        low = np.where(open_ & ~later, middle + 1, low)

    least = ack.copy()
    step = 1
    while (alike := unit[step:] == unit[:-step]).any():  # now *least* spans `step` rows of a unit, then twice as many
        np.minimum(least[:-step], least[step:].copy(), out=least[:-step], where=alike)
        step *= 2
    ends = np.full(len(owner), NEVER)
    some = low < end
    ends[some] = least[low[some]]
    starts = np.concatenate((np.full(len(initial), ALWAYS), issue[entry]))
    return Matches(owner, np.concatenate((np.full(len(initial), -1), row[entry])), starts, ends)


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
    furthest = high.copy()
    step = 1
    while (alike := unit[step:] == unit[:-step]).any():
        np.maximum(furthest[step:], furthest[:-step].copy(), out=furthest[step:], where=alike)
        step *= 2
    new_unit = np.concatenate(([True], unit[1:] != unit[:-1]))
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
