"""The storage of a secondary: its record, the mirrors of its volumes, and their flash targets [0019-0021].

A transfer that is received is hardened when the commit returns: its contents are in the store, in one batch with the numbers
that refuse it a second time, and are destaged to their place later. Before a track that a target shares is overwritten, the
target gets the old contents to itself, in one of two ways:

- `Method.REDIRECT` [0020]: the new contents go to another place, and the target keeps the old one;
- `Method.COPY` [0021]: the old contents are copied to a place of the target and hardened there before anything is overwritten.

With a background copy every shared track is in the end copied to the target, whether it is overwritten or not.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from enum import StrEnum
from itertools import accumulate

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Change, Image, Put, Receive, Relate, Taint
from mirrorspec.impl.core.records import Relation, SecondaryRecord, relate
from mirrorspec.impl.storage import fields as record_fields
from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.layers import SPARE, Layers
from mirrorspec.impl.storage.places import Places
from mirrorspec.impl.storage.store import Batch, Store
from mirrorspec.impl.storage.trackfile import TrackFile
from mirrorspec.spec.charts import FlashRelation

SWEPT = 256
"""So many places are given back in one commit, when they are needed at once."""

_FIELDS = record_fields.kinds(SecondaryRecord)
_STATES = {state.id for state in FlashRelation.states}


class Method(StrEnum):
    """How a target keeps what its mirror overwrites."""

    REDIRECT = "redirect"
    COPY = "copy"


def target_tracks(shape: UnitShape, volume: int) -> int:
    """How many tracks the file of a volume's target has. It is sparse: only what is used takes room."""
    return SPARE * shape.volumes[volume]


def identity(shape: UnitShape) -> bytes:
    """What the store of such a secondary is marked with."""
    return keys.identity("secondary", shape)


