"""A set of tracks as a bitmap: marking and clearing take the same time at every size, and merging is one pass over bytes."""

from __future__ import annotations

from collections.abc import Iterator


class TrackSet:
    """Some of so many tracks. Tracks are numbers from 0; the count is kept."""

    __slots__ = ("_bits", "count", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._bits = bytearray((size + 7) // 8)
        self.count = 0

    @classmethod
    def of_bytes(cls, size: int, content: bytes) -> TrackSet:
        """The set whose bitmap is *content*, the lowest track in the lowest bit of the first byte.

        Raises `ValueError` where the length does not fit, or a bit beyond the last track is set.
        """
        made = cls(size)
        if len(content) != len(made._bits) or (size % 8 and content[-1] >> size % 8):
            raise ValueError(f"a bitmap of {size} tracks has {len(made._bits)} bytes and no bit beyond the last track")
        made._bits[:] = content
        made.count = int.from_bytes(content, "little").bit_count()
        return made

    def __contains__(self, track: int) -> bool:
        return bool(self._bits[track >> 3] >> (track & 7) & 1)

    def __len__(self) -> int:
        return self.count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrackSet) and self.size == other.size and self._bits == other._bits

    __hash__ = None  # type: ignore[assignment]  # a set that changes

    def __repr__(self) -> str:
        return f"TrackSet({self.size}, {list(self)})"

    def __iter__(self) -> Iterator[int]:
        for place, byte in enumerate(self._bits):
            while byte:
                low = byte & -byte
                yield (place << 3) + low.bit_length() - 1
                byte ^= low

    def mark(self, track: int) -> None:
        """The track is in the set."""
        place, bit = track >> 3, 1 << (track & 7)
        if not self._bits[place] & bit:
            self._bits[place] |= bit
            self.count += 1

    def clear(self, track: int) -> None:
        """The track is not in the set."""
        place, bit = track >> 3, 1 << (track & 7)
        if self._bits[place] & bit:
            self._bits[place] ^= bit
            self.count -= 1

    def fill(self) -> None:
        """Every track is in the set."""
        self._bits[:] = ((1 << self.size) - 1).to_bytes(len(self._bits), "little")
        self.count = self.size

    def empty(self) -> None:
        """No track is in the set."""
        self._bits[:] = bytes(len(self._bits))
        self.count = 0

    def join(self, other: TrackSet) -> None:
        """The tracks of the other set are in this one too."""
        both = int.from_bytes(self._bits, "little") | int.from_bytes(other._bits, "little")
        self._bits[:] = both.to_bytes(len(self._bits), "little")
        self.count = both.bit_count()

    def next(self, start: int) -> int | None:
        """The first track of the set from *start* on, None where there is none."""
        place = start >> 3
        if place >= len(self._bits):
            return None
        first = self._bits[place] >> (start & 7)
        if first:
            return start + (first & -first).bit_length() - 1
        rest = self._bits[place + 1 :].lstrip(b"\0")
        if not rest:
            return None
        byte = rest[0]
        return ((len(self._bits) - len(rest)) << 3) + (byte & -byte).bit_length() - 1

    def word(self) -> int:
        """The set as one integer, the lowest track in the lowest bit."""
        return int.from_bytes(self._bits, "little")

    def content(self) -> bytes:
        """The bitmap, as `of_bytes` reads it."""
        return bytes(self._bits)
