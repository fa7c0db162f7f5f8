"""PROGRESS: from every reachable state an increment can still be committed."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.progress import stuck
from mirrorspec.spec.configuration import HARDENED, SEED, Configuration
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.universe import Universe

ONE_TRACK = (((1,),),)
TWO_UNITS = (((1,),), ((0,),))


@pytest.mark.parametrize(
    ("options", "environment", "layout", "goal"),
    [
        (HARDENED, "standard", ONE_TRACK, "all_committed"),
        (HARDENED, "takeover", ONE_TRACK, "all_committed"),
        (HARDENED, "crashes", ONE_TRACK, "all_committed"),
        (HARDENED, "reliable", TWO_UNITS, "all_committed"),
        (SEED, "reliable", ONE_TRACK, "all_committed"),
    ],
)
def test_commit_stays_reachable(options: Configuration, environment: str, layout: object, goal: str) -> None:
    world = ENVIRONMENTS[environment]
    universe = Universe.of(layout, world.sessions)  # type: ignore[arg-type]
    result = stuck(build(options, world, kinds=(Kind.SAFETY,)), universe, goal)
    assert result.stuck is None
    assert result.goals > 0


def test_the_seed_is_stuck_after_a_timeout() -> None:
    """[0041] "error processing may occur": the seed says no more, and a session that waits on waits for ever."""
    world = ENVIRONMENTS["timer"]
    result = stuck(build(SEED, world, kinds=(Kind.SAFETY,)), Universe.of(ONE_TRACK), "all_committed")
    assert result.stuck is not None
    assert result.stuck[-1].startswith("increment_timeout")


def test_a_session_whose_flashes_cannot_be_withdrawn_gets_stuck() -> None:
    broken = Deviation("no_withdraw", "no flash is ever withdrawn", "links", "1u1t2w", without=("withdraw",))
    result = stuck(broken.model(), Universe.of(ONE_TRACK), "all_committed")
    assert result.stuck is not None
    assert result.stuck[-1].startswith("abandon")
