"""SPIN, an engine of another house, finds as many states as we do in the same model, and breaks the same promises."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.search import search, spin
from mirrorspec.spec.configuration import HARDENED, SEED, Configuration
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.model import build
from mirrorspec.spec.readings.promela import emit
from mirrorspec.spec.universe import Layout, Universe


@pytest.mark.needs("spin")
@pytest.mark.needs("gcc")
@pytest.mark.parametrize(
    ("options", "environment", "layout"),
    [
        (SEED, "timer", (((1,),), ((1,),))),
        (SEED, "reliable", (((2, 1),),)),
        (HARDENED, "standard", (((2,),),)),
        (HARDENED, "takeover", (((2,),),)),
        (HARDENED, "all", (((1,),),)),
    ],
)
def test_equal_counts(options: Configuration, environment: str, layout: Layout) -> None:
    world = ENVIRONMENTS[environment]
    model, universe = build(options, world), Universe.of(layout, world.sessions)
    ours = search(model, universe, symmetry=False, properties=())
    theirs = spin.run(model, universe)
    assert theirs.states > 0
    assert (ours.states, ours.transitions) == (theirs.states, theirs.transitions)


@pytest.mark.needs("spin")
@pytest.mark.needs("gcc")
def test_equal_verdicts_on_an_asserted_property() -> None:
    world = ENVIRONMENTS["timer"]
    model, universe = build(SEED, world), Universe.of((((1,),), ((1,),)))
    verdicts = {}
    for p in model.properties:
        if p.kind != "sometimes" and not p.of_step:
            ours = search(model, universe, properties=[p.name]).verdict == "violated"
            assert spin.run(model, universe, property=p.name).violated is ours
            verdicts[p.name] = ours
    assert verdicts


def test_a_property_of_steps_cannot_be_asserted() -> None:
    model = build(HARDENED, ENVIRONMENTS["reliable"])
    with pytest.raises(BadInputError, match="speaks of steps"):
        emit(model, Universe.of((((1,),),)), property="never_back")


def test_a_set_too_large_for_its_integers_is_refused() -> None:
    model = build(HARDENED, ENVIRONMENTS["reliable"])
    with pytest.raises(BadInputError, match="at most 31"):
        emit(model, Universe.of((((32,),),)))
