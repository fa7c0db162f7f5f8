"""The storage of a primary: its record, its bitmaps, and its volumes behind a cache [0017, 0029-0034].

A host's write is complete when its track's whole image is in the store, in the same batch as its mark; from there it is
destaged to its volume in the background. Images are also kept in memory, the most recently used ones: a track is *promoted*
when it is written or read, *staged* from its volume when it must be read first, and *demoted* when room is needed or somebody
asks. Demoting loses nothing, also before destaging, since the store has the image too.

The state in memory follows what has been committed and nothing else, so a commit that fails has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Bitmap, Change, Clear, Discard, Fill, Image, Mark, Merge, Preserve, Put, Write
from mirrorspec.impl.core.records import PrimaryRecord
from mirrorspec.impl.storage import fields, keys
from mirrorspec.impl.storage.bitmap_copy import MOST_CHANGES, CopyBitmaps
from mirrorspec.impl.storage.bitmaps import Bitmaps, NvsBitmaps, Placement
from mirrorspec.impl.storage.places import Places
from mirrorspec.impl.storage.preserved import PreservedImages
from mirrorspec.impl.storage.store import Batch, MemoryStore, Store
from mirrorspec.impl.storage.trackfile import TrackFile

CACHED_TRACKS = 1024
"""So many images are kept in memory."""

_FIELDS = fields.kinds(PrimaryRecord)


def identity(shape: UnitShape, preserved_durable: bool, placement: Placement) -> bytes:
    """What the store of such a primary is marked with: a store cannot be used with other options than it was begun with."""
    preserved = "preserved images durable" if preserved_durable else "preserved images in memory"
    return keys.identity("primary", shape, (f"bitmaps {placement}", preserved))


class PrimaryStorage:
    """What a primary has stored. One thread at a time."""

    def __init__(
        self,
        shape: UnitShape,
        store: Store,
        volumes: Sequence[TrackFile],
        *,
        preserved_durable: bool = True,
        placement: Placement = Placement.NVS,
        copies: TrackFile | None = None,
        most_changes: int = MOST_CHANGES,
        cached_tracks: int = CACHED_TRACKS,
    ) -> None:
        """Open what the store and the volumes hold; an empty store begins a unit.

        *volumes*: one file for each volume of the shape. *copies*, for `Placement.COPY_ON_DISK`: two tracks of
        `bitmap_copy.copy_bytes`, renewed after *most_changes*. Without *preserved_durable* preserved images are in memory
        only, and none is found again. *cached_tracks*: so many images are kept in memory. Raises `BadInputError` where the
        store is of another unit or was used with other options, or is damaged.
        """
        keys.check_shape(shape, shape.tracks)
        keys.claim(store, identity(shape, preserved_durable, placement))
        self._shape, self._store, self._durable = shape, store, preserved_durable
        self._places = Places(store, list(zip(volumes, shape.volumes, strict=True)))
        self._bitmaps: Bitmaps
        if placement is Placement.NVS:
            self._bitmaps = NvsBitmaps(store, shape.tracks)
        elif copies is not None:
            self._bitmaps = CopyBitmaps(store, shape.tracks, copies, most_changes)
        else:
            raise ValueError("this placement needs a file for the copies")
        self._preserved_store = store if preserved_durable else MemoryStore()
        self._preserved = PreservedImages(self._preserved_store, shape.tracks)
        self._cache: dict[int, bytes] = {}
        self._most = max(cached_tracks, 1)
        self._stage: dict[type[Any], Callable[[Any, Batch, Batch], None]] = {
            Put: lambda change, batch, _: fields.put(change, _FIELDS, batch),
            Write: self._write,
            Mark: self._mark,
            Clear: self._clear,
            Preserve: self._preserve,
            Discard: self._discard,
            Merge: self._merge,
            Fill: self._fill,
        }

    def load(self) -> PrimaryRecord:
        """The record as it is durable."""
        bitmaps = self._bitmaps.load()
        return PrimaryRecord(self._shape.tracks, **fields.read(self._store, _FIELDS), bitmaps=bitmaps)

    def commit(self, changes: Iterable[Change]) -> None:
        """Make the changes, in their order, durably and all or none.

        Raises `StorageFailedError` where they were not made, and then a later commit may succeed. Raises `ValueError`,
        `IndexError` or `TypeError` for a change that a primary of this shape cannot make; nothing has changed then either.
        """
        self._bitmaps.prepare()
        batch: Batch = {}
        kept: Batch = batch if self._durable else {}
        for change in changes:
            stage = self._stage.get(type(change))
            if stage is None:
                raise TypeError(f"{change} is not a change of a primary")
            stage(change, batch, kept)
        if batch:
            self._store.commit(batch)
        if kept is not batch and kept:
            self._preserved_store.commit(kept)
        self._places.follow(batch)
        self._bitmaps.follow(batch)
        self._preserved.follow(kept)
        for key, image in batch.items():
            if key[0] == keys.JOURNAL[0] and image is not None:
                self._promote(int.from_bytes(key[1:], "big"), image)

    def _checked(self, track: int) -> int:
        if not 0 <= track < self._shape.tracks:
            raise IndexError(f"there is no track {track} among {self._shape.tracks}")
        return track

    def _image(self, track: int, batch: Batch) -> bytes:
        """A track's image in the cache, with the changes of the batch; promoted only where the batch has not changed it."""
        if keys.numbered.pack(keys.JOURNAL, track) in batch:
            return self._places.read(track, batch)
        image = self._cache.get(track)
        if image is None:
            image = self._places.read(track, batch)
            self._promote(track, image)
        return image

    def _promote(self, track: int, image: bytes) -> None:
        cache = self._cache
        cache.pop(track, None)
        cache[track] = image
        if len(cache) > self._most:
            del cache[next(iter(cache))]

    def _write(self, change: Write, batch: Batch, _: Batch) -> None:
        track, start, end = self._checked(change.track), change.offset, change.offset + len(change.data)
        if change.image is not Image.CACHE or start < 0 or end > self._shape.track_bytes:
            raise ValueError(f"{change.image} of track {track} from {start} to {end} cannot be written")
        image = change.data
        if len(image) != self._shape.track_bytes:
            old = self._image(track, batch)
            image = old[:start] + image + old[end:]
        self._places.put(track, image, batch)

    def _mark(self, change: Mark, batch: Batch, _: Batch) -> None:
        if self._durable or change.bitmap is not Bitmap.PRESERVED:
            self._bitmaps.mark(change.bitmap, self._checked(change.track), batch)

    def _clear(self, change: Clear, batch: Batch, _: Batch) -> None:
        if self._durable or change.bitmap is not Bitmap.PRESERVED:
            self._bitmaps.clear(change.bitmap, self._checked(change.track), batch)

    def _fill(self, change: Fill, batch: Batch, _: Batch) -> None:
        if self._durable or change.bitmap is not Bitmap.PRESERVED:
            self._bitmaps.fill(change.bitmap, batch)

    def _preserve(self, change: Preserve, batch: Batch, kept: Batch) -> None:
        track = self._checked(change.track)
        self._preserved.keep(track, self._image(track, batch), kept)
        if self._durable:
            self._bitmaps.mark(Bitmap.PRESERVED, track, batch)

    def _discard(self, change: Discard, batch: Batch, kept: Batch) -> None:
        track = self._checked(change.track)
        self._preserved.discard(track, kept)
        if self._durable:
            self._bitmaps.clear(Bitmap.PRESERVED, track, batch)

    def _merge(self, _change: Merge, batch: Batch, kept: Batch) -> None:
        self._preserved.discard_all(kept)
        self._bitmaps.merge(batch)

    def read(self, image: Image, track: int) -> bytes:
        """A whole track of `Image.CACHE` or `Image.PRESERVED`.

        Raises `KeyError` where the track has no preserved image, `StorageFailedError` where it cannot be read.
        """
        self._checked(track)
        if image is Image.CACHE:
            return self._image(track, {})
        if image is Image.PRESERVED:
            return self._preserved.read(track)
        raise ValueError(f"a primary has no image {image}")

    @property
    def waiting(self) -> int:
        """How many tracks wait to be destaged."""
        return len(self._places)

    @property
    def cached(self) -> int:
        """How many tracks have their image in memory."""
        return len(self._cache)

    @property
    def preserved(self) -> int:
        """How many tracks have a preserved image."""
        return len(self._preserved)

    def destage(self, limit: int) -> list[int]:
        """Bring at most so many tracks to their volumes; which. They stay in the cache [0030].

        Raises `StorageFailedError`: nothing is lost, and those tracks are brought again.
        """
        return self._places.destage(limit)

    def demote(self, track: int) -> bool:
        """Give up the room of a track's image in memory [0030]; whether it had any."""
        return self._cache.pop(track, None) is not None

    def promote(self, track: int) -> None:
        """Have a track's image in memory, staged from its volume where need be. Raises `StorageFailedError`."""
        self._image(self._checked(track), {})

    def sweep(self, limit: int) -> int:
        """Remove at most so many preserved images that were given up; how many. Raises `StorageFailedError`."""
        return self._preserved.sweep(limit)

    def close(self) -> None:
        """Close the store and the files. Nothing that was committed depends on it."""
        self._places.close()
        self._bitmaps.close()
        self._store.close()
