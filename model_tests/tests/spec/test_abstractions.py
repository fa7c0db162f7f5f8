"""What docs/explanation/abstractions.md argues and the search can see: each test names the letter that it belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirrorspec.proofs.search import search
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import StagedProperty, build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.steps import STEPS
from mirrorspec.spec.terms import SetTerm, Truth
from mirrorspec.spec.verdict import Verdict


def holds(claim: Truth, environment: str, *, emptied: bool = True) -> Verdict:
    """Whether a claim holds in every state of the hardened protocol with two units."""
    world = ENVIRONMENTS[environment]
    model = build(HARDENED, world, kinds=(Kind.SAFETY,), emptied=emptied)
    model = replace(model, properties=(StagedProperty("claim", Kind.SAFETY, (), claim, {}),))
    found = search(model, BOUNDS["2u2t2w"].universe(world), engine="batch", max_states=5_000_000)
    return found.verdict


@pytest.mark.parametrize("environment", ["standard", "rivals"])
def test_b_what_is_withdrawn_is_awaited_by_nobody_who_is_heeded(environment: str) -> None:
    s = symbolic_state()
    flashing = s.flashing.channels
    refused = flashing <= s.fenced if environment == "rivals" else flashing.is_empty()
    assert holds(s.withdrawn.is_empty() | refused, environment) is Verdict.EXHAUSTED


def test_b_the_claim_can_fail() -> None:
    s = symbolic_state()
    assert holds(s.withdrawn.is_empty() | s.aborting.is_empty(), "standard") is Verdict.VIOLATED


def test_b_replies_other_than_flashed_only_grow_within_an_increment() -> None:
    s = symbolic_state()
    ends = {"all_committed", "all_aborted"}
    for step in STEPS.values():
        if not step.applies(HARDENED) or step.name in ends:
            continue
        _, changes = step.stage(s, HARDENED)
        for name in ("joined", "drained", "committed", "reported_withdrawn", "left"):
            after = changes.get(name)
            if after is not None:
                before = getattr(s, name)
                assert after.kind == "join", f"{step.name} takes from {name}"
                assert before in after.args, f"{step.name} takes from {name}"


def test_e_nothing_that_lingers_is_accepted() -> None:
    guards, _ = STEPS["deliver_lingering"].stage(symbolic_state(), HARDENED)
    (thing, lingering), (same, others) = guards["lingering"].args, guards["in_sequence"].args
    assert isinstance(lingering, SetTerm)
    assert thing is same
    assert others is ~lingering, "the one guard is the negation of the other"
