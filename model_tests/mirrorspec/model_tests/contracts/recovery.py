"""What must hold of a recovery by its rows: two rows of any content, and what becomes of each [0048-0049].

Contracts as in `writes`. Numbers are integers without bound, so this covers every pair of relations, the impossible ones too.
Two rows are the least that can disagree. What treats a third row otherwise is seen with three: that takes ten times as long,
and is left to the nightly profile.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec import recovery
from mirrorspec.spec.recovery import Action, Decision, Row

ACTS = (Action.REVERT, Action.COMMIT)


@dataclass(frozen=True, slots=True)
class Held:
    """What one flash relation holds, without the name of its volume."""

    revertible: bool
    number: int
    reverts_to: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What recovery is told beside the rows."""

    ever_committed: bool
    commit: bool


def rows_of(*held: Held) -> list[Row]:
    """The rows, of volumes named by letters."""
    return [Row(volume, h.revertible, h.number, h.reverts_to) for volume, h in zip("ABC", held, strict=False)]


def decided(rows: list[Row], asked: Asked) -> Decision:
    """The decision where the rows are those of all members."""
    members = [r.volume for r in rows]
    return recovery.decide(rows, members, ever_committed=asked.ever_committed, commit=asked.commit)


def _settles(rows: list[Row], asked: Asked) -> bool:
    d = decided(rows, asked)
    after = recovery.apply(rows, d)
    if d.number is None:
        return d.action in (Action.REFUSE, Action.NO_IMAGE) and after == rows
    return all(r.number == d.number and not r.revertible for r in after)


def every_row_settles_at_one_number(a: Held, b: Held, asked: Asked) -> bool:
    """Afterwards no relation is revertible and all hold the number decided; or nothing is decided and nothing done [0049].

    post: _
    """
    return _settles(rows_of(a, b), asked)


def three_rows_settle_at_one_number(a: Held, b: Held, c: Held, asked: Asked) -> bool:
    """The same of three relations [0049].

    post: _
    """
    return _settles(rows_of(a, b, c), asked)


def recovery_never_goes_below_a_commit(a: Held, b: Held, asked: Asked) -> bool:
    """What is settled stays as it is: the number recovered is never older than one that was committed [0049].

    pre: not (a.revertible and b.revertible)
    post: _
    """
    rows = rows_of(a, b)
    d = decided(rows, asked)
    after = recovery.apply(rows, d)
    settled = all(new == old for old, new in zip(rows, after, strict=True) if not old.revertible)
    return settled and (d.number is None or all(r.number <= d.number for r in rows if not r.revertible))


def a_partly_flashed_increment_is_never_committed(a: Held, b: Held, asked: Asked) -> bool:
    """A commit means that every volume was flashed with one number [0048] 852; a partly issued flash is reverted.

    pre: a.revertible and not b.revertible and a.number != b.number
    post: _
    """
    return decided(rows_of(a, b), asked).action is not Action.COMMIT


def a_partly_committed_increment_is_never_reverted(a: Held, b: Held, asked: Asked) -> bool:
    """A relation that is settled with the number of a revertible one shows that all were flashed: the rest is committed.

    pre: a.revertible and not b.revertible and a.number == b.number
    post: _
    """
    return decided(rows_of(a, b), asked).action in (Action.COMMIT, Action.REFUSE, Action.NO_IMAGE)


def possible(h: Held) -> bool:
    """Whether a relation can be: a settled one restores nothing, a revertible one a lower number; none is below 0."""
    if h.reverts_to is None:
        return not h.revertible and h.number >= 0
    return h.revertible and 0 <= h.reverts_to < h.number


def a_row_that_cannot_be_is_refused(a: Held, b: Held, asked: Asked) -> bool:
    """Where any relation holds numbers that it cannot have, the rows are corrupted, and nothing is done.

    pre: not possible(a)
    post: _
    """
    return decided(rows_of(a, b), asked).action is Action.REFUSE


def recovery_done_twice_is_done_once(a: Held, b: Held, asked: Asked) -> bool:
    """Asked again after its action, recovery says that nothing is left to do, with the same number [0049].

    post: _
    """
    rows = rows_of(a, b)
    d = decided(rows, asked)
    if d.number is None:
        return True
    again = decided(recovery.apply(rows, d), asked)
    return again.action is Action.NOTHING and again.number == d.number


def recovery_cut_short_goes_on(a: Held, b: Held, asked: Asked) -> bool:
    """Where the action reached only some volumes, recovery asked again says the same of the rest [0049].

    post: _
    """
    rows = rows_of(a, b)
    d = decided(rows, asked)
    if d.action not in ACTS:
        return True
    half = decided([recovery.apply(rows, d)[0], rows[1]], asked)
    return half.action in (d.action, Action.NOTHING) and half.number == d.number


CONTRACTS = (
    every_row_settles_at_one_number,
    recovery_never_goes_below_a_commit,
    a_partly_flashed_increment_is_never_committed,
    a_partly_committed_increment_is_never_reverted,
    a_row_that_cannot_be_is_refused,
    recovery_done_twice_is_done_once,
    recovery_cut_short_goes_on,
)
NIGHTLY = (three_rows_settle_at_one_number,)