class SecondaryStorage:
    """What a secondary has stored. One thread at a time."""

    def __init__(
        self,
        shape: UnitShape,
        store: Store,
        volumes: Sequence[TrackFile],
        targets: Sequence[TrackFile],
        *,
        method: Method = Method.COPY,
        background: bool = False,
    ) -> None:
        """Open what the store and the files hold; an empty store begins a unit.

        *volumes*: one file for each volume of the shape; *targets*: one of `target_tracks` for each. Method and background
        copy may be others than before. Raises `BadInputError` where the store is of another unit or is damaged.
        """
        keys.check_shape(shape, (1 + SPARE) * shape.tracks)
        keys.claim(store, identity(shape))
        self._shape, self._store, self._method, self._background = shape, store, method, background
        spare = [target_tracks(shape, volume) for volume in range(len(shape.volumes))]
        mirrors = list(zip(volumes, shape.volumes, strict=True))
        self._places = Places(store, [*mirrors, *zip(targets, spare, strict=True)])
        self._layers = Layers(shape, store)
        self._ends = list(accumulate(shape.volumes))
        self._relations = self.load().relations
        self._copied = [shape.first(volume) for volume in range(len(shape.volumes))]

    def load(self) -> SecondaryRecord:
        """The record as it is durable."""
        shape, store = self._shape, self._store
        relations = [Relation() for _ in shape.volumes]
        for key, value in store.items(keys.RELATION):
            (volume,) = keys.unpacked(keys.numbered, key)
            if volume >= len(relations):
                raise keys.DamagedError(f"the storage of the unit is damaged: it has no volume {volume}")
            relations[volume] = _relation(value)
        newest = {}
        for key, value in store.items(keys.NEWEST):
            (track,) = keys.unpacked(keys.numbered, key)
            epoch, sequence = keys.unpacked(keys.transfer, value)
            if track >= shape.tracks:
                raise keys.DamagedError(f"the storage of the unit is damaged: it has no track {track}")
            newest[track] = epoch, sequence
        found = record_fields.read(store, _FIELDS)
        return SecondaryRecord(len(shape.volumes), shape.tracks, **found, relations=relations, newest=newest)

    def commit(self, changes: Iterable[Change]) -> None:
        """Make the changes, in their order, durably and all or none.

        Raises `StorageFailedError` where they were not made, and then a later commit may succeed. Raises `ValueError`,
        `IndexError` or `TypeError` for a change that a secondary of this shape cannot make; nothing has changed then either.
        """
        changes = tuple(changes)
        received = [self._volume(change.track) for change in changes if type(change) is Receive]
        if received:
            self._make_room(received)
        batch: Batch = {}
        relations = self._relations
        try:
            for change in changes:
                if type(change) is Receive:
                    self._receive(change, batch)
                elif type(change) is Put:
                    record_fields.put(change, _FIELDS, batch)
                elif isinstance(change, Relate | Taint):
                    if relations is self._relations:
                        relations = list(relations)
                    self._relate(change, relations, batch)
                else:
                    raise TypeError(f"{change} is not a change of a secondary")
            if batch:
                self._store.commit(batch)
        except BaseException:
            self._layers.forget()
            raise
        self._relations = relations
        self._follow(batch)

    def _follow(self, batch: Batch) -> None:
        self._places.follow(batch)
        self._layers.follow(batch)

    def _volume(self, track: int) -> int:
        if not 0 <= track < self._shape.tracks:
            raise IndexError(f"there is no track {track} among {self._shape.tracks}")
        return bisect_right(self._ends, track)

    def _make_room(self, volumes: Sequence[int]) -> None:
        """Have a spare place for each of these tracks, by sweeping where need be."""
        while any(self._layers.room(volume) < wanted for volume, wanted in Counter(volumes).items()):
            if not self.sweep(SWEPT):
                return  # then `take` says so, if the place is needed at all

    def _receive(self, change: Receive, batch: Batch) -> None:
        track, volume, layers = change.track, self._volume(change.track), self._layers
        if len(change.data) != self._shape.track_bytes:
            raise ValueError(f"{len(change.data)} bytes for a track of {self._shape.track_bytes}")
        place = layers.mirror(track, batch)
        if not layers.held(volume, track, batch):
            new = layers.take(volume, track, batch)
            if self._method is Method.REDIRECT:
                layers.hold(volume, track, place, batch)
                layers.move(track, new, batch)
                place = new
            else:
                self._places.write(new, self._places.read(place, batch))
                self._places.flush()
                layers.hold(volume, track, new, batch)
        self._places.put(place, change.data, batch)
        batch[keys.numbered.pack(keys.NEWEST, track)] = keys.transfer.pack(change.epoch, change.sequence)

    def _relate(self, change: Relate | Taint, relations: list[Relation], batch: Batch) -> None:
        volume = change.volume
        if not 0 <= volume < len(relations):
            raise IndexError(f"there is no volume {volume} among {len(relations)}")
        relate(relations, change)
        batch[keys.numbered.pack(keys.RELATION, volume)] = _bytes(relations[volume])
        if isinstance(change, Relate):
            self._layers.relate(volume, change.act, batch)
            self._copied[volume] = self._shape.first(volume)

    def read(self, image: Image, track: int) -> bytes:
        """A whole track of `Image.MIRROR` or `Image.TARGET`. Raises `StorageFailedError` where it cannot be read."""
        volume = self._volume(track)
        if image is Image.MIRROR:
            return self._places.read(self._layers.mirror(track, {}), {})
        if image is Image.TARGET:
            address = self._layers.target(volume, track, {})
            return bytes(self._shape.track_bytes) if address is None else self._places.read(address, {})
        raise ValueError(f"a secondary has no image {image}")

    @property
    def waiting(self) -> int:
        """How many tracks wait to be destaged."""
        return len(self._places)

    def shared(self, volume: int) -> int:
        """How many tracks the target shares with its mirror. It looks at every track."""
        first = self._shape.first(volume)
        tracks = range(first, first + self._shape.volumes[volume])
        return sum(not self._layers.held(volume, track, {}) for track in tracks)

    def destage(self, limit: int) -> list[int]:
        """Bring at most so many contents to their places; the addresses. Raises `StorageFailedError`: nothing is lost."""
        return self._places.destage(limit)

    def copy_some(self, limit: int) -> int:
        """The background copy: look at most at so many tracks, and copy those that are shared; how many.

        0 where the relations are fully copied, or there is no background copy. Raises `StorageFailedError`: the images are as
        before, and those tracks are looked at again.
        """
        if not self._background:
            return 0
        for volume, tracks in enumerate(self._shape.volumes):
            end = self._shape.first(volume) + tracks
            while limit > 0 and self._copied[volume] < end:
                stop = min(self._copied[volume] + limit, end)
                limit -= stop - self._copied[volume]
                copied = self._copy(volume, range(self._copied[volume], stop))
                self._copied[volume] = stop
                if copied:
                    return copied
        return 0

    def _copy(self, volume: int, tracks: range) -> int:
        layers, places = self._layers, self._places
        shared = [track for track in tracks if not layers.held(volume, track, {})]
        if not shared:
            return 0
        self._make_room([volume] * len(shared))
        batch: Batch = {}
        try:
            for track in shared:
                new = layers.take(volume, track, batch)
                places.write(new, places.read(layers.mirror(track, batch), batch))
                layers.hold(volume, track, new, batch)
            places.flush()
            self._store.commit(batch)
        except BaseException:
            layers.forget()
            raise
        self._follow(batch)
        return len(shared)

    def sweep(self, limit: int) -> int:
        """Remove at most so many things that no image needs any more; how many changes that took, 0 where there are none.

        Raises `StorageFailedError`: the images are as before.
        """
        batch: Batch = {}
        try:
            for address in self._layers.sweep(limit, batch):
                self._places.forget(address, batch)
            if batch:
                self._store.commit(batch)
        except BaseException:
            self._layers.forget()
            raise
        self._follow(batch)
        return len(batch)

    def close(self) -> None:
        """Close the store and the files. Nothing that was committed depends on it."""
        self._places.close()
        self._store.close()


_RELATION = struct.Struct(f">{len(fields(Relation)) - 1}Q")


def _bytes(relation: Relation) -> bytes:
    state, *numbers = astuple(relation)
    return _RELATION.pack(*numbers) + str(state).encode()


def _relation(content: bytes) -> Relation:
    numbers = keys.unpacked(_RELATION, content[: _RELATION.size])
    state = content[_RELATION.size :].decode(errors="replace")
    if state not in _STATES:
        raise keys.DamagedError(f"the storage of the unit is damaged: {state!r} is no state of a flash relation")
    return Relation(state, *numbers)
