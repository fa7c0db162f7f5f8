"""The bitmaps of a primary in memory, with a copy on disk, and in the store only the changes since that copy [0033].

The changes are kept in their order. When there are many, the copy is renewed: the new one is written beside the old and
flushed, and one commit both names it and drops the changes. A copy carries its number, so the store says which of the two
counts, and whatever a crash leaves of the other is never read.
"""

from __future__ import annotations

import struct
import zlib

from mirrorspec.impl.core.outcome import Bitmap
from mirrorspec.impl.core.tracks import TrackSet
from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.bitmaps import ORDER, track_set
from mirrorspec.impl.storage.store import Batch, Store
from mirrorspec.impl.storage.trackfile import TrackFile

MOST_CHANGES = 4096
"""So many changes since the copy, and it is renewed: a restart reads few more than these."""

_HEADER = struct.Struct(">4sIQI")
"""The magic, the unit's tracks, the number of the copy, the checksum of what follows."""
_MAGIC = b"mspb"
_CHANGE = struct.Struct(">BBI")
"""What is done, to which bitmap, with which track."""
_MARK, _CLEAR, _FILL, _MERGE = b"mcfj"


def copy_bytes(tracks: int) -> int:
    """The length of a copy of the bitmaps of so many tracks: the track file that holds the copies has two such tracks."""
    return _HEADER.size + len(ORDER) * ((tracks + 7) // 8)


class CopyBitmaps:
    """Bitmaps in memory, changes in the store, and two copies on disk of which one counts."""

    __slots__ = ("_copies", "_first", "_most", "_next", "_number", "_sets", "_store", "_tracks")

    def __init__(self, store: Store, tracks: int, copies: TrackFile, most_changes: int = MOST_CHANGES) -> None:
        """*copies* holds two tracks of `copy_bytes`. Raises `DamagedError` where copy and changes do not fit together."""
        self._store, self._tracks, self._copies, self._most = store, tracks, copies, most_changes
        named = store.get(keys.COPY)
        self._number = keys.unpacked(keys.number, named)[0] if named is not None else 0
        self._sets = self._read_copy() if self._number else {bitmap: TrackSet(tracks) for bitmap in ORDER}
        self._first = self._next = 0
        for key, value in store.items(keys.CHANGE):
            (place,) = keys.unpacked(keys.counted, key)
            if self._next and place != self._next:
                raise keys.DamagedError(
                    f"the storage of the unit is damaged: change {self._next} of the bitmaps is missing"
                )
            self._first = self._first if self._next else place
            self._next = place + 1
            self._apply(value)

    def _read_copy(self) -> dict[Bitmap, TrackSet]:
        content = self._copies.read(self._number % 2)
        magic, tracks, number, check = _HEADER.unpack_from(content)
        rest = content[_HEADER.size :]
        if (magic, tracks, number, check) != (_MAGIC, self._tracks, self._number, zlib.crc32(rest)):
            raise keys.DamagedError(f"copy {self._number} of the bitmaps is damaged or missing")
        length = (self._tracks + 7) // 8
        return {
            bitmap: track_set(self._tracks, rest[n * length : (n + 1) * length], length)
            for n, bitmap in enumerate(ORDER)
        }

    def prepare(self) -> None:
        """Renew the copy where there are many changes since. Raises `StorageFailedError`; nothing has changed then."""
        if self._next - self._first >= self._most:
            self.renew()

    def renew(self) -> None:
        """Write the bitmaps to disk beside the copy that counts, and let them count. Raises `StorageFailedError`."""
        number = self._number + 1
        rest = b"".join(self._sets[bitmap].content() for bitmap in ORDER)
        header = _HEADER.pack(_MAGIC, self._tracks, number, zlib.crc32(rest))
        self._copies.write(number % 2, header + rest)
        self._copies.flush()
        batch: Batch = {keys.counted.pack(keys.CHANGE, n): None for n in range(self._first, self._next)}
        batch[keys.COPY] = keys.number.pack(number)
        self._store.commit(batch)
        self._number, self._first = number, self._next

    def _add(self, batch: Batch, kind: int, bitmap: Bitmap = Bitmap.OUT_OF_SYNC, track: int = 0) -> None:
        staged = sum(key[0] == keys.CHANGE[0] for key in batch)
        batch[keys.counted.pack(keys.CHANGE, self._next + staged)] = _CHANGE.pack(kind, ORDER.index(bitmap), track)

    def mark(self, bitmap: Bitmap, track: int, batch: Batch) -> None:
        """The track enters the bitmap."""
        self._add(batch, _MARK, bitmap, track)

    def clear(self, bitmap: Bitmap, track: int, batch: Batch) -> None:
        """The track leaves the bitmap."""
        self._add(batch, _CLEAR, bitmap, track)

    def fill(self, bitmap: Bitmap, batch: Batch) -> None:
        """Every track enters the bitmap."""
        self._add(batch, _FILL, bitmap)

    def merge(self, batch: Batch) -> None:
        """Change recording enters out-of-sync; it and `Bitmap.PRESERVED` are emptied."""
        self._add(batch, _MERGE)

    def follow(self, batch: Batch) -> None:
        """The batch is durable."""
        for key, value in batch.items():
            if key[0] == keys.CHANGE[0] and value is not None:
                self._apply(value)
                self._next += 1

    def _apply(self, change: bytes) -> None:
        kind, place, track = keys.unpacked(_CHANGE, change)
        if place >= len(ORDER) or track >= self._tracks:
            raise keys.DamagedError(f"the storage of the unit is damaged: {change.hex()} is no change of a bitmap")
        sets = self._sets
        if kind == _MARK:
            sets[ORDER[place]].mark(track)
        elif kind == _CLEAR:
            sets[ORDER[place]].clear(track)
        elif kind == _FILL:
            sets[ORDER[place]].fill()
        elif kind == _MERGE:
            sets[Bitmap.OUT_OF_SYNC].join(sets[Bitmap.CHANGE_RECORDING])
            sets[Bitmap.CHANGE_RECORDING].empty()
            sets[Bitmap.PRESERVED].empty()
        else:
            raise keys.DamagedError(f"the storage of the unit is damaged: {change.hex()} is no change of a bitmap")

    def load(self) -> dict[Bitmap, TrackSet]:
        """The bitmaps as they are durable."""
        return {bitmap: TrackSet.of_bytes(self._tracks, found.content()) for bitmap, found in self._sets.items()}

    def close(self) -> None:
        """Close the file of the copies."""
        self._copies.close()
