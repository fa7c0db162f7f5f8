"""Terms: what a step may say, and what is refused while it is staged."""

from __future__ import annotations

import pytest

from mirrorspec.spec.simplify import assuming, conjunction, follows, included
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import FALSE, TRUE, Term, choose, empty, full, parameter

s = symbolic_state()
t = parameter("t", Sort.TRACK)


def test_a_truth_cannot_be_tested() -> None:
    with pytest.raises(TypeError, match="cannot be tested"):
        bool(t <= s.out_of_sync)


def test_a_term_is_not_made_by_its_class() -> None:
    with pytest.raises(TypeError, match="made by their operations"):
        Term("field")


def test_sets_of_different_sorts_do_not_mix() -> None:
    with pytest.raises(TypeError, match="do not mix"):
        _ = s.out_of_sync & s.pending
    with pytest.raises(TypeError, match="do not mix"):
        _ = t <= s.pending


def test_an_owner_must_exist() -> None:
    with pytest.raises(TypeError, match="has no"):
        t.owner(Sort.SESSION)
    with pytest.raises(TypeError, match="owns no"):
        t.owned(Sort.VOLUME)


def test_equal_terms_are_the_same_object() -> None:
    assert (s.out_of_sync & ~t) is (s.out_of_sync & ~t)


@pytest.mark.parametrize(
    ("term", "simpler"),
    [
        (s.out_of_sync & full(Sort.TRACK), s.out_of_sync),
        (s.out_of_sync | empty(Sort.TRACK), s.out_of_sync),
        (~~s.out_of_sync, s.out_of_sync),
        (s.out_of_sync & ~s.out_of_sync, empty(Sort.TRACK)),
        (choose(TRUE, s.out_of_sync, t), s.out_of_sync),
        (choose(t <= t, s.out_of_sync, t), s.out_of_sync),
        (empty(Sort.UNIT).tracks, empty(Sort.TRACK)),
        (full(Sort.UNIT).tracks, full(Sort.TRACK)),
        (empty(Sort.TRACK) <= s.out_of_sync, TRUE),
        (t <= empty(Sort.TRACK), FALSE),
        (FALSE | (t <= s.late), t <= s.late),
        ((t <= s.late) | TRUE, TRUE),
        (~~(t <= s.late), t <= s.late),
    ],
)
def test_constants_fold(term: Term, simpler: Term) -> None:
    assert term is simpler


def test_a_term_prints_as_set_algebra() -> None:
    assert repr(t <= s.out_of_sync & ~s.late) == "t <= (out_of_sync & ~late)"
    assert repr(s.joined.is_empty()) == "joined is empty"


def test_inclusion_is_seen_only_where_it_holds() -> None:
    assert included(s.late & s.in_flight, s.in_flight | t)
    assert not included(s.late | s.in_flight, s.in_flight)
    assert follows(t <= s.late | s.in_flight, t <= s.late)
    assert not follows(t <= s.late, t <= s.late | s.in_flight)


def test_a_guard_that_another_implies_is_left_out() -> None:
    commanded, current = t <= s.late | s.in_flight, t <= s.late
    assert conjunction({"commanded": commanded, "current": current}) == {"current": current}
    assert conjunction({"a": current, "b": current}) == {"b": current}


def test_a_contradiction_is_false() -> None:
    assert conjunction({"in": t <= s.late, "out": t.outside(s.late)}) == {"out": FALSE} or conjunction(
        {"in": t <= s.late, "out": t.outside(s.late)}
    ) == {"in": FALSE}


def test_what_a_guard_says_is_known_in_the_changes() -> None:
    change = choose(t <= s.late, s.delivered, s.in_flight)
    assert assuming(change, (t.outside(s.late),)) is s.in_flight
    assert assuming(change, (t <= s.late,)) is s.delivered
