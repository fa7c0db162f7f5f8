"""Nothing of the seed is forgotten, and nothing is cited or claimed that is not there."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from mirrorspec.cli.main import VERBS
from mirrorspec.spec.clauses import CLAUSES, Standing, citations, cited, citing, known_carriers

ROOT = Path(__file__).parents[3]
PARAGRAPHS = [
    *range(8, 15), *range(16, 19), *range(20, 23), *range(25, 54),
]  # fmt: skip
BLOCKS = [
    350, 352, 450, 452, 454, 430, *range(550, 560, 2), *range(600, 612, 2), *range(720, 736, 2), *range(750, 760, 2),
    *range(850, 862, 2),
]  # fmt: skip
SILENT = {50, 51}
"""Trademarks, and what a program may be stored on."""


@pytest.mark.parametrize("name", [f"{n:04d}" for n in PARAGRAPHS if n not in SILENT] + [str(n) for n in BLOCKS])
def test_every_clause_is_listed_and_leads_somewhere(name: str) -> None:
    clause = CLAUSES[name]
    assert clause.words
    assert clause.carriers or clause.awaits, "it is neither carried nor promised"
    assert (clause.standing is Standing.NOT_YET) == (not clause.carriers)


def test_every_citation_names_a_clause() -> None:
    for carrier, text in citations():
        assert set(cited(text)) <= CLAUSES.keys(), f"{carrier}: {text}"


def test_every_carrier_exists() -> None:
    for clause in CLAUSES.values():
        for carrier in clause.carried:
            kind, _, name = carrier.partition(" ")
            known = {
                "verb": name in VERBS,
                "page": (ROOT / name).is_file(),
                "module": kind == "module" and find_spec(f"mirrorspec.{name}") is not None,
            }
            there = known.get(kind, carrier in known_carriers())
            assert there, f"{clause.name}: {carrier}"


def test_no_carrier_is_named_that_is_cited_anyway() -> None:
    for clause in CLAUSES.values():
        assert set(clause.carried).isdisjoint(citing().get(clause.name, ())), clause.name


def test_every_step_cites_the_seed_or_a_page() -> None:
    for carrier, text in citations():
        if carrier.startswith(("step", "property")):
            assert cited(text) or re.search(r"docs/\S+\.md", text), carrier


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("[0048] 854-860", ["0048", "854", "856", "858", "860"]),
        ("[0035]; [0041] 556; [0045] 750", ["0035", "0041", "556", "0045", "750"]),
        ("[0036-0038, 0048], FIGS. 3A, 4A", ["0036", "0037", "0038", "0048"]),
        ("[0048] 860, and again from 450", ["0048", "860", "450"]),
        ("has sent 123 start increments", []),
        ("[0041] error processing", ["0041"]),
    ],
)
def test_citations_are_read(text: str, clauses: list[str]) -> None:
    assert list(cited(text)) == clauses
