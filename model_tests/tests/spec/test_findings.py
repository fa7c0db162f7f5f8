"""Claims of docs/explanation/findings.md about when a fault shows and when it does not.

The number in each name is that of the finding.
"""

from __future__ import annotations

import pytest

from mirrorspec.proofs.search import SearchResult, search
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.verdict import Verdict

WAITS_FOR_RUN = DEVIATIONS["collision_test_waits_for_run"]
NOT_KEPT = DEVIATIONS["copy_not_kept"]
FLASH_TOO_EARLY = DEVIATIONS["flashed_before_all_drained"]


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
