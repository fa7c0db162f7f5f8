"""The controller in lockstep with the specification, every step chosen by somebody else [0035-0048].

Hypothesis chooses in the profile's way (`conftest`): quick and ci the same steps on every run, nightly others under a seed that
it prints. What was reached has floors: a machine that never flashes would show nothing about flashes.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from mirrorspec.impl.core.options import Drained, Processes
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.faulty import FAULTY
from mirrorspec.model_tests.lockstep.choosing import CONFIGURATIONS, ENABLED, MOST, WEIGHTS, kinds, scenario, step
from mirrorspec.model_tests.lockstep.machine import Lockstep, shortest
from mirrorspec.model_tests.lockstep.reached import Reached
from mirrorspec.model_tests.lockstep.shortening import replay, shorten
from mirrorspec.model_tests.lockstep.system import System
from mirrorspec.model_tests.lockstep.walking import every_scenario, walk
from mirrorspec.model_tests.simulation.refinement import NotRefinedError
from mirrorspec.model_tests.simulation.scenario import Scenario
from mirrorspec.spec import variants
from mirrorspec.spec.configuration import Collision, Hold, Restart, Switch

PLAIN = scenario(CONFIGURATIONS[0], Drained.NOTIFY, Processes.ONE, Placement.NVS, Method.COPY)

# How long an example takes is no fault of the code.
HYPOTHESIS = settings(settings(), stateful_step_count=150, suppress_health_check=[HealthCheck.too_slow])

FLOORS = {
    "issue_write": 200, "apply_write": 200, "acknowledge_write": 200, "send_track": 200, "deliver_track": 200,
    "acknowledge_track": 200, "start_increment": 40, "all_joined": 20, "run": 30, "report_drained": 10, "all_drained": 2,
    "flash": 10, "all_flashed": 2, "commit": 5, "increment_complete": 4, "abort": 10, "withdraw": 30, "take_over": 10,
    "answer": 20, "take_abort": 10,
}  # fmt: skip
"""Each step of the specification is taken so often at least, by Hypothesis in the smallest profile."""
RARE = ("lose_track", "run_timeout", "increment_timeout", "abandon", "all_committed", "all_aborted", "take_commit")
"""Steps that only long walks reach for certain."""


class Fresh(Lockstep):
    """The machine with a count of its own."""


def tried(machine: type[Lockstep], how: settings) -> Reached:
    """Run the machine; what it reached."""
    machine.reached = Reached()
    run_state_machine_as_test(machine, settings=how)
    return machine.reached


def test_every_step_that_hypothesis_chooses_is_one_of_the_specification() -> None:
    reached = tried(Fresh, HYPOTHESIS)
    report = "\n".join(reached.lines())
    assert reached.runs >= 50, report
    missed = {name: reached.steps[name] for name, floor in FLOORS.items() if reached.steps[name] < floor}
    assert missed == {}, report
    assert all(reached.kinds[kind] >= 5 for kind in WEIGHTS), report
    for choice in (
        *Hold,
        *Collision,
        Switch.AFTER,
        Switch.BEFORE_START,
        *Restart,
        *Drained,
        *Processes,
        *Placement,
        *Method,
    ):
        assert reached.options[str(choice)] >= 5, report
    assert reached.happened["crash"] >= 10, report
    assert reached.happened["crash at a persist point"] >= 3, report


FOUND = [("hold_ignored", 6), ("drained_with_bits_set", 16), ("never_marked", 14)]


@pytest.mark.parametrize(("name", "most"), FOUND)
def test_hypothesis_finds_a_faulty_controller_and_its_steps_are_made_few(name: str, most: int) -> None:
    how = settings(HYPOTHESIS, max_examples=200, phases=[Phase.generate], report_multiple_bugs=False, database=None)
    with FAULTY[name].made():
        with pytest.raises(NotRefinedError) as caught:
            tried(Fresh, how)
        assert Fresh.last is not None
        labels = shorten(Fresh.last.scenario, shortest(caught.value))
    assert 0 < len(labels) <= most, labels


@pytest.mark.nightly
def test_hypothesis_shrinks_by_itself() -> None:
    how = settings(HYPOTHESIS, stateful_step_count=60, max_examples=1000, report_multiple_bugs=False, database=None)
    with FAULTY["hold_ignored"].made(), pytest.raises(NotRefinedError) as caught:
        tried(Fresh, how)
    assert 0 < len(shortest(caught.value)) <= 24


def test_every_safe_configuration_is_walked_through_in_lockstep() -> None:
    reached = Reached()
    scenarios = list(every_scenario())
    for place, one in enumerate(scenarios):
        walk(one, f"every/{place}", reached, steps=100)
    safe = [options for options in variants.combinations().values() if not variants.fault(options)]
    assert len(CONFIGURATIONS) == 2 * len(safe)
    assert reached.runs == len(scenarios) == 16 * len(CONFIGURATIONS)


def test_long_walks_reach_every_step_again_and_again() -> None:
    reached = Reached()
    for place, options in enumerate(CONFIGURATIONS):
        random = Random(place)
        drained, processes = random.choice(list(Drained)), random.choice(list(Processes))
        placement, method = random.choice(list(Placement)), random.choice(list(Method))
        one = scenario(options, drained, processes, placement, method)
        walk(one, f"long/{place}", reached, steps=800)
    report = "\n".join(reached.lines())
    assert {name: reached.steps[name] for name in (*FLOORS, *RARE) if not reached.steps[name]} == {}, report
    assert reached.increments >= 3, report


def test_a_walk_is_the_same_again_under_the_same_seed() -> None:
    first, second = Reached(), Reached()
    walk(PLAIN, "same", first)
    walk(PLAIN, "same", second)
    assert first == second
    walk(PLAIN, "other", second)
    assert first.steps != second.steps


def failing(name: str, one: Scenario) -> list[str]:
    """The labels of a random walk in which the faulty controller is caught."""
    for seed in range(50):
        random, labels = Random(seed), list[str]()
        system, used = System(one), Counter[str]()
        try:
            for _ in range(300):
                step(system, used, random.choice, labels)
        except NotRefinedError:
            return labels
    raise AssertionError(f"{name} is not caught")


@pytest.mark.parametrize("name", ["never_marked", "restart_clears_bitmap", "hold_ignored"])
def test_a_failing_walk_is_shortened_until_nothing_can_be_left_out(name: str) -> None:
    one = scenario(FAULTY[name].scenario.configuration, Drained.NOTIFY, Processes.ONE, Placement.NVS, Method.COPY)
    with FAULTY[name].made():
        best = shorten(one, failing(name, one))
        assert len(best) <= 12
        assert isinstance(replay(one, best)[1], NotRefinedError)
        for place in range(len(best)):
            assert replay(one, best[:place] + best[place + 1 :])[1] is None
    assert replay(one, best)[1] is None, "the right controller does not fail"
    with pytest.raises(ValueError):
        shorten(one, best)


def test_no_crash_is_chosen_where_a_forgotten_write_would_be_waited_for() -> None:
    for options in CONFIGURATIONS:
        system = System(scenario(options, Drained.QUERY, Processes.ONE, Placement.NVS, Method.REDIRECT))
        crashes = bool(list(ENABLED["crash"](system))) and bool(list(ENABLED["arm"](system)))
        assert crashes == (options.switch is not Switch.BEFORE_START)


def test_something_is_enabled_when_every_party_is_down() -> None:
    system = System(PLAIN)
    for party in system.parties:
        system.crash(party)
    assert "restart" in kinds(system, Counter(MOST))
    before = len(list(ENABLED["restart"](system)))
    dict(ENABLED["restart"](system))["restart primary:0"]()
    assert len(list(ENABLED["restart"](system))) == before - 1 == len(system.parties) - 1
