"""Both engines find what the plain search finds: states, transitions, depth, how often each step is taken, shortest traces."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from mirrorspec.model_tests import naive
from mirrorspec.proofs.search import SearchResult, search
from mirrorspec.spec.configuration import HARDENED, SEED, Collision, Configuration
from mirrorspec.spec.counterexample import Setting, replayed
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.universe import Layout, Universe
from mirrorspec.spec.verdict import Verdict

ONE: Layout = (((1,),),)

SMALL = [
    (SEED, "reliable", ONE),
    (SEED, "links", ONE),
    (HARDENED, "standard", ONE),
    (HARDENED, "takeover", ONE),
    (HARDENED, "crashes", ONE),
    (HARDENED, "membership", ONE),
    (HARDENED.with_options(collision=Collision.SEND_COPY), "reliable", (((2,),),)),
]

SEED_TIMER_DEPTH = 15
"""How soon the seed breaks a promise once block 558's timer fires, at one write to each of two units."""

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="LEFT OUT: numba is not installed")


def _model(options: Configuration, environment: str, layout: Layout) -> tuple[Model, Universe]:
    world = ENVIRONMENTS[environment]
    return build(options, world), Universe.of(layout, world.sessions)


def _agrees(found: SearchResult, expected: naive.NaiveResult) -> None:
    if expected.broken:
        assert found.verdict is Verdict.VIOLATED
        assert found.property in expected.broken
        assert len(found.labels) == found.depth == expected.depth
        return
    assert found.verdict is Verdict.EXHAUSTED
    assert (found.states, found.transitions, found.depth) == (expected.states, expected.transitions, expected.depth)
    assert found.fired == expected.fired
    assert found.sometimes == expected.sometimes


@pytest.mark.parametrize(("options", "environment", "layout"), SMALL)
def test_the_batch_reading_finds_what_the_plain_search_finds(
    options: Configuration, environment: str, layout: Layout
) -> None:
    model, universe = _model(options, environment, layout)
    expected = naive.search(model, universe)
    _agrees(search(model, universe, engine="batch", symmetry=False, threads=1), expected)
    _agrees(search(model, universe, engine="batch", symmetry=False, threads=2), expected)


@needs_numba
@pytest.mark.parametrize(("options", "environment", "layout"), [SMALL[3]])
def test_compiled_code_finds_what_the_plain_search_finds(
    options: Configuration, environment: str, layout: Layout
) -> None:
    model, universe = _model(options, environment, layout)
    _agrees(search(model, universe, engine="compiled", symmetry=False), naive.search(model, universe))


@needs_numba
def test_both_engines_agree_with_symmetry_and_share_one_store(monkeypatch: pytest.MonkeyPatch) -> None:
    model, universe = _model(HARDENED, "standard", (((2,),),))
    batch = search(model, universe, engine="batch")
    compiled = search(model, universe, engine="compiled")
    assert (batch.engine, compiled.engine) == ("batch", "compiled")
    # The third begins in one engine and goes on in the other, over the same keys and the same index.
    monkeypatch.setattr("mirrorspec.proofs.search.exhaustive.SECONDS_WORTH_COMPILING", 0.01)
    both = search(model, universe)
    for other in (compiled, both):
        assert (other.states, other.transitions, other.depth) == (batch.states, batch.transitions, batch.depth)
        assert (other.fired, other.sometimes) == (batch.fired, batch.sometimes)
    assert both.engine == "compiled"


@pytest.mark.parametrize(
    ("engine", "symmetry"), [("batch", False), ("batch", True), pytest.param("compiled", True, marks=needs_numba)]
)
def test_traces_replay_and_have_one_length_in_every_engine(engine: str, symmetry: bool) -> None:
    world = ENVIRONMENTS["timer"]
    universe = Universe.of((((1,),), ((1,),)), world.sessions)
    model = build(SEED, world)
    found = search(model, universe, engine=engine, symmetry=symmetry)
    assert found.verdict is Verdict.VIOLATED
    assert found.property is not None
    setting = Setting(SEED, world, universe.layout, world.sessions)
    replayed(setting, list(found.labels), found.property, engine="search", shortest=True)
    assert len(found.labels) == found.depth == SEED_TIMER_DEPTH


def test_only_the_properties_named_end_the_search() -> None:
    model, universe = _model(SEED, "timer", (((1,),), ((1,),)))
    names = {p.name for p in model.properties if p.kind != "sometimes"}
    broken = search(model, universe).property
    assert broken is not None
    others = search(model, universe, properties=names - {broken})
    assert others.property != broken
    assert search(model, universe, properties=()).verdict is Verdict.EXHAUSTED
