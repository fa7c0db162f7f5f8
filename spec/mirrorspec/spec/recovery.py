"""Recovery at the secondary site: which image it yields, twice.

`recovered` says it in the algebra, for the proof and the search: given this state, the image. `decide` is the decision
table that a person or a program applies to the rows of flash relations that the secondary site really holds; a test shows
that the two agree. Recovery is a takeover: it fences every secondary before it reads a row (`steps.takeover`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mirrorspec.spec.configuration import Configuration, Recovery
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import SetTerm, Truth, choose


def _reverted(s: State) -> SetTerm:
    """The targets with every revertible flash reverted."""
    return s.target.onto(s.flashed.tracks.writes, s.previous)


def recovered(s: State, options: Configuration) -> SetTerm:
    """The image that recovery yields now, reverting where it may choose.

    Hardened: once any volume is committed, all targets; else the targets with every revertible flash reverted. In the
    seed a flash is final, and while the flashes are partial the secondaries stand in for the targets [0048-0049].
    """
    if options.recovery is Recovery.NEWEST:
        return s.target
    if options.hardened:
        return choose(s.committed.some(), s.target, _reverted(s))
    partial = s.flashed.some() & ~(s.members.volumes <= s.flashed)
    return choose(partial, s.secondary, s.target)


def committed_image(s: State, options: Configuration) -> SetTerm:
    """The image that recovery yields now if it commits whatever is wholly flashed."""
    if not options.hardened:
        return recovered(s, options)
    wholly: Truth = s.committed.some() | (s.members.volumes <= s.flashed | s.committed)
    return choose(wholly, s.target, _reverted(s))


def promised(s: State) -> SetTerm:
    """The volumes for which recovery has a consistent image to offer: those that have ever been part of a commit."""
    return s.covered | choose(s.committed.some(), s.members.volumes, s.covered)


class Action(StrEnum):
    """What recovery does with the flash relations."""

    NOTHING = "nothing"
    REVERT = "revert the revertible"
    COMMIT = "commit the revertible"
    NO_IMAGE = "no consistent image yet"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Row:
    """One flash relation as the secondary site holds it. Number 0 is the initial copy's."""

    volume: str
    revertible: bool
    number: int
    reverts_to: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, the increment that all volumes then hold, and why; for a refusal, the rows that disagree."""

    action: Action
    number: int | None
    reason: str
    volumes: tuple[str, ...] = ()


def decide(rows: Sequence[Row], members: Iterable[str], *, ever_committed: bool = True, commit: bool = False) -> Decision:
    """The decision table of FACTS section 2 over *rows*, which must cover exactly *members*.

    *commit* takes the other of two equally consistent choices where all are flashed and none is committed. The action is
    idempotent: applied to its own outcome it says `NOTHING` with the same number.
    """
    wrong = _mismatched(rows, members)
    if wrong:
        return Decision(Action.REFUSE, None, "the flash relations do not match the membership", wrong)
    if not rows or not ever_committed:
        return Decision(Action.NO_IMAGE, None, "no increment has ever been committed")
    old = {r.number for r in rows if not r.revertible}
    new = {r.number for r in rows if r.revertible}
    if not new and len(old) == 1:
        return Decision(Action.NOTHING, old.pop(), "all relations are committed with one number")
    if len(new) != 1 or len(old) > 1:
        return _corrupted(rows, "more than one number among relations of one kind")
    number = new.pop()
    back = {r.reverts_to for r in rows if r.revertible}
    if len(back) != 1:
        return _corrupted([r for r in rows if r.revertible], "revertible relations would revert to different numbers")
    base = back.pop()
    revertible = tuple(r.volume for r in rows if r.revertible)
    if not old:
        if base is None or base >= number:
            return _corrupted(rows, "a revertible relation must revert to a lower number")
        if commit:
            return Decision(Action.COMMIT, number, "all are flashed, none is committed: committing", revertible)
        return Decision(Action.REVERT, base, "all are flashed, none is committed: reverting", revertible)
    settled = old.pop()
    if settled == number and base is not None and base < number:
        return Decision(Action.COMMIT, number, "all are flashed, some are committed", revertible)
    if base == settled and number == settled + 1:
        return Decision(Action.REVERT, settled, "the flash was only partly issued", revertible)
    return _corrupted(rows, "revertible and settled relations do not fit one another")


def _mismatched(rows: Sequence[Row], members: Iterable[str]) -> tuple[str, ...]:
    """Volumes without a row, rows without a member, and volumes with several rows."""
    names = [r.volume for r in rows]
    known = set(members)
    return tuple(sorted((known ^ set(names)) | {n for n in names if names.count(n) > 1}))


def _corrupted(rows: Iterable[Row], why: str) -> Decision:
    return Decision(Action.REFUSE, None, f"the mechanism is corrupted: {why}", tuple(r.volume for r in rows))
