"""Claims of docs/explanation/findings.md without a named deviation: each reading of the seed is put in and searched.

The number in each name is that of the finding.
"""

from __future__ import annotations

import pytest

from mirrorspec.proofs.search import SearchResult, search
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import HARDENED, Collision, Configuration, Hold
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step
from mirrorspec.spec.steps import host
from mirrorspec.spec.terms import SetTerm, choose
from mirrorspec.spec.verdict import Verdict


@step("[0043] 722-724", w=Sort.WRITE)
def apply_write(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A collision is seen only once the unit is in progress, though what is cached while pending is recorded."""
    guards, changes = host.apply_write.function(s, w, options)
    seen = w.track.unit <= s.in_progress
    for name in ("preserved", "preserved_image"):
        changes[name] = choose(seen, changes[name], getattr(s, name))  # type: ignore[arg-type]
    return guards, changes


WAITS_FOR_RUN = Deviation(
    "collision_test_waits_for_run",
    "what is cached while pending is recorded, and the collision test looks at in progress alone",
    "reliable",
    "2u2t3w",
    puts=(apply_write,),
    configuration=HARDENED.with_options(hold=Hold.IN_CACHE),
)
NOT_KEPT = Deviation(
    "copy_not_kept",
    "the copy of a collision is sent and forgotten",
    "links",
    "1u2t3w",
    forgets=("apply_write.preserved", "apply_write.preserved_image"),
    configuration=HARDENED.with_options(collision=Collision.SEND_COPY),
)
FLASH_TOO_EARLY = Deviation(
    "flash_before_all_drained",
    "some volumes are flashed while units have not drained",
    "reliable",
    "2u2t2w",
    drops=("all_drained.replied", "all_drained.current"),
)


def searched(deviation: Deviation, environment: str, bounds: str) -> SearchResult:
    """Every state of the hardened protocol with that one thing read otherwise."""
    world = ENVIRONMENTS[environment]
    return search(deviation.model(world), BOUNDS[bounds].universe(world), engine="batch", max_states=10_000_000)


@pytest.mark.parametrize(
    ("deviation", "environment", "bounds"),
    [
        pytest.param(WAITS_FOR_RUN, "reliable", "2u2t3w", id="3: the collision test waits for run"),
        pytest.param(NOT_KEPT, "links", "1u2t3w", id="4: the copy is dropped once sent"),
        pytest.param(FLASH_TOO_EARLY, "reliable", "2u2t2w", id="7: flash does not wait for all"),
    ],
)
def test_the_other_reading_is_unsafe(deviation: Deviation, environment: str, bounds: str) -> None:
    found = searched(deviation, environment, bounds)
    assert found.verdict is Verdict.VIOLATED
    assert found.property in ("consistent", "consistent_committing", "promised_writes_held")


@pytest.mark.parametrize(
    ("deviation", "environment", "bounds"),
    [
        pytest.param(WAITS_FOR_RUN, "reliable", "1u2t3w", id="3: one unit does not show it"),
        pytest.param(WAITS_FOR_RUN, "reliable", "2u2t2w", id="3: nor do two writes"),
        pytest.param(NOT_KEPT, "reliable", "1u2t3w", id="4: as long as no transfer is lost"),
    ],
)
def test_smaller_bounds_or_a_kinder_world_do_not_show_it(deviation: Deviation, environment: str, bounds: str) -> None:
    assert searched(deviation, environment, bounds).verdict is Verdict.EXHAUSTED
