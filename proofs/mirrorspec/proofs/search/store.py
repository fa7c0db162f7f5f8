"""The set of states seen: exact keys in the order in which they were found, and an open-addressed index of them.

Keys are whole states of one or more 64-bit words, and two states are one only if all words are equal: nothing is claimed on
the strength of a hash. The index holds for each key its place, in 32 bits; the bits that a place does not need yet hold a part
of the key's hash, which spares most comparisons and decides nothing.

Memory: the keys lie in one reserved stretch of address space whose pages the system grants as they are first written,
so growing copies nothing. The index is at least FULLEST / GROWTH full, hence of at most 8 bytes a state: with keys of
two words, 24 bytes in all. It is rebuilt from the keys when it is fuller than FULLEST.
"""

from __future__ import annotations

import errno
import mmap
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
"""One row a state."""
Hashes = npt.NDArray[np.uint64]
Index = npt.NDArray[np.uint32]

FULLEST = 0.765
GROWTH = 1.5
BYTES_OF_INDEX = 8
"""An index entry takes 4 bytes, and no more than half of them are free."""
SMALLEST_INDEX = 1 << 14
MOST_STATES = (1 << 32) - (1 << 23)
"""A place has to fit the 32 bits of an index entry."""
SPARE_ROWS = 1 << 20
"""Rows beyond the limit, for the candidates of one piece that turn out not to be new."""
REBUILD_ROWS = 1 << 20
"""Keys that are entered anew at a time."""

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
        self.keys: Keys = _reserve(min(most, MOST_STATES), words)
        self.most = len(self.keys) - SPARE_ROWS
        self.count = 0
        self._clear_index(SMALLEST_INDEX)

    @property
    def bytes(self) -> int:
        """What the keys and their index take."""
        return self.count * self.words * 8 + int(self.index.nbytes)

    def insert(self, rows: Keys) -> None:
        """Store those of *rows* that are not stored yet, in their order."""
        rows, hashes = _without_near_copies(rows, hash_of(rows))
        while len(rows):
            room = min(self.room(), SPARE_ROWS)
            self._insert(rows[:room], hashes[:room])
            rows, hashes = rows[room:], hashes[room:]
            if self.count > self.most:
                raise StoreFullError

    @property
    def fullest(self) -> int:
        """The number of keys that the index may hold before it grows."""
        return int(self.slots * FULLEST)

    def room(self, index_all: Callable[[Keys, int, Index, int], None] | None = None) -> int:
        """How many keys the index can take more, after growing it when they are few; *index_all* may fill it faster."""
        if self.fullest - self.count < self.slots >> 6:
            self._clear_index(int(self.count * GROWTH / FULLEST))
            if index_all is not None:
                index_all(self.keys, self.count, self.index, self.place_bits)
            else:
                for first in range(0, self.count, REBUILD_ROWS):
                    last = min(first + REBUILD_ROWS, self.count)
                    self._enter(hash_of(self.keys[first:last]), first, compare=False)
        return self.fullest - self.count

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
            self.keys[base : base + len(slots)] = rows.take(entered, axis=0)
        self.count = base + len(slots)

    def _enter(
        self, hashes: Hashes, base: int, *, compare: bool
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """Enter the keys that lie from *base* on where no equal key is; returns which were entered, in which slots.

        Where two of them meet in an empty slot one is written over the other, which then finds it there and goes on.
        """
        slot = ((hashes >> _32) * np.uint64(self.slots) >> _32).astype(np.int64)
        bits = np.uint32(self.place_bits)
        place_mask = np.uint32((1 << self.place_bits) - 1)
        tags = hashes.astype(np.uint32) >> bits << bits
        entries = tags | np.arange(base + 1, base + 1 + len(hashes), dtype=np.uint32)
        entered = np.zeros(len(hashes), np.bool_)
        pending = np.arange(len(hashes))
        here, mine = slot, entries
        while len(pending):
            found = self.index.take(here)
            free = np.flatnonzero(found == 0)
            if len(free):
                slots = here.take(free)
                self.index[slots] = mine.take(free)
                found[free] = self.index.take(slots)
            difference = found ^ mine
            entered[pending.compress(difference == 0)] = True
            go_on = difference != 0
            if compare:
                # Of equal tags, and not the same: the subtraction takes a difference of 0 out of the range.
                alike = np.flatnonzero((difference - np.uint32(1)) < place_mask)
                there = (found.take(alike) & place_mask).astype(np.int64) - 1
                copies = _equal(self.keys.take(there, axis=0), self.keys.take(pending.take(alike) + base, axis=0))
                go_on[alike.compress(copies)] = False
            again = np.flatnonzero(go_on)
            pending, mine, here = pending.take(again), mine.take(again), here.take(again) + 1
            here[here == self.slots] = 0
            slot[pending] = here
        chosen = np.flatnonzero(entered)
        return chosen, slot.take(chosen), tags.take(chosen)


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
    shift = np.uint64(64 - min(20, len(rows).bit_length()))
    prefixes = (hashes >> shift).astype(np.int64)
    order = np.arange(len(rows), dtype=np.int32)
    table = np.empty(1 << (64 - int(shift)), np.int32)
    table[prefixes] = order
    other = table.take(prefixes)
    alike = np.flatnonzero((hashes.take(other) == hashes) & (other != order))
    alike = alike.compress(_equal(rows.take(alike, axis=0), rows.take(other.take(alike), axis=0)))
    if not len(alike):
        return rows, hashes
    kept = np.ones(len(rows), np.bool_)
    kept[alike] = False
    chosen = np.flatnonzero(kept)
    return rows.take(chosen, axis=0), hashes.take(chosen)


def _reserve(most: int, words: int) -> Keys:
    """Address space for so many keys and the spare ones; where the system refuses as much, for half of them, and so on.

    Where it refuses at all it has a limit, within which the index has to fit too: then it is half of what would have been
    granted. Raises `MemoryError` where not even few fit.
    """
    refused = False
    while True:
        try:
            memory = _mapped((most + SPARE_ROWS) * words * 8)
        except OSError as error:
            if error.errno != errno.ENOMEM or most < SPARE_ROWS:
                raise MemoryError("no address space for the states") from error
            most, refused = most // 2, True
            continue
        if not refused or most < SPARE_ROWS:
            break
        memory.close()
        most, refused = most // 2, False
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint64).reshape(most + SPARE_ROWS, words)


def _mapped(size: int) -> mmap.mmap:
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0))
