"""The two formulas [0039, 0041, 0049]: no run of the steps with durations holds longer, or recovers an older image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirrorspec.model_tests.timed import Measured, run
from mirrorspec.proofs.timing import Durations, hold_seconds, longest_hold_seconds, recovery_point_seconds
from mirrorspec.spec.configuration import HARDENED, Collision, Hold
from mirrorspec.spec.environment import ENVIRONMENTS, Environment
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.universe import Universe

UNIVERSE = Universe.of((((2, 1),), ((1,), (1,))))
USUAL = Durations(
    message_seconds=0.01,
    run_timer_seconds=5.0,
    drain_seconds=2.0,
    flash_seconds=0.5,
    commit_seconds=0.2,
    interval_seconds=3.0,
)
SETTINGS = {
    "usual": USUAL,
    "slow network": replace(USUAL, message_seconds=1.0),
    "nothing but messages": Durations(1.0, 10.0, 0.0, 0.0, 0.0),
    "nothing but the drain": Durations(0.0, 10.0, 7.0, 0.0, 0.0),
    "slow flash": replace(USUAL, flash_seconds=30.0, commit_seconds=20.0, interval_seconds=0.0),
}
RELIABLE = build(HARDENED, ENVIRONMENTS["reliable"], kinds=())


def over(found: Measured, durations: Durations) -> tuple[float, float]:
    """By how much the longest hold and the oldest image exceed the formulas; at most nothing is as it should be."""
    holds = [ended - joined - hold_seconds(joined, last, durations) for joined, last, ended in found.holds]
    return max(holds), max(found.ages) - recovery_point_seconds(durations)


@pytest.mark.parametrize("name", SETTINGS)
def test_no_run_exceeds_the_formulas(name: str) -> None:
    durations = SETTINGS[name]
    for seed in range(6):
        found = run(RELIABLE, UNIVERSE, durations, increments=5, seed=seed)
        assert len(found.ages) == 4
        assert len(found.holds) == 10
        assert max(over(found, durations)) <= 1e-9


@pytest.mark.parametrize("options", [{"collision": Collision.SEND_FIRST}, {"hold": Hold.IN_CACHE}], ids=str)
def test_other_choices_keep_to_them_too(options: dict[str, Collision | Hold]) -> None:
    model = build(HARDENED.with_options(**options), ENVIRONMENTS["reliable"], kinds=())
    for seed in range(3):
        assert max(over(run(model, UNIVERSE, USUAL, increments=4, seed=seed), USUAL)) <= 1e-9


def test_the_formulas_are_met_where_every_step_takes_its_longest() -> None:
    """They are no larger than they have to be: without a drain and with all delays at their longest both are reached."""
    durations = replace(USUAL, drain_seconds=0.0)
    found = run(RELIABLE, UNIVERSE, durations, increments=4, seed=0, worst=True)
    hold, age = over(found, durations)
    assert hold == pytest.approx(0.0)
    assert age == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("message_seconds", 100),
        ("flash_seconds", 100),
        ("commit_seconds", 100),
        ("drain_seconds", 10),
        ("interval_seconds", 100),
    ],
)
def test_a_formula_that_forgets_a_duration_is_noticed(name: str, times: int) -> None:
    """A run in which one thing takes longer than the formula is told exceeds it."""
    slow = replace(USUAL, **{name: times * getattr(USUAL, name)})
    exceeded = [max(over(run(RELIABLE, UNIVERSE, slow, increments=3, seed=s, worst=True), USUAL)) for s in range(4)]
    assert max(exceeded) > 1e-9


def only_the_run_timer() -> Model:
    """Nothing fails but that run comes too late."""
    world = Environment("run timer", frozenset({"run_timer"}), "a hold that only its timer ends")
    return build(HARDENED, world, kinds=())


def test_the_run_timer_ends_a_hold_that_run_does_not() -> None:
    """[0039] 430: however slow the messages are."""
    durations = replace(USUAL, message_seconds=100.0, run_timer_seconds=2.0)
    ended = 0
    for seed in range(10):
        found = run(only_the_run_timer(), UNIVERSE, durations, increments=1, seed=seed)
        ended += len(found.holds)
        assert all(end - joined <= durations.run_timer_seconds + 1e-9 for joined, _, end in found.holds)
    assert ended > 0
    assert longest_hold_seconds(durations) == durations.run_timer_seconds


def test_what_is_no_duration_is_refused() -> None:
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="flash_seconds"):
            replace(USUAL, flash_seconds=wrong)
    with pytest.raises(ValueError, match="before"):
        hold_seconds(2.0, 1.0, USUAL)
