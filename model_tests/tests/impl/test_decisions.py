"""The decisions about one track: confirmed over all paths, the same as the specification for every input, and able to fail.

A contract counts only where CrossHair says *confirmed over all paths*; its command exits with 0 for less. Every fault in a
decision is found twice, by a contract and by the comparison, which know nothing of each other.
"""

from __future__ import annotations

import re
import sys
from collections import Counter

import pytest

from mirrorspec.model_tests.contracts import confirm, steps
from mirrorspec.model_tests.contracts.confirm import BY_NAME, CONTRACTS, Answer, Found, answer, asked
from mirrorspec.model_tests.contracts.faults import FAULTS, OF_THREE_ROWS, Fault
from mirrorspec.model_tests.contracts.rows import CASES, agreed, compare, confirmed, row
from mirrorspec.spec.errors import MissingToolError
from mirrorspec.spec.verdict import Verdict

BROKEN = [(fault, contract) for fault in FAULTS for contract in fault.breaks]


def named(value: object) -> str | None:
    """A fault's name in the test's own."""
    return value.name.replace(" ", "_") if isinstance(value, Fault) else None


# Confirmed over all paths


def test_every_contract_is_confirmed_over_all_paths() -> None:
    found = list(confirmed())
    assert [(r.subject, r.got) for r in found] == [(decision, Found.CONFIRMED) for decision in CONTRACTS]
    assert all(r.got == r.expected for r in found)


@pytest.mark.nightly
def test_three_rows_settle_at_one_number() -> None:
    assert answer("three_rows_settle_at_one_number").found is Found.CONFIRMED
    with OF_THREE_ROWS.made():
        assert answer("three_rows_settle_at_one_number").found is Found.VIOLATED


@pytest.mark.parametrize(("fault", "contract"), BROKEN, ids=named)
def test_a_wrong_decision_breaks_its_contract(fault: Fault, contract: str) -> None:
    with fault.made():
        found = answer(contract)
    assert found.found is Found.VIOLATED
    assert "when calling" in found.words, "the input is given"


def test_every_contract_is_broken_by_a_fault() -> None:
    assert {contract for fault in (*FAULTS, OF_THREE_ROWS) for contract in fault.breaks} == BY_NAME.keys()
    assert len(BY_NAME) == sum(map(len, CONTRACTS.values())) + 1, "no two contracts have one name"


def test_no_contract_presupposes_what_was_decided() -> None:
    for contract in BY_NAME.values():
        premises = re.findall(r"^ *pre: (.*)$", contract.__doc__ or "", re.MULTILINE)
        assert not any("deci" in premise for premise in premises), contract.__name__


def test_every_decision_has_contracts_and_is_compared() -> None:
    assert CONTRACTS.keys() == CASES.keys() == {fault.decision for fault in FAULTS}
    assert all(CONTRACTS.values())


# Anything less than confirmed is not taken for it


def false_of_one_input_in_many(number: int) -> bool:
    """Broken far from zero.

    post: _
    """
    return number != 1_234_567


def true_of_nothing(a: bool) -> bool:
    """Its premise cannot be met.

    pre: a and not a
    post: _
    """
    return a


def without_end(text: str) -> bool:
    """True, with a path for every length.

    post: _
    """
    return text.count("a") <= len(text)


def without_a_claim(a: bool) -> bool:
    """It claims nothing."""
    return a


def ending_in_an_error(a: bool) -> bool:
    """It raises for one input.

    post: _
    """
    return {False: True}[a]


@pytest.mark.parametrize(
    ("contract", "found"),
    [
        (false_of_one_input_in_many, Found.VIOLATED),
        (ending_in_an_error, Found.VIOLATED),
        (true_of_nothing, Found.INCONCLUSIVE),
        (without_end, Found.INCONCLUSIVE),
        (without_a_claim, Found.INCONCLUSIVE),
    ],
)
def test_only_confirmed_is_confirmed(contract: confirm.ContractFunction, found: Found) -> None:
    got = asked(contract, seconds=1)
    assert got.found is found
    assert got.words, "the reason is given"


@pytest.mark.parametrize("found", [Found.VIOLATED, Found.INCONCLUSIVE])
def test_one_contract_that_is_not_confirmed_makes_its_row_wrong(found: Found) -> None:
    good, bad = Answer("a", Found.CONFIRMED, "yes", 1.0), Answer("b", found, "why", 1.0)
    assert row("merge", [good, good]).got == Found.CONFIRMED
    wrong = row("merge", [good, bad])
    assert wrong.got == f"b: {found}, why" != wrong.expected
    assert row("merge", []).got != Found.CONFIRMED, "no contract shows nothing"


def test_without_crosshair_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crosshair.core_and_libs", None)
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # in this process, then
    with pytest.raises(MissingToolError, match="crosshair-tool"):
        list(confirmed())


# The same as the specification, for every input


def test_every_decision_is_the_specifications_for_every_input() -> None:
    found = list(agreed())
    assert [(r.subject, r.got) for r in found] == [(decision, Verdict.EXHAUSTED) for decision in CASES]


@pytest.mark.parametrize("fault", FAULTS, ids=named)
def test_a_wrong_decision_differs_from_the_specification(fault: Fault) -> None:
    with fault.made():
        _, case = compare(fault.decision)
    assert case is not None
    assert case.differs


@pytest.fixture(scope="module")
def met() -> dict[str, Counter[tuple[str, str]]]:
    """For each decision about a track the steps compared, with what refused them, over all safe variants."""
    return {
        decision: Counter(
            (case.event.split("(")[0], case.specified.get("refused", ""))
            for options in steps.safe_variants()
            for case in cases(options)
        )
        for decision, cases in steps.CASES.items()
    }


def test_every_input_means_every_input(met: dict[str, Counter[tuple[str, str]]]) -> None:
    counted = {decision: of_step.total() for decision, of_step in met.items()}
    variants = 9  # two holds, three policies, two switches, less the holds in cache with a switch before start
    assert len(steps.safe_variants()) == variants
    writes = 3 * 2**5 * 2**3  # modes, facts, and what the decision is not told
    assert counted["host write"] == variants * writes * 2, "each is applied and then acknowledged, or not"
    assert counted["transfer"] == counted["acknowledgement"] == variants * 2**6
    assert counted["merge"] == variants * (4 * 2**5 + 2**3)


def test_the_comparison_meets_every_refusal_and_every_step(met: dict[str, Counter[tuple[str, str]]]) -> None:
    assert {each for of_step in met.values() for each in of_step} == {
        *(("apply_write", refused) for refused in ("", "enters", "synchronised")),
        *(("acknowledge_write", refused) for refused in ("", "applied", "released")),
        *(("send_track", refused) for refused in ("", "out_of_sync", "idle")),
        *(("acknowledge_track", refused) for refused in ("", "in_flight")),
        *(("deliver_track", refused) for refused in ("", "once")),
        ("deliver_lingering", "in_sequence"),
        *((event.split("(")[0], "") for event in steps.LEAVES),
    }


def test_every_way_to_leave_an_increment_merges() -> None:
    leaving = {
        step.name
        for options in steps.safe_variants()
        for step in steps.reading_of(options).model.steps
        if {"left", "change_recording"} <= step.changes.keys()
    }
    restarts = {"restart_primary"}  # leaves only in the variant whose preserved images are volatile
    assert leaving | restarts == {event.split("(")[0] for event in steps.LEAVES}
