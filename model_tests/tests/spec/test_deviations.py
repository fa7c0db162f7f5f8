"""Deviations: each fault is caught, by a trace of pinned length, and stopped where nothing is wrong."""

from __future__ import annotations

import pytest

from mirrorspec.model_tests import catalogue
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.deviations import DEVIATIONS, deviation
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.variants import combinations, fault
from mirrorspec.spec.verdict import Verdict

CASES = catalogue.cases()
HARMFUL = [name for name, case in CASES.items() if not case.harmless]
SMALL = ("1u1t2w", "1u2t3w")

KEPT_BY_EFFECT = {
    "collision_overwrites",
    "collision_forgets_in_flight",
    "collision_test_waits_for_run",
    "copied_after_written",
    "copy_not_kept",
    "preserved_dropped_early",
    "restart_without_preserved",
    "recovery_from_newest",
    "overwritten_before_copied",
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


FAULT_BY_STEP = {
    name: {part.split(".")[0] for part in (*d.drops, *d.forgets) if part[0] != "*"} | {step.name for step in d.puts}
    for name, d in DEVIATIONS.items()
    if not d.harmless and (d.forgets or d.puts or any(part[0] != "*" for part in d.drops))
}


@pytest.mark.parametrize("name", FAULT_BY_STEP)
def test_what_is_wrong_happens_in_the_stored_trace(name: str) -> None:
    taken = {label.split("(")[0] for label in catalogue.counterexample(CASES[name]).labels}
    assert taken & FAULT_BY_STEP[name], "the property is broken without the fault"


@pytest.mark.parametrize("name", [n for n in HARMFUL if n.startswith(("restart_", "reconnection_"))])
def test_a_restart_that_forgets_is_caught_by_a_restart(name: str) -> None:
    names = [label.split("(")[0] for label in catalogue.counterexample(CASES[name]).labels]
    assert {step.name for step in DEVIATIONS[name].puts} & {"restart_primary", "restart_secondary"} & set(names)


def test_what_was_only_received_is_lost_in_the_crash_of_the_secondary() -> None:
    """Acknowledged before it is hardened, a transfer is lost between its acknowledgement and the flash."""
    names = [label.split("(")[0] for label in catalogue.counterexample(CASES["acknowledged_before_hardened"]).labels]
    order = ["receive_track", "acknowledge_track", "restart_secondary", "flash"]
    assert [name for name in names if name in {*order, "deliver_track", "harden_track"}] == order


def test_an_acknowledged_write_whose_mark_comes_in_time_does_no_harm() -> None:
    """What is wrong is the order: with the mark right after the acknowledgement the unit does not report drained."""
    case = CASES["acknowledged_before_marked"]
    reading = BitsReading(case.setting.model(), case.setting.universe)
    state, refused, label = reading.initial(), list[str](), ""
    for label in catalogue.counterexample(case).labels:
        refused = reading.refusals(reading.by_label[label], state)
        if refused:
            break
        state = reading.after(reading.by_label[label], state)
        if label == "acknowledge_write(W0)":
            state = reading.after(reading.by_label["mark_write(W0)"], state)
    assert (label, refused) == ("report_drained(U0)", ["synchronised"])


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
