"""Old images of tracks that are kept for sending [0044] 730.

All of them are given up at once when an increment ends, so they are kept in groups: one number says which group counts, and
what is in another is swept away later, a little at a time.
"""

from __future__ import annotations

from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.store import Batch, Store


class PreservedImages:
    """At most one image for each track."""

    __slots__ = ("_group", "_kept", "_store", "_swept")

    def __init__(self, store: Store, tracks: int) -> None:
        self._store = store
        named = store.get(keys.GROUP)
        self._group = keys.unpacked(keys.number, named)[0] if named is not None else 0
        self._kept: set[int] = set()
        self._swept: list[bytes] = []
        for key in store.keys(keys.PRESERVED):
            group, track = keys.unpacked(keys.grouped, key)
            if track >= tracks:
                raise keys.DamagedError(f"the storage of the unit is damaged: it has no track {track}")
            if group == self._group:
                self._kept.add(track)
            else:
                self._swept.append(key)

    def __len__(self) -> int:
        """How many tracks have a preserved image."""
        return len(self._kept)

    def _key(self, track: int, batch: Batch) -> bytes:
        renamed = batch.get(keys.GROUP)
        group = self._group if renamed is None else keys.number.unpack(renamed)[0]
        return keys.grouped.pack(keys.PRESERVED, group, track)

    def keep(self, track: int, image: bytes, batch: Batch) -> None:
        """With the batch, the track has this image."""
        batch[self._key(track, batch)] = image

    def discard(self, track: int, batch: Batch) -> None:
        """With the batch, the track has none."""
        batch[self._key(track, batch)] = None

    def discard_all(self, batch: Batch) -> None:
        """With the batch, no track has one: it takes the same time for any number of them."""
        for key in [key for key in batch if key[0] == keys.PRESERVED[0]]:
            batch[key] = None
        if self._kept:
            batch[keys.GROUP] = keys.number.pack(self._group + 1)

    def follow(self, batch: Batch) -> None:
        """The batch is durable."""
        if keys.GROUP in batch:
            self._swept += [keys.grouped.pack(keys.PRESERVED, self._group, track) for track in self._kept]
            self._kept.clear()
            self._group += 1
        for key, value in batch.items():
            if key[0] == keys.PRESERVED[0]:
                _, group, track = keys.grouped.unpack(key)
                if group == self._group and value is not None:
                    self._kept.add(track)
                elif group == self._group:
                    self._kept.discard(track)

    def read(self, track: int) -> bytes:
        """The image of a track. Raises `KeyError` where it has none, `StorageFailedError` where it cannot be read."""
        image = self._store.get(self._key(track, {})) if track in self._kept else None
        if image is None:
            raise KeyError(f"track {track} has no preserved image")
        return image

    def sweep(self, limit: int) -> int:
        """Remove at most so many images that were given up; how many. Raises `StorageFailedError`."""
        some = self._swept[-limit:] if limit > 0 else []
        if some:
            self._store.commit(dict.fromkeys(some))
            del self._swept[-len(some) :]
        return len(some)
