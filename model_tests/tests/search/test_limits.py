"""What does not fit is refused or called inconclusive, by name and with what would do; a search can be interrupted."""

from __future__ import annotations

import errno
import mmap
import re
import threading
from importlib.util import find_spec

import pytest

from mirrorspec.proofs.search import Progress, search
from mirrorspec.proofs.search import store as stores
from mirrorspec.spec.configuration import HARDENED, SEED
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.universe import Universe
from mirrorspec.spec.verdict import Verdict


@pytest.fixture(scope="module")
def model() -> Model:
    return build(HARDENED, ENVIRONMENTS["standard"])


needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="LEFT OUT: numba is not installed")

TWO = Universe.of((((1,),), ((1,),)))
STATES_OF_17_STEPS = 7_961
"""Of the seed with block 558's timer, at one write to each of two units; the last step is the first to break *consistent*."""


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


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("engine", ["batch", pytest.param("compiled", marks=needs_numba)])
def test_the_last_level_that_fits_is_looked_at_though_the_next_does_not_fit(engine: str, threads: int) -> None:
    """A state that breaks a promise ends the search in its level; what it would lead to is not even stored."""
    found = search(
        build(SEED, ENVIRONMENTS["timer"]),
        TWO,
        engine=engine,
        symmetry=False,
        threads=threads,
        properties=["consistent"],
        max_states=STATES_OF_17_STEPS,
    )
    assert (found.verdict, found.depth) == (Verdict.VIOLATED, 17)
    assert found.states <= STATES_OF_17_STEPS


@pytest.mark.parametrize("max_states", [None, 3_000_000])
def test_the_reason_names_what_the_system_granted(
    model: Model, max_states: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(size: int) -> mmap.mmap:
        if size > 1 << 26:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return mapped(size)

    mapped = stores._mapped
    monkeypatch.setattr(stores, "_mapped", refusing)
    monkeypatch.setattr(stores, "SPARE_ROWS", 1 << 18)
    universe = Universe.of((((3,),), ((2,),)))
    found = search(model, universe, engine="batch", properties=(), max_states=max_states)
    assert found.verdict is Verdict.INCONCLUSIVE
    states = re.match(r"the address space that the system grants of ([\d,]+) states", found.reason)
    assert states, found.reason
    assert int(states[1].replace(",", "")) <= found.states < 1 << 22


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


def test_it_tells_while_one_chunk_is_expanded_and_while_a_trace_is_sought(model: Model) -> None:
    told: list[Progress] = []
    found = search(model, TWO, engine="batch", progress=told.append, threads=1)
    level = max(sum(p.depth == depth for p in told) for depth in range(found.depth))
    assert level > 10, "a level here is one chunk, of many events"
    assert {p.doing for p in told} == {"searching"}
    told.clear()
    broken = search(build(SEED, ENVIRONMENTS["timer"]), TWO, engine="batch", progress=told.append)
    assert sum(p.doing == "tracing" for p in told) >= broken.depth - 1 > 0


@needs_numba
def test_it_tells_while_it_compiles(model: Model) -> None:
    told: list[Progress] = []
    search(model, TWO, engine="compiled", progress=told.append)
    assert sum(p.doing == "compiling" for p in told) > len(model.steps)
    assert told[-1].doing == "searching"
