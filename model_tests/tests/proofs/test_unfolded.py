"""Abstractions (d), (e) and (j): the forms that leave less out agree with the specification, and the checks can fail."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.search import search
from mirrorspec.proofs.unfolded import halves, records, transfers
from mirrorspec.proofs.unfolded.larger import extra
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.environment import ENVIRONMENTS, Environment
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import empty
from mirrorspec.spec.verdict import Verdict

RIVALS = ENVIRONMENTS["rivals"]
BAD_LINK = Environment("bad link", frozenset({"loss", "run_timer", "increment_timer"}), "transfers are given up")
COMING_AND_GOING = Environment("coming and going", frozenset({"membership"}), "and nothing else fails")


def model(environment: Environment) -> Model:
    return build(HARDENED, environment, kinds=(Kind.SAFETY,), emptied=False)


@pytest.mark.parametrize(("bounds", "most"), [("1u1t2w", 20_000), ("2u2t2w", 20_000)])
def test_d_a_unit_may_answer_with_one_half_after_the_other(bounds: str, most: int) -> None:
    found = halves.compare(model(RIVALS), BOUNDS[bounds].universe(RIVALS), most=most)
    assert found.strange is None
    assert found.states >= most
    assert found.between > 1000, "states in which only the primary has heard the query"


def test_d_the_secondary_may_not_answer_before_the_primary() -> None:
    found = halves.compare(model(RIVALS), BOUNDS["1u1t2w"].universe(RIVALS), primary_first=False, most=20_000)
    assert found.strange == ("take_over(S1)", "answer(S1-U0)", "start_increment(S0-U0)")


@pytest.mark.parametrize("bounds", ["1u1t2w", pytest.param("1u2t2w", marks=pytest.mark.nightly)])
def test_e_a_copy_that_is_hardened_late_leads_nowhere_new(bounds: str) -> None:
    found = transfers.compare(transfers.Transfers(model(BAD_LINK), BOUNDS[bounds].universe(BAD_LINK), 2))
    assert found.strange is None
    assert found.late_arrivals > 1000


def test_e_a_copy_older_than_what_is_hardened_must_be_refused() -> None:
    universe = BOUNDS["1u1t2w"].universe(BAD_LINK)
    found = transfers.compare(transfers.Transfers(model(BAD_LINK), universe, 2, in_sequence=False))
    assert found.strange is not None
    assert found.strange[-1] == "late arrival of transfer 1 of T0"


def test_j_recovery_may_read_a_record_of_its_own() -> None:
    universe = BOUNDS["1u1t2w"].universe(COMING_AND_GOING)
    found = search(records.in_records(model(COMING_AND_GOING)), universe, engine="batch", symmetry=False)
    assert found.verdict is Verdict.EXHAUSTED
    assert all(found.fired.values()), "each step of the larger form happens"


@pytest.mark.nightly
def test_j_and_with_two_units() -> None:
    universe = BOUNDS["2u2t2w"].universe(COMING_AND_GOING)
    found = search(
        records.in_records(model(COMING_AND_GOING)), universe, engine="batch", symmetry=False, max_states=10**7
    )
    assert found.verdict in (Verdict.EXHAUSTED, Verdict.INCONCLUSIVE), found.labels


def test_j_the_records_must_agree_before_start_increment_is_sent() -> None:
    universe = BOUNDS["2u2t2w"].universe(COMING_AND_GOING)
    wrong = records.in_records(model(COMING_AND_GOING), agreed=False)
    found = search(wrong, universe, engine="batch", symmetry=False, max_states=10**7)
    assert found.verdict is Verdict.VIOLATED
    assert any(label.startswith("send_start") for label in found.labels)


def test_a_further_field_may_not_have_the_name_of_one_that_is_there() -> None:
    with pytest.raises(KeyError, match="members"):
        extra("members", empty(Sort.UNIT))
