"""The judge of cuts against brute force: on every small history the definition itself is tried out, set by set.

The reference knows no intervals. It tries every set of writes that is closed under *k was acknowledged before i was
issued*, and asks whether each block's image could be what that set leaves: a write of the set with no later one in the
set, or the initial content where the set has none.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.oracle.cut.history import ALWAYS, NEVER
from mirrorspec.oracle.cut.images import Judged, Shown
from mirrorspec.oracle.cut.judge import NONE, Judgement, judge
from mirrorspec.oracle.cut.question import settle
from mirrorspec.oracle.cut.witness import smallest_witness


@dataclass(frozen=True)
class Write:
    unit: int
    issue: int
    ack: int
    content: int


@dataclass(frozen=True)
class Case:
    writes: tuple[Write, ...]
    image: tuple[int, ...]
    initial: tuple[int, ...]
    clock_error: int

    def before(self, k: Write, i: Write) -> bool:
        return k.ack != NEVER and k.ack + self.clock_error < i.issue

    def closed_sets(self) -> Iterator[frozenset[Write]]:
        needs = {i: {k for k in self.writes if self.before(k, i)} for i in self.writes}
        for size in range(len(self.writes) + 1):
            for chosen in combinations(self.writes, size):
                held = frozenset(chosen)
                if all(needs[i] <= held for i in held):
                    yield held

    def leaves(self, held: frozenset[Write], unit: int) -> set[int]:
        mine = [w for w in held if w.unit == unit]
        last = {i.content for i in mine if not any(self.before(i, k) for k in mine)}
        return last or {self.initial[unit]}

    def matches(self, held: frozenset[Write], units: tuple[int, ...]) -> bool:
        return all(self.image[u] in self.leaves(held, u) for u in units)

    def is_cut_at(self, held: frozenset[Write], time: int) -> bool:
        must = {w for w in self.writes if w.ack != NEVER and w.ack + self.clock_error < time}
        return must <= held and all(w.issue <= time for w in held)

    def judged(self) -> Judgement:
        columns = self.columns()
        return judge(*columns)

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        unit = np.array([w.unit for w in self.writes], np.int64)
        issue = np.array([w.issue for w in self.writes], np.int64)
        ack = np.array([w.ack if w.ack == NEVER else w.ack + self.clock_error for w in self.writes], np.int64)
        shown = np.array([w.content == self.image[w.unit] for w in self.writes], np.bool_)
        return (
            unit,
            issue,
            ack,
            shown,
            np.array([a == b for a, b in zip(self.image, self.initial, strict=True)], np.bool_),
        )


def random_case(choose: random.Random, *, repeats: bool, most: int = 7) -> Case:
    units = choose.randint(1, 4)
    writes = []
    for n in range(choose.randint(1, most)):
        issue = choose.randrange(20)
        ack = NEVER if choose.random() < 0.1 else issue + choose.choice((0, 1, 1, 2, 3, 8))
        content = choose.randint(0, 3) if repeats else n + 1
        writes.append(Write(choose.randrange(units), issue, ack, content))
    image = []
    for u in range(units):
        options = [w.content for w in writes if w.unit == u] + [0]
        image.append(9 if choose.random() < 0.02 else choose.choice(options))
    return Case(tuple(set(writes)), tuple(image), (0,) * units, choose.choice((0, 0, 1, 2)))


def agree(case: Case) -> str:
    """Compare everything that is claimed about *case*; the word says which kind it was."""
    found = case.judged()
    units = range(len(case.image))
    foreign = [
        u for u in units
        if case.image[u] != case.initial[u] and not any(w.unit == u and w.content == case.image[u] for w in case.writes)
    ]  # fmt: skip
    assert found.foreign.tolist() == foreign
    others = tuple(u for u in units if u not in foreign)
    sets = list(case.closed_sets())
    good = [held for held in sets if case.matches(held, others)]
    assert found.torn == (not good)
    for time in range(-2, 32):
        expected = any(case.is_cut_at(held, time) for held in good)
        assert expected == any(low <= time <= high for low, high in found.ranges), (time, found.ranges)
    assert all(low <= high for low, high in found.ranges)
    assert (bool(good) and frozenset() in good) == any(low == ALWAYS for low, _ in found.ranges)
    if not found.torn:
        return "cut" if not foreign else "foreign"
    check_witness(case, found, sets, others)
    return "torn"


def check_witness(case: Case, found: Judgement, sets: list[frozenset[Write]], others: tuple[int, ...]) -> None:
    witness = smallest_witness(found, *case.columns())
    assert witness.smallest
    assert not any(case.matches(held, witness.units) for held in sets), (
        "the blocks of the witness are torn by themselves"
    )
    for size in range(len(witness.units)):
        for fewer in combinations(others, size):
            assert any(case.matches(held, fewer) for held in sets), "fewer blocks would have been a witness"
    if found.low > found.high:
        assert NONE not in (found.held, found.missing)
        held, missing = case.writes[found.held], case.writes[found.missing]
        assert case.before(missing, held)
        assert case.image[held.unit] == held.content
        assert len(witness.units) == 2
    greedy = smallest_witness(found, *case.columns(), max_work=-1)
    assert not any(case.matches(held, greedy.units) for held in sets)
    for spared in greedy.units:
        rest = tuple(u for u in greedy.units if u != spared)
        assert any(case.matches(held, rest) for held in sets), "a block of an irreducible witness can be spared"


@pytest.mark.parametrize("repeats", [False, True])
def test_random_histories_agree_with_brute_force(repeats: bool) -> None:
    choose = random.Random(20_240_229 + repeats)
    kinds = [agree(random_case(choose, repeats=repeats)) for _ in range(5000)]
    assert min(kinds.count("cut"), kinds.count("torn")) > 300, "neither answer may be rare"
    assert kinds.count("foreign") > 50


def check_unknown(case: Case, known: tuple[bool, ...]) -> str:
    """Try every initial content that the blocks not *known* could have had, and compare what follows from all of them."""
    unit, issue, ack, shown, initial = case.columns()
    written = np.zeros(len(initial), np.bool_)
    written[unit[shown]] = True
    unknown = ~np.array(known, np.bool_)
    undecided = unknown & written
    # One volume for each block, so that the names say which block decides.
    sides = tuple(
        Shown(str(u), "", unit[:0], np.empty(0, np.uint64), initial[u : u + 1], known[u], undecided[u : u + 1])
        for u in range(len(initial))
    )
    strict = np.where(unknown, ~written, initial)
    judged = Judged(sides, tuple(range(len(initial) + 1)), None, unit, issue, ack, shown, strict, undecided)
    found, witness, names = settle(judged)

    sets = list(case.closed_sets())
    others = tuple(u for u in range(len(initial)) if strict[u] or written[u])
    outcomes, guesses = [], []
    for guess in product((False, True), repeat=int(np.count_nonzero(undecided))):
        before = [
            image if held else case.initial[u] for u, (image, held) in enumerate(zip(case.image, strict, strict=True))
        ]
        for u, same in zip(np.flatnonzero(undecided).tolist(), guess, strict=True):
            before[u] = case.image[u] if same else -1
        guessed = replace(case, initial=tuple(before))
        guesses.append(guessed)
        outcomes.append([held for held in sets if guessed.matches(held, others)])
    if all(outcomes):
        assert (found.torn, names) == (False, ())
        for time in range(-2, 32):
            always = all(any(case.is_cut_at(held, time) for held in good) for good in outcomes)
            assert always == any(low <= time <= high for low, high in found.ranges)
        return "cut"
    if any(outcomes):
        assert not found.torn
        assert set(names) == {str(u) for u in np.flatnonzero(undecided).tolist()}
        for time in range(-2, 32):
            ever = any(case.is_cut_at(held, time) for good in outcomes for held in good)
            assert ever == any(low <= time <= high for low, high in found.ranges)
        return "depends"
    assert found.torn
    assert witness is not None
    assert not any(guessed.matches(held, witness.units) for guessed in guesses for held in sets)
    return "torn"


def test_unknown_initial_contents_agree_with_brute_force() -> None:
    choose = random.Random(20_260_101)
    kinds = []
    for n in range(4000):
        case = random_case(choose, repeats=n % 2 == 0, most=6)
        kinds.append(check_unknown(case, tuple(choose.random() < 0.5 for _ in case.image)))
    assert min(kinds.count(kind) for kind in ("cut", "depends", "torn")) > 200, "no answer may be rare"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    units = draw(st.integers(1, 4))
    writes = draw(
        st.lists(
            st.builds(
                lambda unit, issue, length, content: Write(unit, issue, NEVER if length is None else issue + length, content),
                st.integers(0, units - 1), st.integers(0, 12), st.none() | st.integers(0, 6), st.integers(0, 3),
            ),
            max_size=7,
            unique=True,
        )
    )  # fmt: skip
    image = draw(st.lists(st.integers(0, 4), min_size=units, max_size=units))
    return Case(tuple(writes), tuple(image), (0,) * units, draw(st.integers(0, 2)))


@given(cases())
def test_drawn_histories_agree_with_brute_force(case: Case) -> None:
    agree(case)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(10))
def test_many_random_histories_agree_with_brute_force(seed: int) -> None:
    choose = random.Random(seed)
    for n in range(10_000):
        agree(random_case(choose, repeats=n % 2 == 0))
