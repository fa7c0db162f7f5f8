"""The set of states seen: exact keys in the order in which they were found, and an open-addressed index of them.

Keys are whole states of one or more 64-bit words, and two states are one only if all words are equal: nothing is claimed on
the strength of a hash. The index holds for each key its place, in 32 bits; the bits that a place does not need yet hold a part
of the key's hash, which spares most comparisons and decides nothing.

Memory: the keys lie in one reserved stretch of address space whose pages the system grants as they are first written,
so growing copies nothing. The index is at least FULLEST / GROWTH full, hence of at most 8 bytes a state: with keys of
two words, 24 bytes in all. It is rebuilt from the keys when it is fuller than FULLEST.
"""

from __future__ import annotations

import mmap

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
"""One row a state."""
Hashes = npt.NDArray[np.uint64]

FULLEST = 0.765
GROWTH = 1.5
BYTES_OF_INDEX = 8
"""An index entry takes 4 bytes, and no more than half of them are free."""
SMALLEST_INDEX = 1 << 12
MOST_STATES = (1 << 32) - (1 << 23)
"""A place has to fit the 32 bits of an index entry."""
SPARE_ROWS = 1 << 20
"""Rows beyond the limit, for the candidates of one piece that turn out not to be new."""
REBUILD_ROWS = 1 << 20

MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""Odd numbers that mix well: of splitmix64, for the first word, for further words, and last."""
_M = tuple(np.uint64(m) for m in MULTIPLIERS)
_32, _29 = np.uint64(32), np.uint64(29)


class StoreFullError(Exception):
    """A limit was reached: no more states can be stored."""


class Store:
    """Different keys of so many words, each with its place in the order of insertion."""

    def __init__(self, words: int, most: int) -> None:
        self.words = words
        self.most = min(most, MOST_STATES)
        self.keys: Keys = _reserve(self.most + SPARE_ROWS, words)
        self.count = 0
        self._clear_index(SMALLEST_INDEX)

    @property
    def bytes(self) -> int:
        """What the keys and their index take."""
        return self.count * self.words * 8 + int(self.index.nbytes)

    def insert(self, rows: Keys) -> int:
        """Store those of *rows* that are not stored yet, in their order; returns how many they are."""
        before = self.count
        rows, hashes = _without_near_copies(rows, hash_of(rows))
        while len(rows):
            room = min(self.room(), SPARE_ROWS)
            self._insert(rows[:room], hashes[:room])
            rows, hashes = rows[room:], hashes[room:]
            if self.count > self.most:
                raise StoreFullError
        return self.count - before

    def room(self) -> int:
        """How many keys the index can take more, after growing it when they are few."""
        room = int(self.slots * FULLEST) - self.count
        if room < self.slots >> 6:
            self._clear_index(int(self.count * GROWTH / FULLEST))
            for first in range(0, self.count, REBUILD_ROWS):
                last = min(first + REBUILD_ROWS, self.count)
                self._enter(hash_of(self.keys[first:last]), first, compare=False)
            room = int(self.slots * FULLEST) - self.count
        return room

    def _clear_index(self, slots: int) -> None:
        self.slots = slots
        self.place_bits = int(slots * FULLEST + 1).bit_length()
        self.index = np.zeros(slots, np.uint32)

    def _insert(self, rows: Keys, hashes: Hashes) -> None:
        base = self.count
        self.keys[base : base + len(rows)] = rows
        entered, slots, tags = self._enter(hashes, base, compare=True)
        self.index[slots] = tags | np.arange(base + 1, base + 1 + len(slots), dtype=np.uint32)
        if len(slots) < len(rows):
            self.keys[base : base + len(slots)] = rows[entered]
        self.count = base + len(slots)

    def _enter(
        self, hashes: Hashes, base: int, *, compare: bool
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """Enter the keys that lie from *base* on where no equal key is; returns which were entered, in which slots.

        Where two of them meet in an empty slot one is written over the other, which then finds it there and goes on.
        """
        slot = ((hashes >> _32) * np.uint64(self.slots) >> _32).astype(np.int64)
        bits = np.uint32(self.place_bits)
        tags = hashes.astype(np.uint32) >> bits << bits
        entries = tags | np.arange(base + 1, base + 1 + len(hashes), dtype=np.uint32)
        entered = np.zeros(len(hashes), np.bool_)
        pending = np.arange(len(hashes))
        here, mine = slot, entries
        place_mask = np.uint32((1 << self.place_bits) - 1)
        while len(pending):
            found = self.index[here]
            free = np.flatnonzero(found == 0)
            if len(free):
                self.index[here[free]] = mine[free]
                found[free] = self.index[here[free]]
            won = found == mine
            entered[pending[won]] = True
            go_on = ~won
            if compare:
                alike = np.flatnonzero(go_on & ((found ^ mine) <= place_mask))
                there = (found[alike] & place_mask).astype(np.int64) - 1
                go_on[alike[_equal(self.keys[there], self.keys[base + pending[alike]])]] = False
            pending = pending[go_on]
            here = here[go_on] + 1
            here[here == self.slots] = 0
            slot[pending] = here
            mine = mine[go_on]
        chosen = np.flatnonzero(entered)
        return chosen, slot[chosen], tags[chosen]


def hash_of(rows: Keys) -> Hashes:
    """A number of 64 well mixed bits for each key, by which its slot is chosen and by nothing is decided."""
    hashes = rows[:, 0] * _M[0]
    for word in range(1, rows.shape[1]):
        hashes ^= hashes >> _32
        hashes += rows[:, word]
        hashes *= _M[1]
    hashes ^= hashes >> _29
    hashes *= _M[2]
    hashes ^= hashes >> _32
    return hashes


def _equal(a: Keys, b: Keys) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = a[:, 0] == b[:, 0]
    for word in range(1, a.shape[1]):
        same &= a[:, word] == b[:, word]
    return same


def _without_near_copies(rows: Keys, hashes: Hashes) -> tuple[Keys, Hashes]:
    """*rows* without most of those that occur twice: states found close together often lead to the same ones.

    Each row is compared with one other of the same hash prefix, in a table that fits the processor's cache.
    """
    if len(rows) < 2:
        return rows, hashes
    shift = np.uint64(64 - min(18, len(rows).bit_length()))
    prefixes = (hashes >> shift).astype(np.int64)
    order = np.arange(len(rows), dtype=np.int32)
    table = np.empty(1 << (64 - int(shift)), np.int32)
    table[prefixes] = order
    other = table[prefixes]
    alike = np.flatnonzero((hashes[other] == hashes) & (other != order))
    alike = alike[_equal(rows[alike], rows[other[alike]])]
    if not len(alike):
        return rows, hashes
    kept = np.ones(len(rows), np.bool_)
    kept[alike] = False
    chosen = np.flatnonzero(kept)
    return rows[chosen], hashes[chosen]


def _reserve(rows: int, words: int) -> Keys:
    """Address space for so many keys; where the system refuses as much, half of it, and so on."""
    size = rows * words * 8
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0))
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint64).reshape(rows, words)
