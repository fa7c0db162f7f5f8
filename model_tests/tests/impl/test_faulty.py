"""Every faulty controller is caught, and the right one is not: without these, a simulation that passes would show nothing."""

from __future__ import annotations

import pytest

from mirrorspec.model_tests.faulty import FAULTY
from mirrorspec.model_tests.faulty.catching import CATCHERS, SEEDS, catch, row
from mirrorspec.model_tests.faulty.controller import BASE, WORLDS
from mirrorspec.model_tests.faulty.table import line, stored
from mirrorspec.model_tests.simulation.scenario import draw
from mirrorspec.model_tests.simulation.world import World
from mirrorspec.spec.deviations import DEVIATIONS

REPEAT = "run python -m mirrorspec.model_tests.faulty.table"


def test_there_are_more_than_enough_of_them() -> None:
    assert len(FAULTY) >= 50
    named = FAULTY.keys() & DEVIATIONS.keys()
    assert len(named) >= 35
    assert not [name for name in named if DEVIATIONS[name].harmless]


def test_each_says_what_is_wrong_and_which_paragraph_it_breaks() -> None:
    for fault in FAULTY.values():
        assert fault.words
        assert fault.cites.startswith("[00"), fault.name
        assert fault.scenario.faults == WORLDS[fault.faults]
    assert len({fault.words for fault in FAULTY.values()}) == len(FAULTY)


def test_the_stored_table_is_about_these() -> None:
    assert stored().keys() == FAULTY.keys(), REPEAT


@pytest.mark.parametrize("name", FAULTY)
def test_it_is_caught_with_the_specification_beside_it(name: str) -> None:
    fault, (refined, _) = FAULTY[name], stored()[name]
    assert refined.by in CATCHERS, f"{name} is not caught"
    assert refined.seed < SEEDS[True]
    again = catch(fault, fault.scenario, True, range(refined.seed, refined.seed + 1))
    assert (again.by, again.steps) == (refined.by, refined.steps), f"{again.says}; {REPEAT}"


@pytest.mark.parametrize("name", [name for name, (_, images) in stored().items() if images.by])
def test_it_is_caught_by_its_images_alone(name: str) -> None:
    fault, (_, images) = FAULTY[name], stored()[name]
    again = catch(fault, fault.scenario, False, range(images.seed, images.seed + 1))
    assert again.by == images.by, f"{again.says}; {REPEAT}"


def test_many_lose_an_image_that_a_host_was_promised() -> None:
    assert sum(images.by == "image" for _, images in stored().values()) >= 25


def test_the_right_controller_is_not_caught_in_the_same_runs() -> None:
    tried = {(FAULTY[name].scenario, refined.seed) for name, (refined, _) in stored().items()}
    assert len(tried) >= 15
    for scenario, seed in tried:
        assert catch(None, scenario, True, range(seed, seed + 1)).by == "", f"seed {seed} of {scenario}"


def test_a_fault_is_gone_when_it_is_left() -> None:
    with FAULTY["never_marked"].made():
        assert catch(None, BASE, True, range(1)).by == "refinement"
    assert catch(None, BASE, True, range(1)).by == ""


def test_without_the_refinement_nothing_of_the_specification_is_run() -> None:
    world = World(BASE, draw(BASE, 0), refined=False)
    world.run()
    assert world.refinement.steps == []
    assert world.counts["flash"] > 0


def test_a_fault_that_is_not_caught_is_said_to_be_so() -> None:
    found = catch(None, BASE, True, range(1))
    assert found.by == ""
    assert "not caught" in line(found, found)


@pytest.mark.nightly
@pytest.mark.parametrize("name", FAULTY)
def test_the_stored_table_is_what_is_found_anew(name: str) -> None:
    refined, images = row(name)
    then = stored()[name]
    assert (refined.by, refined.seed, refined.steps) == (then[0].by, then[0].seed, then[0].steps), REPEAT
    assert (images.by, images.seed) == (then[1].by, then[1].seed), REPEAT
