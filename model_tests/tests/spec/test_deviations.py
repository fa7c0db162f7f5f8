"""Deviations: each fault is caught, by a trace of pinned length, and stopped where nothing is wrong."""

from __future__ import annotations

import pytest

from mirrorspec.model_tests import catalogue
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.deviations import DEVIATIONS, deviation
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.variants import combinations, fault
from mirrorspec.spec.verdict import Verdict

CASES = catalogue.cases()
HARMFUL = [name for name, case in CASES.items() if not case.harmless]
SMALL = ("1u1t2w", "1u2t3w")

KEPT_BY_EFFECT = {
    "collision_overwrites",
    "collision_forgets_in_flight",
    "collision_test_waits_for_run",
    "copy_not_kept",
    "preserved_dropped_early",
    "restart_without_preserved",
    "recovery_from_newest",
}
"""What goes wrong here is an effect and not a guard: the right protocol takes the same events and keeps the property."""


@pytest.mark.parametrize("name", HARMFUL)
def test_the_stored_trace_breaks_its_property(name: str) -> None:
    found = catalogue.counterexample(CASES[name])
    assert found.property == catalogue.stored()[name]["property"]
    assert len(found.labels) == catalogue.stored()[name]["length"]


@pytest.mark.parametrize("name", [n for n in HARMFUL if CASES[n].setting.deviation])
def test_the_right_protocol_stops_it(name: str) -> None:
    stopped = catalogue.refusal(CASES[name])
    assert stopped, "the right protocol breaks the property too"
    assert (stopped == "the same events keep the property") is (name in KEPT_BY_EFFECT)


@pytest.mark.parametrize("name", [n for n in HARMFUL if CASES[n].bounds in SMALL])
def test_a_small_case_is_found_anew_with_the_same_length(name: str) -> None:
    outcome = catalogue.searched(CASES[name])
    assert outcome.verdict is Verdict.VIOLATED
    assert len(outcome.labels) == catalogue.stored()[name]["length"]


@pytest.mark.nightly
@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.bounds not in SMALL or c.harmless])
def test_a_larger_case_is_found_anew(name: str) -> None:
    outcome = catalogue.searched(CASES[name])
    assert outcome.verdict is (Verdict.EXHAUSTED if CASES[name].harmless else Verdict.VIOLATED)


def test_every_case_that_is_not_harmless_is_stored_and_nothing_else() -> None:
    assert list(catalogue.stored()) == HARMFUL


def test_unsafe_variants_are_stored_and_safe_ones_are_not() -> None:
    assert {n for n in HARMFUL if CASES[n].kind == "variant"} == {n for n, c in combinations().items() if fault(c)}


def test_an_unknown_deviation_lists_the_near_ones() -> None:
    with pytest.raises(BadInputError, match="run_before_all_joined"):
        deviation("run_before_joined")


def test_a_deviation_that_names_no_guard_is_refused() -> None:
    wrong = Deviation("wrong", "nothing", "reliable", "1u1t2w", drops=("run.no_such_guard",))
    with pytest.raises(KeyError, match="no_such_guard"):
        wrong.alter(HARDENED, ENVIRONMENTS["reliable"])


def test_every_deviation_changes_the_model() -> None:
    for d in DEVIATIONS.values():
        nothing = Deviation("", "", d.environment, d.bounds, configuration=d.right)
        right, wrong = nothing.model(complete=True), d.model(complete=True)
        assert (right.steps, right.properties) != (wrong.steps, wrong.properties), d.name
