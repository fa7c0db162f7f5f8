"""What a run of the proof amounts to: the verdict, the figures, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mirrorspec.proofs.induction.discharge import Answer
from mirrorspec.proofs.induction.plan import Plan
from mirrorspec.proofs.induction.prover import Line
from mirrorspec.spec.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Summary:
    """The last line of a proof, and what it rests on."""

    verdict: Verdict
    cases: tuple[str, ...]
    conjuncts: int
    obligations: int
    evident: int
    asked: int
    refuted: tuple[Line, ...]
    unknown: tuple[Line, ...]
    slowest: Line | None

    @property
    def words(self) -> str:
        """The last line. A proof that fails shows no violation: the state it fails in need not be reachable."""
        if self.refuted:
            return f"{self.verdict}: the induction fails at {_many(self.refuted)}; whether that can happen is not known"
        if self.unknown:
            return f"{self.verdict}: not known: {_many(self.unknown)}; --export writes it out"
        return (
            f"{self.verdict}: {many(self.cases)}, {self.conjuncts} conjuncts, {self.obligations} obligations, "
            f"any number of sessions, units, volumes, tracks and writes"
        )


def summary(planned: Plan, lines: Sequence[Line]) -> Summary:
    """The summary of a run that has come to its end."""
    refuted = tuple(line for line in lines if line.answer is Answer.REFUTED)
    unknown = tuple(line for line in lines if line.answer is Answer.UNKNOWN)
    return Summary(
        Verdict.INCONCLUSIVE if refuted or unknown or not lines else Verdict.PROVED,
        planned.cases,
        planned.conjuncts,
        planned.obligations,
        planned.evident,
        len(lines),
        refuted,
        unknown,
        max(lines, key=lambda line: line.seconds, default=None),
    )


def many(cases: Sequence[str]) -> str:
    """So many cases, in words."""
    return "1 case" if len(cases) == 1 else f"{len(cases)} cases"


def _many(lines: Sequence[Line]) -> str:
    first = f"{lines[0].name!r}"
    return first if len(lines) == 1 else f"{len(lines)} obligations, first {first}"
