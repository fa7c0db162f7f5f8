"""What does not fit is refused or called inconclusive, by name and with what would do; a search can be interrupted."""

from __future__ import annotations

import threading

import pytest

from mirrorspec.proofs.search import Progress, search
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.universe import Universe
from mirrorspec.spec.verdict import Verdict


@pytest.fixture(scope="module")
def model() -> Model:
    return build(HARDENED, ENVIRONMENTS["standard"])


TWO = Universe.of((((1,),), ((1,),)))


def test_a_limit_of_states_makes_it_inconclusive(model: Model) -> None:
    found = search(model, TWO, max_states=10_000)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "10,000 states" in found.reason
    assert "higher limit" in found.reason
    whole = search(model, TWO)
    assert found.depth < whole.depth
    assert found.states <= whole.states


def test_a_limit_of_memory_makes_it_inconclusive(model: Model) -> None:
    found = search(model, TWO, max_bytes=1 << 20)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "memory" in found.reason
    assert found.states * found.bytes_a_state < 1.6 * (1 << 20)


def test_a_limit_that_is_just_enough_is_no_limit(model: Model) -> None:
    universe = Universe.of((((1,),),))
    states = search(model, universe).states
    assert search(model, universe, max_states=states).verdict is Verdict.EXHAUSTED
    assert search(model, universe, max_states=states - 1).verdict is Verdict.INCONCLUSIVE


def test_a_universe_that_does_not_fit_is_refused(model: Model) -> None:
    with pytest.raises(BadInputError, match="65 writes; a set of at most 64"):
        search(model, Universe.of((((65,),),)))


def test_unknown_names_are_told_with_the_near_ones(model: Model) -> None:
    with pytest.raises(BadInputError, match="did you mean batch"):
        search(model, TWO, engine="bach")
    with pytest.raises(BadInputError, match="did you mean consistent"):
        search(model, TWO, properties=["consistant"])


@pytest.mark.parametrize("threads", [1, 2])
def test_it_tells_how_far_it_is_and_can_be_interrupted(model: Model, threads: int) -> None:
    told: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if progress.states > 5_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(model, TWO, progress=interrupt, threads=threads)
    assert [p.states for p in told] == sorted(p.states for p in told)
    assert told[-1].depth > 0
    assert any(p.frontier > 0 for p in told) or threads == 2
    assert told[-1].bytes > 0
    assert threading.active_count() == 1 or not any("ThreadPool" in t.name for t in threading.enumerate())
