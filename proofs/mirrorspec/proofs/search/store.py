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
Places = npt.NDArray[np.int64]

FULLEST = 0.765
GROWTH = 1.5
BYTES_OF_INDEX = 8
"""An index entry takes 4 bytes, and no more than half of them are free."""
SMALLEST_INDEX = 1 << 14
MOST_STATES = (1 << 32) - (1 << 23)
"""A place has to fit the 32 bits of an index entry."""
SPARE_ROWS = 1 << 20
"""Rows beyond the limit, for the candidates of one piece that turn out not to be new."""
REBUILD_ROWS = 1 << 17
"""Keys that are entered anew at a time."""
FEW = 1 << 11
"""Of so many keys that look for a slot, each looks at several at a time."""
AHEAD = np.arange(16)

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

    def insert(self, rows: Keys) -> Places:
        """Store those of *rows* that are not stored yet, in their order; returns which of them they are."""
        hashes = hash_of(rows)
        left = _without_near_copies(rows, hashes)
        stored = [left[:0]]
        while len(left):
            some = left[: min(self.room(), SPARE_ROWS)]
            left = left[len(some) :]
            stored.append(some.take(self._insert(rows, hashes.take(some), some)))
            if self.count > self.most:
                raise StoreFullError
        return np.concatenate(stored)

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
                    self._index(first, min(first + REBUILD_ROWS, self.count))
        return self.fullest - self.count

    def _clear_index(self, slots: int) -> None:
        self.slots = slots
        self.place_bits = int(slots * FULLEST + 1).bit_length()
        self.index = np.zeros(slots, np.uint32)

    def _insert(self, rows: Keys, hashes: Hashes, some: Places) -> Places:
        """Store those that are new of *some* of the rows, for which there is room; returns which of these they are."""
        base = self.count
        candidates = self.keys[base : base + len(some)]
        rows.take(some, axis=0, out=candidates, mode="clip")
        here, tags, mine = self._entries(hashes, base)
        slot = here
        place_mask = np.uint32((1 << self.place_bits) - 1)
        new = np.zeros(len(some), np.bool_)
        pending = np.arange(len(some))
        while len(pending):
            found = self._claim(here, mine)
            found ^= mine
            go_on = found != 0
            new[pending.compress(~go_on)] = True
            # Of equal tags, and not the same: the subtraction takes a difference of 0 out of the range.
            alike = ((found - np.uint32(1)) < place_mask).nonzero()[0]
            there = ((found.take(alike) ^ mine.take(alike)) & place_mask).astype(np.int64) - 1
            copies = _equal(self.keys.take(there, axis=0), candidates.take(pending.take(alike), axis=0))
            go_on[alike.compress(copies)] = False
            again = go_on.nonzero()[0]
            pending, mine = pending.take(again), mine.take(again)
            here = self._next(here.take(again), mine)
            slot[pending] = here
        stored = np.flatnonzero(new)
        self.count = base + len(stored)
        self.index[slot.take(stored)] = tags.take(stored) | np.arange(base + 1, self.count + 1, dtype=np.uint32)
        self.keys[base : self.count] = candidates.take(stored, axis=0)
        return stored

    def _index(self, first: int, last: int) -> None:
        """Enter the stored keys of these places, none of which the index has."""
        here, _, mine = self._entries(hash_of(self.keys[first:last]), first)
        while len(here):
            again = np.flatnonzero(self._claim(here, mine) != mine)
            mine = mine.take(again)
            here = self._next(here.take(again), mine)

    def _entries(self, hashes: Hashes, base: int) -> tuple[Places, Index, Index]:
        """For keys that lie from *base* on: the slot to begin at, the part of the hash that is entered, and the entry."""
        slots = ((hashes >> _32) * np.uint64(self.slots) >> _32).view(np.int64)
        bits = np.uint32(self.place_bits)
        tags = hashes.astype(np.uint32) >> bits << bits
        return slots, tags, tags | np.arange(base + 1, base + 1 + len(hashes), dtype=np.uint32)

    def _claim(self, slots: Places, entries: Index) -> Index:
        """Put the entries into those of their slots that are free; returns what stands in the slots then.

        Of entries that meet in a free slot one is written over the other, which finds it there.
        """
        found = self.index.take(slots)
        free = np.flatnonzero(found == 0)
        if len(free):
            wanted = slots.take(free)
            self.index[wanted] = entries.take(free)
            found[free] = self.index.take(wanted)
        return found

    def _next(self, slots: Places, entries: Index) -> Places:
        """The slots to try next: the following; where few look, the first after it that is free or has an entry of that tag."""
        slots += 1
        if len(slots) <= FEW:
            found = self.index.take(slots[:, None] + AHEAD, mode="wrap")
            stop = found == 0
            stop |= (found ^ entries[:, None]) >> np.uint32(self.place_bits) == 0
            stop[:, -1] = True
            slots += stop.argmax(axis=1)
        np.copyto(slots, slots - self.slots, where=slots >= self.slots)
        return slots


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


def _without_near_copies(rows: Keys, hashes: Hashes) -> Places:
    """Which of *rows* remain without most of those that occur twice: states close together often lead to the same ones.

    Each row is compared with one other of the same hash prefix, in a table that fits the processor's cache. Rows of the
    same hash are equal where all words but the last are, since `hash_of` is one to one in the last.
    """
    if len(rows) < 2:
        return np.arange(len(rows))
    shift = np.uint64(64 - min(20, len(rows).bit_length()))
    prefixes = (hashes >> shift).view(np.int64)
    order = np.arange(len(rows), dtype=np.int32)
    table = np.empty(1 << (64 - int(shift)), np.int32)
    table[prefixes] = order
    other = table.take(prefixes)
    copies = hashes.take(other) == hashes
    copies &= other != order
    for word in range(rows.shape[1] - 1):
        column = np.ascontiguousarray(rows[:, word])
        copies &= column.take(other) == column
    return np.flatnonzero(~copies)


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
