"""The mutation table: every mutant and every named deviation with what became of it, and whether the table is whole.

It is whole when no mutant is open, no named deviation is other than it is listed, and no reason is given for a mutant that does
not need one: a reason that has gone stale would hide the next fault.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from mirrorspec.proofs.induction.cases import cases
from mirrorspec.proofs.induction.mutants import Mutant, mutants
from mirrorspec.proofs.mutation.judge import Fate, Outcome, judge, judge_deviation
from mirrorspec.proofs.mutation.reasons import REASONS
from mirrorspec.proofs.workers import spread
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.errors import unknown_name
from mirrorspec.spec.verdict import Verdict

Subject = Mutant | str
"""A mutant, or the name of a deviation."""


def subjects(step: str | None = None) -> list[Subject]:
    """What is judged: the mutants of one step; or those of all steps, and the named deviations.

    Raises `BadInputError` for a step that does not exist.
    """
    every = mutants(cases())
    if step is None:
        return [*every, *DEVIATIONS]
    chosen = [mutant for mutant in every if mutant.step == step]
    if not chosen:
        raise unknown_name("step", step, dict.fromkeys(mutant.step for mutant in every))
    return list(chosen)


def outcomes(wanted: Sequence[Subject], jobs: int) -> Generator[Outcome, None, None]:
    """What became of each, in order, by so many processes."""
    return spread(outcome, wanted, jobs)


def outcome(subject: Subject) -> Outcome:
    """What became of one."""
    return judge(subject) if isinstance(subject, Mutant) else judge_deviation(subject)


@dataclass(frozen=True, slots=True)
class Score:
    """What a table amounts to."""

    caught: int
    harmless: int
    open: tuple[str, ...]
    stale: tuple[str, ...]
    """Mutants for which a reason is given although they are caught, and reasons for what does not exist."""

    @property
    def verdict(self) -> Verdict:
        """EXHAUSTED where every mutant is accounted for: what was searched is bounded, though what is harmless is proved."""
        whole = (self.caught or self.harmless) and not (self.open or self.stale)
        return Verdict.EXHAUSTED if whole else Verdict.INCONCLUSIVE

    @property
    def words(self) -> str:
        """The last line."""
        figures = f"{self.caught} caught, {self.harmless} harmless, {len(self.open)} open"
        stale = f"; a reason is given for what is not harmless: {', '.join(self.stale)}" if self.stale else ""
        return f"{self.verdict}: {figures}{stale}"


def score(found: Iterable[Outcome], *, whole: bool = True) -> Score:
    """What the outcomes amount to; of the *whole* table also whether each reason is for something that exists."""
    found = list(found)
    fates = {o.name: o.fate for o in found}
    stale = [name for name in REASONS if fates.get(name) is Fate.CAUGHT or (whole and name not in fates)]
    return Score(
        sum(o.fate is Fate.CAUGHT for o in found),
        sum(o.fate is Fate.HARMLESS for o in found),
        tuple(o.name for o in found if o.fate is Fate.OPEN),
        tuple(stale),
    )
