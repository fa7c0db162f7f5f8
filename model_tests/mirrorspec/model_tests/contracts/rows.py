"""The decisions as rows of the main job: every contract confirmed, and every input the same as the specification's step."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from mirrorspec.model_tests.contracts import images, steps
from mirrorspec.model_tests.contracts.confirm import CONTRACTS, Answer, Found, answer
from mirrorspec.model_tests.contracts.steps import Case
from mirrorspec.proofs.workers import spread
from mirrorspec.spec.configuration import HARDENED, Configuration
from mirrorspec.spec.verdict import Verdict

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One decision, the answer that is right, and the answer that was got."""

    subject: str
    expected: str
    got: str
    figures: str
    seconds: float


def silent(_: str) -> None:
    """Nobody is told how far it is."""


def confirmed(report: Report = silent) -> Iterator[Row]:
    """A row for each decision: is every contract confirmed? Raises `MissingToolError` where CrossHair is absent."""
    names = [contract.__name__ for contracts in CONTRACTS.values() for contract in contracts]
    answers = spread(answer, names, os.cpu_count() or 1)
    for decision, contracts in CONTRACTS.items():
        report(f"contracts: {decision}")
        yield row(decision, list(islice(answers, len(contracts))))


def row(decision: str, answers: list[Answer]) -> Row:
    """The answers about one decision in one row, which is *confirmed* only where each of them is."""
    wrong = [a for a in answers if a.found is not Found.CONFIRMED]
    got = "; ".join(f"{a.contract}: {a.found}, {a.words}" for a in wrong)
    if not answers:
        got = "no contract at all"
    figures = f"{len(answers)} contracts, all paths of each"
    return Row(decision, Found.CONFIRMED, got or Found.CONFIRMED, figures, sum(a.seconds for a in answers))


def compare(decision: str) -> tuple[int, Case | None]:
    """How many inputs were compared with the specification, over all safe variants, and the first that differs."""
    compared = 0
    for options in _variants(decision):
        for case in CASES[decision](options):
            if case.differs:
                return compared, case
            compared += 1
    return compared, None


CASES: dict[str, Callable[[Configuration], Iterable[Case]]] = {**steps.CASES, "recovery row": images.recoveries}
"""Every input of each decision, for one variant."""


def _variants(decision: str) -> list[Configuration]:
    # Recovery is the same in every variant of the hardened configuration: it reads flash relations alone.
    return [HARDENED] if decision == "recovery row" else steps.safe_variants()


def agreed(report: Report = silent) -> Iterator[Row]:
    """A row for each decision: does the specification say the same for every input?"""
    for decision in CASES:
        report(f"decisions: {decision}")
        began = time.monotonic()
        compared, case = compare(decision)
        got = str(Verdict.EXHAUSTED)
        if case is not None:
            got = f"{case.event} differs in {', '.join(case.differs)}: {case.facts}"
        figures = f"{compared:,} inputs, {len(_variants(decision))} variants, one track"
        if decision == "recovery row":
            figures = f"{compared:,} inputs, two volumes"
        yield Row(decision, Verdict.EXHAUSTED, got, figures, time.monotonic() - began)
