"""The store is a set of exact keys in the order in which they came, in at most 24 bytes for each key of two words."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.proofs.search import store as stores
from mirrorspec.proofs.search.store import Store, StoreFullError, hash_of

Keys = npt.NDArray[np.uint64]


def _naive(pieces: list[Keys]) -> set[tuple[int, ...]]:
    return {tuple(map(int, row)) for rows in pieces for row in rows}


def _stored(store: Store) -> list[tuple[int, ...]]:
    return [tuple(map(int, row)) for row in store.keys[: store.count]]


@given(st.integers(1, 3), st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300), st.integers(0, 9)), max_size=8))
def test_it_holds_each_key_once(words: int, plan: list[tuple[int, int, int]]) -> None:
    store = Store(words, 1 << 20)
    pieces = []
    for size, kinds, seed in plan:
        pieces.append(np.random.default_rng(seed).integers(0, kinds, (size, words)).astype(np.uint64))
        store.insert(pieces[-1])
    assert len(_stored(store)) == len(set(_stored(store)))
    assert set(_stored(store)) == _naive(pieces)


def test_keys_keep_the_place_they_came_to() -> None:
    store = Store(1, 1 << 20)
    store.insert(np.arange(50_000, dtype=np.uint64)[:, None])
    before = store.keys[:50_000].copy()
    store.insert(np.arange(300_000, dtype=np.uint64)[:, None])
    assert (store.keys[:50_000] == before).all()
    assert store.count == 300_000


def test_a_hash_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "hash_of", lambda rows: hash_of(rows) & np.uint64(0xFF00000000))
    store = Store(2, 1 << 20)
    rows = np.random.default_rng(1).integers(0, 60, (3000, 2)).astype(np.uint64)
    store.insert(rows)
    assert set(_stored(store)) == _naive([rows])
    assert store.count == len(_naive([rows]))


def test_a_key_of_two_words_takes_at_most_24_bytes() -> None:
    store = Store(2, 1 << 22)
    random = np.random.default_rng(0)
    while store.count < 1_500_000:
        store.insert(random.integers(0, 2**63, (9_973, 2)).astype(np.uint64))
        if store.count > 20_000:
            assert store.bytes <= 24 * store.count


def test_it_says_when_it_is_full() -> None:
    store = Store(1, 1000)
    with pytest.raises(StoreFullError):
        store.insert(np.arange(1001, dtype=np.uint64)[:, None])


@pytest.mark.skipif(find_spec("numba") is None, reason="LEFT OUT: numba is not installed")
@pytest.mark.parametrize("words", [1, 2, 3])
def test_compiled_code_and_arrays_fill_one_store(words: int) -> None:
    from mirrorspec.proofs.search.kernels import kernels

    enter, index_all = kernels(words)
    store = Store(words, 1 << 22)
    random = np.random.default_rng(words)
    recent = None
    pieces = []
    for turn in range(12):
        rows = random.integers(0, 2 ** (18 // words), (20_000, words)).astype(np.uint64)
        pieces.append(rows)
        if turn % 2:
            recent = np.tile(store.keys[0], (64, 1)) if recent is None else recent
            done = 0
            while done < len(rows):
                store.room(index_all)
                store.count, done = enter(
                    store.keys, store.count, store.fullest, store.index, store.place_bits, rows, done, recent
                )
        else:
            store.insert(rows)
    assert store.count == len(_naive(pieces))
    assert set(_stored(store)) == _naive(pieces)


def test_it_says_which_rows_it_stored() -> None:
    store = Store(2, 1 << 20)
    random = np.random.default_rng(3)
    for _ in range(6):
        before = store.count
        rows = random.integers(0, 90, (5_000, 2)).astype(np.uint64)
        stored = store.insert(rows)
        assert (rows[stored] == store.keys[before : store.count]).all()
        assert (np.diff(stored) > 0).all()
