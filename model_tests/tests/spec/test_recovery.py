"""The recovery decision table: row by row, against the algebra on reachable states, and against everything that is corrupted.

The table has two texts. `recovered` says in the algebra which image recovery yields; `decide` says what to do with the rows
that a site really holds. Here the rows are derived from reachable states, and the two must yield the same image.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.readings.bits import BitsReading, Valuation
from mirrorspec.spec.recovery import Action, Decision, Row, apply, committed_image, decide, recovered
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.steps import STEPS


def settled(volume: str, number: int) -> Row:
    """A relation that is final."""
    return Row(volume, False, number)


def flashed(volume: str, number: int, reverts_to: int | None = None) -> Row:
    """A relation that can be reverted, by default to the number before its own."""
    return Row(volume, True, number, number - 1 if reverts_to is None else reverts_to)


def asked(*rows: Row, ever_committed: bool = True, commit: bool = False) -> Decision:
    """The decision where the rows are those of all members."""
    return decide(rows, {r.volume for r in rows}, ever_committed=ever_committed, commit=commit)


# The table, row by row


def test_none_revertible_and_all_equal_is_nothing_to_do() -> None:
    found = asked(settled("A", 7), settled("B", 7))
    assert (found.action, found.number, found.volumes) == (Action.NOTHING, 7, ())


def test_a_flash_that_was_only_partly_issued_is_reverted() -> None:
    found = asked(flashed("A", 8), settled("B", 7), flashed("C", 8))
    assert (found.action, found.number, found.volumes) == (Action.REVERT, 7, ("A", "C"))


def test_all_flashed_and_none_committed_is_reverted_or_committed() -> None:
    rows = flashed("A", 8), flashed("B", 8)
    assert (asked(*rows).action, asked(*rows).number) == (Action.REVERT, 7)
    other = asked(*rows, commit=True)
    assert (other.action, other.number, other.volumes) == (Action.COMMIT, 8, ("A", "B"))


@pytest.mark.parametrize("commit", [False, True])
def test_some_committed_means_commit_the_rest(commit: bool) -> None:
    found = asked(settled("A", 8), flashed("B", 8), commit=commit)
    assert (found.action, found.number, found.volumes) == (Action.COMMIT, 8, ("B",))


def test_the_choice_to_commit_does_not_commit_what_is_only_partly_flashed() -> None:
    assert asked(flashed("A", 8), settled("B", 7), commit=True).action is Action.REVERT


@pytest.mark.parametrize(
    "rows",
    [
        (settled("A", 0), settled("B", 0)),
        (flashed("A", 1), settled("B", 0)),
        (flashed("A", 1), flashed("B", 1)),
    ],
)
def test_before_the_first_commit_there_is_no_image(rows: tuple[Row, ...]) -> None:
    for commit in (False, True):
        found = asked(*rows, ever_committed=False, commit=commit)
        assert (found.action, found.number) == (Action.NO_IMAGE, None)
    assert asked(*rows).action in (Action.NOTHING, Action.REVERT), "the initial copy counts where it is said to"


@pytest.mark.parametrize(
    ("rows", "action"),
    [
        ((settled("A", 1), flashed("B", 1)), Action.COMMIT),
        ((settled("A", 3), settled("B", 3)), Action.NOTHING),
        ((flashed("A", 2), flashed("B", 2)), Action.REVERT),
    ],
)
def test_a_commit_that_the_rows_show_needs_nobody_to_say_so(rows: tuple[Row, ...], action: Action) -> None:
    assert asked(*rows, ever_committed=False).action is action


def test_a_volume_that_joined_later_is_committed_with_the_rest() -> None:
    found = asked(settled("A", 8), flashed("B", 8), flashed("new", 8, reverts_to=0))
    assert (found.action, found.number) == (Action.COMMIT, 8)


def test_no_volume_at_all_is_no_image() -> None:
    found = decide([], [])
    assert (found.action, found.reason) == (Action.NO_IMAGE, "no volume belongs to the session")


# What is corrupted is refused, and the rows that disagree are named


@pytest.mark.parametrize(
    ("rows", "disagree"),
    [
        ((settled("A", 7), settled("B", 8)), "AB"),
        ((flashed("A", 7), flashed("B", 8)), "AB"),
        ((flashed("A", 9), settled("B", 7)), "AB"),
        ((flashed("A", 7), settled("B", 8)), "AB"),
        ((flashed("A", 8), settled("B", 7), settled("C", 6)), "BC"),
        ((flashed("A", 8), flashed("B", 9), settled("C", 7)), "AB"),
        ((flashed("A", 8, reverts_to=6), settled("B", 7)), "A"),
        ((flashed("A", 8, reverts_to=5), flashed("B", 8)), "A"),
        ((flashed("A", 8, reverts_to=8), flashed("B", 8)), "A"),
        ((Row("A", True, 8), flashed("B", 8)), "A"),
        ((Row("A", True, 8), settled("B", 8)), "A"),
        ((Row("A", False, 8, 7), settled("B", 8)), "A"),
        ((settled("A", -1), settled("B", -1)), "AB"),
    ],
    ids=str,
)
def test_anything_else_is_refused(rows: tuple[Row, ...], disagree: str) -> None:
    found = asked(*rows)
    assert (found.action, found.number) == (Action.REFUSE, None)
    assert found.volumes == tuple(disagree)
    assert found.reason.startswith("the mechanism is corrupted: ")
    assert apply(rows, found) == list(rows), "a refusal changes nothing"


@pytest.mark.parametrize(
    ("rows", "members", "disagree"),
    [
        ([settled("A", 7)], ["A", "B"], ("B",)),
        ([settled("A", 7), settled("C", 7)], ["A"], ("C",)),
        ([settled("A", 7), settled("A", 7)], ["A"], ("A",)),
        ([], ["A"], ("A",)),
    ],
)
def test_a_missing_relation_is_a_finding(rows: list[Row], members: list[str], disagree: tuple[str, ...]) -> None:
    for ever_committed in (False, True):
        found = decide(rows, members, ever_committed=ever_committed)
        assert (found.action, found.volumes) == (Action.REFUSE, disagree)


# Every table of a few rows


def small_tables() -> Iterator[tuple[Row, ...]]:
    """Every table of one to three relations with numbers up to 3."""
    rows = [Row("", False, n) for n in range(4)]
    rows += [Row("", True, n, back) for n in range(4) for back in (None, *range(4))]
    for size in (1, 2, 3):
        for chosen in product(rows, repeat=size):
            yield tuple(replace(r, volume="ABC"[i]) for i, r in enumerate(chosen))


@pytest.mark.parametrize("commit", [False, True])
def test_every_action_ends_in_one_number_and_is_idempotent(commit: bool) -> None:
    met = Counter[Action]()
    for rows in small_tables():
        found = asked(*rows, commit=commit)
        met[found.action] += 1
        if found.number is None:
            continue
        after = apply(rows, found)
        assert {(r.revertible, r.number) for r in after} == {(False, found.number)}, rows
        again = asked(*after, commit=commit)
        assert (again.action, again.number) == (Action.NOTHING, found.number)
        committed = [r.number for r in rows if not r.revertible]
        assert found.number >= max(committed, default=0), "never older than what is committed"
    assert met.keys() == {Action.NOTHING, Action.REVERT, Action.COMMIT, Action.REFUSE}


@pytest.mark.parametrize("commit", [False, True])
def test_an_action_that_was_interrupted_is_finished_the_same_way(commit: bool) -> None:
    for rows in small_tables():
        found = asked(*rows, commit=commit)
        for done in found.volumes if found.number is not None else ():
            half = apply(rows, replace(found, volumes=(done,)))
            again = asked(*half, commit=commit)
            assert again.number == found.number, (rows, half)
            assert again.action in (found.action, Action.NOTHING)


# Against the algebra, on reachable states


@cache
def reading() -> BitsReading:
    """The hardened protocol with takeovers, every field present."""
    environment = ENVIRONMENTS["takeover"]
    model = build(HARDENED, environment, complete=True)
    return BitsReading(model, BOUNDS["2u2t2w"].universe(environment))


RARE = {name for name, step in STEPS.items() if step.fault is not None} | {"abandon"}
"""Taken now and then: a walk in which everything fails all the time gets nowhere."""


def walk(seed: int, length: int = 120) -> Iterator[tuple[Valuation, int]]:
    """The states of a random walk, each with the number of the increment under way: one more than were committed."""
    draw = random.Random(seed)
    state: Valuation = reading().initial()
    number = 1
    yield state, number
    for _ in range(length):
        events = draw.sample(reading().events, len(reading().events))
        events.sort(key=lambda event: event.step.name in RARE and draw.random() > 0.1)
        event = next((e for e in events if not reading().refusals(e, state)), None)
        if event is None:
            return
        state = reading().after(event, state)
        number += event.step.name == "all_committed"
        yield state, number


def rows_of(state: Valuation, number: int) -> list[Row]:
    """What the secondary site holds in a state."""
    rows = []
    for v in range(reading().universe.sizes[Sort.VOLUME]):
        name = reading().universe.name(Sort.VOLUME, v)
        if state["flashed"] >> v & 1:
            rows.append(flashed(name, number))
        else:
            rows.append(settled(name, number if state["committed"] >> v & 1 else number - 1))
    return rows


def image_after(state: Valuation, decision: Decision) -> int:
    """What the targets hold when the action has been done: a revert brings back what a target held before."""
    universe = reading().universe
    target: int = state["target"]
    if decision.action is Action.REVERT:
        for w, t in enumerate(universe.owners[Sort.WRITE, Sort.TRACK]):
            volume = universe.name(Sort.VOLUME, universe.owners[Sort.TRACK, Sort.VOLUME][t])
            if volume in decision.volumes:
                target = target & ~(1 << w) | state["previous"] & (1 << w)
    return target


def check_agreement(state: Valuation, number: int) -> Action:
    """Both texts say the same of a state; the action that was chosen."""
    s = symbolic_state()
    rows = rows_of(state, number)
    names = [r.volume for r in rows]
    for commit, image in ((False, recovered(s, HARDENED)), (True, committed_image(s, HARDENED))):
        found = decide(rows, names, commit=commit)
        assert found.number is not None, f"{found.reason}: {rows}"
        assert found.number in (number, number - 1)
        assert image_after(state, found) == reading().value(image, state), f"{found}: {rows}"
        after = apply(rows, found)
        assert decide(after, names, commit=commit) == Decision(
            Action.NOTHING, found.number, "all relations are committed with one number"
        )
    return decide(rows, names).action


@given(st.integers(0, 2**32))
def test_the_table_and_the_algebra_agree_on_reachable_states(seed: int) -> None:
    for state, number in walk(seed):
        check_agreement(state, number)


def test_the_walks_reach_every_row_of_the_table() -> None:
    met = Counter[Action]()
    whole = 0
    highest = 0
    for seed in range(60):
        for state, number in walk(seed):
            met[check_agreement(state, number)] += 1
            whole += state["flashed"] == reading().universe.full(Sort.VOLUME)
            highest = max(highest, number)
    assert min(met[a] for a in (Action.NOTHING, Action.REVERT, Action.COMMIT)) > 20, met
    assert whole > 20, "all flashed, none committed"
    assert highest > 2, "several increments"


@given(st.integers(0, 2**32), st.data())
def test_a_reachable_table_that_is_then_corrupted_is_refused(seed: int, data: st.DataObject) -> None:
    state, number = data.draw(st.sampled_from(list(walk(seed, 60))))
    rows = rows_of(state, number + 3)
    names = [r.volume for r in rows]
    i = data.draw(st.sampled_from(range(len(rows))))
    row = rows[i]
    wrong = data.draw(
        st.sampled_from(
            [
                replace(row, number=row.number + 5, reverts_to=row.reverts_to and row.reverts_to + 5),
                replace(row, number=row.number - 2, reverts_to=row.reverts_to and row.reverts_to - 2),
                replace(row, revertible=True, reverts_to=None),
                replace(row, revertible=True, reverts_to=row.number + 1),
            ]
        )
    )
    rows[i] = wrong
    assert decide(rows, names).action is Action.REFUSE
    assert decide(rows[:i] + rows[i + 1 :], names).volumes == (row.volume,)
