"""Recovery at the secondary site: which image it yields, twice.

`recovered` says it in the algebra, for the proof and the search: given this state, the image. `decide` is the decision
table that a person or a program applies to the rows of flash relations that the secondary site really holds; a test shows
that the two agree. Recovery is a takeover: it fences every secondary before it reads a row (`steps.takeover`).
"""

from __future__ import annotations

from collections import Counter
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
    """One flash relation as the secondary site holds it.

    Numbers are consecutive, and 0 is the initial copy's. An increment that failed leaves no number behind: its flashes are all
    withdrawn before the next increment begins. (So this is not the number by which messages are told apart.)
    """

    volume: str
    revertible: bool
    number: int
    reverts_to: int | None = None
    """What a revertible relation restores: the number before its own, or 0 where it is the volume's first flash."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, the increment that all volumes then hold, and why; for a refusal, the rows that disagree."""

    action: Action
    number: int | None
    reason: str
    volumes: tuple[str, ...] = ()
    """Those to be reverted or committed; for a refusal, those that disagree."""


def decide(
    rows: Sequence[Row], members: Iterable[str], *, ever_committed: bool = True, commit: bool = False
) -> Decision:
    """The decision table over *rows*, which must cover exactly the *members*: the volumes that recovery has to offer.

    *ever_committed* says whether the initial copy, number 0, counts as committed; a relation that holds or would restore a
    higher number shows a commit by itself. *commit* takes the other of two equally consistent choices where all are flashed
    and none is committed. The action is idempotent: applied to its own outcome it says `NOTHING` with the same number, and
    applied to half of its outcome it says the same action again.
    """
    wrong = _mismatched(rows, members)
    if wrong:
        return Decision(Action.REFUSE, None, "the flash relations do not match the membership", wrong)
    if not rows:
        return Decision(Action.NO_IMAGE, None, "no volume belongs to the session")
    impossible = [r for r in rows if not _possible(r)]
    if impossible:
        return _corrupted(impossible, "a relation has a number that it cannot have")
    revertible = [r for r in rows if r.revertible]
    settled = [r for r in rows if not r.revertible]
    if not (ever_committed or any(r.number for r in settled) or any(r.reverts_to for r in revertible)):
        return Decision(Action.NO_IMAGE, None, "no increment has ever been committed")
    for kind, part in (("revertible", revertible), ("settled", settled)):
        if len({r.number for r in part}) > 1:
            return _corrupted(part, f"more than one number among the {kind} relations")
    if not revertible:
        return Decision(Action.NOTHING, settled[0].number, "all relations are committed with one number")
    number = revertible[0].number
    volumes = tuple(r.volume for r in revertible)
    if settled and settled[0].number == number:
        return Decision(Action.COMMIT, number, "all are flashed, some are committed", volumes)
    if settled and settled[0].number != number - 1:
        return _corrupted(rows, "the revertible relations are not one increment ahead of the others")
    if commit and not settled:
        return Decision(Action.COMMIT, number, "all are flashed, none is committed: committing", volumes)
    gaps = [r for r in revertible if r.reverts_to != number - 1]
    if gaps:
        return _corrupted(gaps, "a revertible relation would restore another increment than the one before its own")
    why = "the flash was only partly issued" if settled else "all are flashed, none is committed: reverting"
    return Decision(Action.REVERT, number - 1, why, volumes)


def apply(rows: Iterable[Row], decision: Decision) -> list[Row]:
    """The rows after the decision's action. A revert names the number that it undoes, so doing it twice does it once."""
    changed = set(decision.volumes) if decision.action in (Action.REVERT, Action.COMMIT) else set()
    after = []
    for r in rows:
        if r.volume in changed and r.revertible:
            restored = r.reverts_to if decision.action is Action.REVERT else r.number
            assert restored is not None
            r = Row(r.volume, False, restored)
        after.append(r)
    return after


def _possible(r: Row) -> bool:
    """Whether the row makes sense by itself: a revertible relation restores a lower number, a settled one restores nothing."""
    if not r.revertible:
        return r.number >= 0 and r.reverts_to is None
    return r.reverts_to is not None and 0 <= r.reverts_to < r.number


def _mismatched(rows: Sequence[Row], members: Iterable[str]) -> tuple[str, ...]:
    """Volumes without a row, rows without a member, and volumes with several rows."""
    counts = Counter(r.volume for r in rows)
    known = set(members)
    return tuple(sorted((known ^ counts.keys()) | {name for name, n in counts.items() if n > 1}))


def _corrupted(rows: Iterable[Row], why: str) -> Decision:
    return Decision(Action.REFUSE, None, f"the mechanism is corrupted: {why}", tuple(r.volume for r in rows))
