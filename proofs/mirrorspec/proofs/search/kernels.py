"""Compiled code that knows no model: finding keys in a `Store`'s index, and entering those that are new.

Importing this module imports numba. The two ways to fill a store, this one and its own, use the same hash, index and entries,
so that one may go on where the other stopped. Work is done in blocks, one wait for memory at a time for all keys
of a block, so that the waits overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, uint32, uint64

from mirrorspec.proofs.search.store import MULTIPLIERS, Index, Keys

M0, M1, M2 = (np.uint64(m) for m in MULTIPLIERS)
TO_LOW = np.uint64(32)
LAST_SHIFT = np.uint64(29)
BLOCK = 256
PARTS = 256
"""The index is filled a part at a time, so that the part stays in the processor's cache."""
STRETCH = 1 << 20
"""Keys that are sorted into parts at a time."""

Enter = Callable[..., tuple[int, int]]
IndexAll = Callable[[Keys, int, Index, int], None]


@cache
def kernels(words: int) -> tuple[Enter, IndexAll]:
    """The two functions `enter` and `index_all`, for keys of so many words."""

    @njit(inline="always")
    def hashed(rows: Keys, row: Any) -> Any:
        h = rows[row, 0] * M0
        for word in range(1, words):
            h = ((h ^ (h >> TO_LOW)) + rows[row, word]) * M1
        h = (h ^ (h >> LAST_SHIFT)) * M2
        return h ^ (h >> TO_LOW)

    @njit(nogil=True, cache=True)
    def enter(
        keys: Keys, count: int, most: int, index: Index, place_bits: int, rows: Keys, first: int, recent: Keys
    ) -> tuple[int, int]:
        """Store those of `rows[first:]` that are not stored, until *most* are; returns the count and where it stopped.

        *recent* holds keys that were stored lately, each at the place that its hash gives it: a first, small place to look.
        """
        slots = uint64(index.shape[0])
        near_mask = uint64(recent.shape[0] - 1)
        bits = uint32(place_bits)
        place_mask = uint32((1 << place_bits) - 1)
        hashes = np.empty(BLOCK, np.uint64)
        chosen = np.empty(BLOCK, np.uint64)
        found = np.empty(BLOCK, np.uint32)
        last = len(rows)
        at = first
        while at < last and count + BLOCK <= most:
            end = min(at + BLOCK, last)
            candidates = 0
            for row in range(uint64(at), uint64(end)):
                h = hashed(rows, row)
                near = h & near_mask
                difference = uint64(0)
                for word in range(words):
                    difference |= recent[near, word] ^ rows[row, word]
                    recent[near, word] = rows[row, word]
                hashes[candidates] = h
                chosen[candidates] = row
                candidates += 1 if difference != 0 else 0
            for i in range(candidates):
                found[i] = index[((hashes[i] >> TO_LOW) * slots) >> TO_LOW]
            warm = uint64(0)
            for i in range(candidates):
                if found[i] != 0:
                    warm |= keys[uint64((found[i] & place_mask) - uint32(1)), 0]
            found[0] = uint32(warm)  # so that the reads are not taken for useless
            for i in range(candidates):
                h = hashes[i]
                row = chosen[i]
                slot = ((h >> TO_LOW) * slots) >> TO_LOW
                tag = uint32(h) >> bits
                while True:
                    entry = index[slot]
                    if entry == 0:
                        for word in range(words):
                            keys[count, word] = rows[row, word]
                        count += 1
                        index[slot] = (tag << bits) | uint32(count)
                        break
                    if (entry >> bits) == tag:
                        there = uint64((entry & place_mask) - uint32(1))
                        difference = uint64(0)
                        for word in range(words):
                            difference |= keys[there, word] ^ rows[row, word]
                        if difference == 0:
                            break
                    slot += uint64(1)
                    if slot == slots:
                        slot = uint64(0)
            at = end
        return count, at

    @njit(nogil=True, cache=True)
    def index_all(keys: Keys, count: int, index: Index, place_bits: int) -> None:
        """Enter the first *count* keys, all different, into an empty index."""
        slots = uint64(index.shape[0])
        bits = uint32(place_bits)
        stretch = max(1, min(STRETCH, count))
        hashes = np.empty(stretch, np.uint64)
        ordered = np.empty(stretch, np.uint64)
        entries = np.empty(stretch, np.uint32)
        for first in range(0, count, stretch):
            last = min(first + stretch, count)
            ends = np.zeros(PARTS + 1, np.int64)
            for row in range(first, last):
                h = hashed(keys, uint64(row))
                hashes[row - first] = h
                ends[(h >> uint64(56)) + uint64(1)] += 1
            for part in range(PARTS):
                ends[part + 1] += ends[part]
            for i in range(last - first):
                h = hashes[i]
                to = ends[h >> uint64(56)]
                ends[h >> uint64(56)] += 1
                ordered[to] = h
                entries[to] = (uint32(h) >> bits << bits) | uint32(first + i + 1)
            for i in range(last - first):
                slot = ((ordered[i] >> TO_LOW) * slots) >> TO_LOW
                while index[slot] != 0:
                    slot += uint64(1)
                    if slot == slots:
                        slot = uint64(0)
                index[slot] = entries[i]

    return enter, index_all
