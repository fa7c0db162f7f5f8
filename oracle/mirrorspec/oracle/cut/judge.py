"""Is the image a cut? The rule, for a whole history at once.

A cut at time T holds every write acknowledged before T and may hold any write issued by T. A unit whose content was
written by write i (and by no other) therefore allows T from `issue_i` to the first acknowledgement of a later write of the
same unit, *later* being one issued after i was acknowledged; the initial content allows T up to the unit's first
acknowledgement. The image is a consistent cut exactly when some T is allowed by every unit.

- Where each unit has one such interval, the latest beginning is compared with the earliest end. If it is not earlier, those
  two are the answer's range; if it is later, they are two writes, i held and k missing, and k was acknowledged before i was
  issued. Two passes over the columns, no sorting: it is the minimum and the maximum of what any part of the history gives,
  so parts can be judged apart and combined.
- Units whose content was written more than once have several intervals: `intervals`.
- Clocks that differ by at most e: k precedes i only if `ack_k + e < issue_i`. The acknowledgements here have e added.
- A unit that shows what nobody wrote is *foreign*. It allows no T, and says nothing about order, so it is left out here
  and reported as what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirrorspec.oracle.cut.history import ALWAYS, NEVER, Flags, Numbers, Times
from mirrorspec.oracle.cut.intervals import Matches, Unions, common, matches, unions

NONE = -1
"""In place of a row: no such write."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from the columns alone. Rows and units are numbers in the columns that were judged."""

    ranges: tuple[tuple[int, int], ...]
    """The times T of which the image is a cut, as closed intervals in order; empty where it is torn."""
    low: int
    """The latest beginning among the units with one interval."""
    held: int
    """The write that `low` is the issue of, or `NONE`: of those that nothing else explains, the newest the image holds."""
    high: int
    """The earliest end among the units with one interval."""
    missing: int
    """The write that `high` is the acknowledgement of, or `NONE`."""
    foreign: Numbers
    """The units that show what nobody wrote."""
    repeats: Unions
    """The allowed times of the units that have more than one candidate."""
    oldest_missing: int
    """Of the acknowledged writes that the image is certainly without, the first to be acknowledged; or `NONE`."""
    missing_count: int
    """How many acknowledged writes the image is certainly without."""

    @property
    def torn(self) -> bool:
        """True where no T is allowed by all units that are not foreign."""
        return not self.ranges


def judge(unit: Numbers, issue: Times, ack: Times, shown: Flags, initial: Flags) -> Judgement:
    """Judge the columns: for each write its unit, times and whether the image shows it; for each unit, the initial flag."""
    units = len(initial)
    candidates = np.bincount(unit[shown], minlength=units)
    candidates += initial
    single, several = candidates == 1, candidates > 1

    # Until when a unit's content was being written: writes issued after that came later. NEVER: nothing came later.
    until = np.where(single & initial, ALWAYS, NEVER)
    sole = shown & single[unit]
    until[unit[sole]] = ack[sole]
    rows = np.flatnonzero(sole)
    held = int(rows[issue[rows].argmax()]) if len(rows) else NONE
    low = int(issue[held]) if len(rows) else ALWAYS
    missing = _first(ack, issue > until[unit])
    high = int(ack[missing]) if missing != NONE else NEVER

    part = np.flatnonzero(several[unit])
    some = several.any()
    found = (
        matches(unit[part], issue[part], ack[part], shown[part], np.flatnonzero(several & initial)) if some else None
    )
    repeats = unions(found) if found else Unions(unit[:0], issue[:0], issue[:0])
    ranges = common(repeats, int(np.count_nonzero(several)), low, high)

    if found:
        _settle(found, part, ack, until, ranges[-1][1] if ranges else NEVER)
    lost = (issue > until[unit]) & (ack < NEVER)
    return Judgement(
        tuple(ranges), low, held, high, missing, np.flatnonzero(candidates == 0), repeats,
        oldest_missing=_first(ack, lost), missing_count=int(np.count_nonzero(lost)),
    )  # fmt: skip


def _first(ack: Times, among: Flags) -> int:
    """The row, *among* those marked, that was acknowledged first; `NONE` where none was."""
    rows = np.flatnonzero(among)
    if not len(rows):
        return NONE
    first = int(rows[ack[rows].argmin()])
    return first if ack[first] < NEVER else NONE


def _settle(found: Matches, part: Numbers, ack: Times, until: Times, latest: int) -> None:
    """Let each unit with several candidates owe its content to the last one that the cut at *latest* allows.

    That only serves to say what the image is without; where no cut is allowed, the last candidate of all is taken.
    """
    fits = (
        np.flatnonzero((found.low <= latest) & (latest <= found.high)) if latest < NEVER else np.arange(len(found.unit))
    )
    done = np.where(found.row[fits] < 0, ALWAYS, ack[part[np.maximum(found.row[fits], 0)]])
    order = np.argsort(done, kind="stable")
    until[found.unit[fits[order]]] = done[order]  # of several entries for one unit the last one stays
