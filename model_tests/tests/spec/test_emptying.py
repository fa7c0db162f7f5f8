"""Emptying changes no verdict: searches with and without must agree, with a violation of each property at the same depth."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.search import SearchResult, search
from mirrorspec.spec import liveness, model
from mirrorspec.spec.configuration import CONFIGURATIONS, HARDENED, Configuration, Restart
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.properties import PROPERTIES, Kind
from mirrorspec.spec.universe import Layout, Universe
from mirrorspec.spec.verdict import Verdict

ONE: Layout = (((1,),),)
TWICE: Layout = (((2,),),)
TWO: Layout = (((1,),), ((0,),))
MOST_STATES = 120_000
SAFETY = [p.name for p in PROPERTIES.values() if p.kind is Kind.SAFETY]
PAIRS = [
    (options, environment, layout)
    for options in (*CONFIGURATIONS.values(), HARDENED.with_options(restart=Restart.LEAVE))
    for environment in ENVIRONMENTS
    for layout in (ONE, TWICE, TWO)
]
UNDECIDED_AT_MOST = 45
"""So many of the pairs are too large to be searched without emptying here."""


def searched(
    options: Configuration, environment: str, layout: Layout, properties: list[str], emptied: bool
) -> SearchResult:
    """A search with or without emptying."""
    world = ENVIRONMENTS[environment]
    made = build(options, world, emptied=emptied, kinds=(Kind.SAFETY,))
    universe = Universe.of(layout, world.sessions)
    return search(made, universe, properties=properties, engine="batch", max_states=MOST_STATES)


def differs(options: Configuration, environment: str, layout: Layout) -> bool | None:
    """Whether emptying changes a verdict or a depth; None where that was too large to see."""
    for properties in (SAFETY, *([name] for name in SAFETY if options.name == "seed")):
        short = searched(options, environment, layout, list(properties), emptied=True)
        whole = searched(options, environment, layout, list(properties), emptied=False)
        if Verdict.INCONCLUSIVE in (short.verdict, whole.verdict):
            return None
        if (short.verdict, len(short.labels)) != (whole.verdict, len(whole.labels)):
            return True
    return False


def test_with_and_without_emptying_the_verdicts_are_the_same() -> None:
    found = {(o.name, e, layout): differs(o, e, layout) for o, e, layout in PAIRS}
    assert [pair for pair, different in found.items() if different] == []
    undecided = [pair for pair, different in found.items() if different is None]
    assert len(undecided) <= UNDECIDED_AT_MOST


def test_a_rule_that_empties_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secondary of every track out of sync, also of a unit that has drained and may still be flashed."""
    wrong = {**liveness.LIVE, "secondary": lambda s, _: ~(s.out_of_sync & ~s.delivered).writes}
    monkeypatch.setattr(model, "LIVE", wrong)
    assert differs(HARDENED, "standard", TWICE)
