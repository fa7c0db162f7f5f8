"""The sets of tracks of a primary [0031-0034], and the two places in which they may lie [0033]: here wholly in the store.

They lie there in pages, so that one mark rewrites one small page. The other placement is `bitmap_copy`. Both answer alike, and
take the same time for a mark at every size of the unit.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from mirrorspec.impl.core.outcome import Bitmap
from mirrorspec.impl.core.tracks import TrackSet
from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.store import Batch, Store

ORDER = tuple(Bitmap)
"""A bitmap's number in keys and copies is its place here."""
PAGE_BYTES = 256
"""A page has the bits of 2,048 tracks: small beside the page of a medium, and the pages of a large volume stay few."""


class Placement(StrEnum):
    """Where the bitmaps lie [0033]."""

    NVS = "nvs"
    """Wholly in the store."""
    COPY_ON_DISK = "copy_on_disk"
    """In memory, with a copy on disk; only the changes since that copy are in the store."""


class Bitmaps(Protocol):
    """Changes of the bitmaps join a batch; once that is durable, `follow` is told."""

    def prepare(self) -> None:
        """Called before a batch is put together. Raises `StorageFailedError`; nothing has changed then."""

    def mark(self, bitmap: Bitmap, track: int, batch: Batch) -> None:
        """The track enters the bitmap."""

    def clear(self, bitmap: Bitmap, track: int, batch: Batch) -> None:
        """The track leaves the bitmap."""

    def fill(self, bitmap: Bitmap, batch: Batch) -> None:
        """Every track enters the bitmap."""

    def merge(self, batch: Batch) -> None:
        """Change recording enters out-of-sync; it and `Bitmap.PRESERVED` are emptied [0048] 858."""

    def follow(self, batch: Batch) -> None:
        """The batch is durable."""

    def load(self) -> dict[Bitmap, TrackSet]:
        """The bitmaps as they are durable."""
        ...

    def close(self) -> None:
        """Let go of what is held."""


class NvsBitmaps:
    """Pages in the store. A page of zeros is not kept."""

    __slots__ = ("_numbers", "_page_bytes", "_pages", "_store", "_tracks")

    def __init__(self, store: Store, tracks: int) -> None:
        self._store, self._tracks = store, tracks
        self._page_bytes = min(PAGE_BYTES, (tracks + 7) // 8)
        self._numbers = {bitmap: keys.PAGE + bytes([n]) for n, bitmap in enumerate(ORDER)}
        self._pages: dict[bytes, bytes] = dict(store.items(keys.PAGE))
        self.load()

    def prepare(self) -> None:
        """Nothing is needed."""

    def _key(self, bitmap: Bitmap, page: int) -> bytes:
        return self._numbers[bitmap] + page.to_bytes(4, "big")

    def _change(self, bitmap: Bitmap, track: int, wanted: bool, batch: Batch) -> None:
        page, place = divmod(track >> 3, self._page_bytes)
        key = self._key(bitmap, page)
        content = bytearray((batch[key] if key in batch else self._pages.get(key)) or bytes(self._page_bytes))
        bit = 1 << (track & 7)
        if bool(content[place] & bit) != wanted:
            content[place] ^= bit
            batch[key] = bytes(content) if wanted or any(content) else None

    def mark(self, bitmap: Bitmap, track: int, batch: Batch) -> None:
        """The track enters the bitmap."""
        self._change(bitmap, track, True, batch)

    def clear(self, bitmap: Bitmap, track: int, batch: Batch) -> None:
        """The track leaves the bitmap."""
        self._change(bitmap, track, False, batch)

    def fill(self, bitmap: Bitmap, batch: Batch) -> None:
        """Every track enters the bitmap: all of its pages are written."""
        content = ((1 << self._tracks) - 1).to_bytes((self._tracks + 7) // 8, "little")
        for page, start in enumerate(range(0, len(content), self._page_bytes)):
            batch[self._key(bitmap, page)] = content[start : start + self._page_bytes].ljust(self._page_bytes, b"\0")

    def _now(self, bitmap: Bitmap, batch: Batch) -> dict[bytes, bytes]:
        """The pages of a bitmap with the changes of the batch."""
        prefix = self._numbers[bitmap]
        now: dict[bytes, bytes | None] = {k: v for k, v in self._pages.items() if k.startswith(prefix)}
        now.update((k, v) for k, v in batch.items() if k.startswith(prefix))
        return {k: v for k, v in now.items() if v is not None}

    def merge(self, batch: Batch) -> None:
        """Change recording enters out-of-sync: the pages that hold anything are rewritten."""
        target = self._numbers[Bitmap.OUT_OF_SYNC]
        for key, content in self._now(Bitmap.CHANGE_RECORDING, batch).items():
            into = target + key[2:]
            old = (batch[into] if into in batch else self._pages.get(into)) or b""
            both = int.from_bytes(old, "little") | int.from_bytes(content, "little")
            batch[into] = both.to_bytes(self._page_bytes, "little")
            batch[key] = None
        for key in self._now(Bitmap.PRESERVED, batch):
            batch[key] = None

    def follow(self, batch: Batch) -> None:
        """The batch is durable."""
        for key, value in batch.items():
            if key[0] == keys.PAGE[0]:
                if value is None:
                    self._pages.pop(key, None)
                else:
                    self._pages[key] = value

    def load(self) -> dict[Bitmap, TrackSet]:
        """The bitmaps as they are durable. Raises `DamagedError` where the pages do not fit the unit."""
        length = (self._tracks + 7) // 8
        contents = {
            number: bytearray(-(-length // self._page_bytes) * self._page_bytes) for number in range(len(ORDER))
        }
        for key, value in self._pages.items():
            start = int.from_bytes(key[2:], "big") * self._page_bytes
            content = contents.get(key[1]) if len(key) == 6 else None
            if content is None or start >= len(content) or len(value) != self._page_bytes:
                raise keys.DamagedError(f"the storage of the unit is damaged: {key.hex()} is no page of a bitmap")
            content[start : start + self._page_bytes] = value
        return {bitmap: track_set(self._tracks, bytes(contents[n]), length) for n, bitmap in enumerate(ORDER)}

    def close(self) -> None:
        """Nothing is held but the store."""


def track_set(tracks: int, content: bytes, length: int) -> TrackSet:
    """The set of so many tracks whose bitmap is the first *length* bytes. Raises `DamagedError` for a bit beyond them."""
    try:
        if any(content[length:]):
            raise ValueError("bits beyond the last track")
        return TrackSet.of_bytes(tracks, content[:length])
    except ValueError:
        raise keys.DamagedError(
            "the storage of the unit is damaged: a bitmap has a bit beyond the last track"
        ) from None
