"""Numbers out of many places of one text at once, eight characters to a machine word.

`Text` lays unaligned 64-bit words over the bytes; each function takes arrays of positions (from `p` up to, not including,
`q`) and returns the values with a mask of the places where there was such a number. Where the mask is false the value
means nothing: the caller reads that line by itself, slowly, and gets the error message from there. Nothing here is
trusted to *refuse*; it is trusted to be right where it says so, which a test compares with `int` and `json`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mirrorspec.oracle.cut.history import SECOND, TIME_LIMIT, Flags, Numbers, Times

Words = NDArray[np.uint64]

PAD = 64
"""Bytes around the text that may be looked at: the longest reach of any function here."""
NANOSECOND_DIGITS = 9


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text.ljust(8, b"\0"), "little"))


def _each(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101_0101_0101_0101)


KEEP_LAST = np.array([0] + [(2**64 - 1) << 8 * (8 - n) & (2**64 - 1) for n in range(1, 9)], np.uint64)
"""Masks for the last n characters of a word (its high bytes: the words are little-endian)."""
TENS = 10 ** np.arange(19, dtype=np.int64)
COLON_PLACES, COLONS = _word(b"\0\0\xff\0\0\xff"), _word(b"\0\0:\0\0:")
HIGH, LOW_NIBBLES, ZEROS = _each(0x80), _each(0x0F), _each(ord("0"))


class Text:
    """Bytes with a margin, readable as words at any position."""

    def __init__(self, data: bytes) -> None:
        held = bytes(PAD) + data + bytes(PAD)
        self.characters = np.frombuffer(held, np.uint8)[PAD:]
        self._words: Words = np.ndarray((len(held) - 7,), "<u8", held, strides=(1,))

    def words(self, at: Numbers) -> Words:
        """The eight characters from each position on, the first in the lowest byte."""
        return self._words[at + PAD]

    def holds(self, at: Numbers, literal: bytes) -> Flags:
        """Where exactly *literal* stands; a position may be up to `PAD - 8` characters outside the text."""
        same = np.ones(len(at), np.bool_)
        for start in range(0, len(literal), 8):
            part = literal[start : start + 8]
            begin = start if len(part) == 8 or len(literal) < 8 else len(literal) - 8
            part = literal[begin : begin + 8]
            words = self.words(at + begin)
            mask = np.uint64((1 << 8 * len(part)) - 1)
            same &= words & mask == _word(part)
        return same

    def whole(self, p: Numbers, q: Numbers) -> tuple[Numbers, Flags]:
        """Decimal integers of 1 to 16 digits without a sign."""
        length = q - p
        high, good_high = _eight_digits(self.words(q - 16), np.clip(length - 8, 0, 8))
        low, good_low = _eight_digits(self.words(q - 8), np.clip(length, 0, 8))
        value: Numbers = high * np.int64(100_000_000) + low
        return value, good_high & good_low & (length >= 1) & (length <= 16)

    def json_whole(self, p: Numbers, q: Numbers) -> tuple[Numbers, Flags]:
        """As `whole`, without leading zeros, as JSON has them."""
        value, good = self.whole(p, q)
        return value, good & ((q - p == 1) | (self.characters[p] != ord("0")))

    def json_seconds(self, p: Numbers, q: Numbers) -> tuple[Times, Flags]:
        """Decimal seconds with at most nine places and neither sign nor exponent, as nanoseconds."""
        places = np.zeros(len(p), np.int64)
        for n in range(1, NANOSECOND_DIGITS + 1):
            places[(self.characters[q - 1 - n] == ord(".")) & (q - 1 - n > p)] = n
        point = q - places - (places > 0)
        seconds, good = self.json_whole(p, point)
        fraction, fine = self.whole(point + 1, q)
        fraction[places == 0] = 0
        time: Times = seconds * np.int64(SECOND) + fraction * TENS[NANOSECOND_DIGITS - places]
        return time, good & (fine | (places == 0)) & (seconds < TIME_LIMIT // SECOND)

    def hexadecimal(self, at: Numbers) -> tuple[Words, Flags]:
        """Eight lower-case hexadecimal digits from each position on, the first the most significant."""
        return _eight_hexadecimal(self.words(at))

    def whole_hexadecimal(self, p: Numbers, q: Numbers) -> tuple[Numbers, Flags]:
        """Lower-case hexadecimal integers of 1 to 15 digits."""
        length = q - p
        high, good_high = _eight_hexadecimal(_last(self.words(q - 16), np.clip(length - 8, 0, 8)))
        low, good_low = _eight_hexadecimal(_last(self.words(q - 8), np.clip(length, 0, 8)))
        value = (high << np.uint64(32) | low).astype(np.int64)
        return value, good_high & good_low & (length >= 1) & (length <= 15)

    def clock(self, at: Numbers) -> tuple[Numbers, Flags]:
        """Seconds since midnight from `HH:MM:SS`."""
        words = self.words(at)
        value, good = _eight_digits(words & ~COLON_PLACES | ZEROS & COLON_PLACES, np.full(len(at), 8))
        hours, minutes, seconds = value // 1_000_000, value // 1000 % 1000, value % 1000
        good &= (words & COLON_PLACES == COLONS) & (hours < 24) & (minutes < 60) & (seconds < 60)
        return hours * 3600 + minutes * 60 + seconds, good

    def back_to(self, character: bytes, q: Numbers, most: int) -> Numbers:
        """How many characters lie between the last *character* before each position and it; -1 if more than *most*."""
        between = np.full(len(q), -1)
        for n in range(most, -1, -1):
            between[self.characters[q - 1 - n] == ord(character)] = n
        return between


def _last(words: Words, length: Numbers) -> Words:
    """The last *length* characters (0 to 8) of each word, with zeros for the others."""
    keep = KEEP_LAST[length]
    return words & keep | ZEROS & ~keep


def _eight_hexadecimal(words: Words) -> tuple[Words, Flags]:
    high = words | HIGH
    digit = (high - _each(ord("0"))) & ~(high - _each(ord("9") + 1))
    letter = (high - _each(ord("a"))) & ~(high - _each(ord("f") + 1))
    good = ((digit | letter) & ~words & HIGH) == HIGH
    x = (words & LOW_NIBBLES) + (words >> np.uint64(6) & _each(1)) * np.uint64(9)
    x = (x << np.uint64(4) | x >> np.uint64(8)) & np.uint64(0x00FF_00FF_00FF_00FF)
    x = (x << np.uint64(8) | x >> np.uint64(16)) & np.uint64(0x0000_FFFF_0000_FFFF)
    return (x << np.uint64(16) | x >> np.uint64(32)) & np.uint64(0xFFFF_FFFF), good


def _eight_digits(words: Words, length: Numbers) -> tuple[Numbers, Flags]:
    """The last *length* characters (0 to 8) of each word as a decimal number."""
    words = _last(words, length)
    high = words | HIGH
    good = ((high - ZEROS) & ~(high - _each(ord("9") + 1)) & ~words & HIGH) == HIGH
    x = words & LOW_NIBBLES
    x = (x * np.uint64(10) + (x >> np.uint64(8))) & np.uint64(0x00FF_00FF_00FF_00FF)
    x = (x * np.uint64(100) + (x >> np.uint64(16))) & np.uint64(0x0000_FFFF_0000_FFFF)
    x = (x * np.uint64(10_000) + (x >> np.uint64(32))) & np.uint64(0xFFFF_FFFF)
    return x.astype(np.int64), good
