"""Which place holds the contents of each track, in the mirror of a volume and in its flash target [0020-0021].

The target's image is a list of *layers*. A layer holds some tracks, each at a place of its own; a track is looked up in the
layers in their order, and where none holds it, in the mirror, with which the target then shares it. So

- a flash puts one new, empty layer in the place of the list: the target is now the mirror. The list of before is kept as the
  way back, and goes on below the new one: what neither holds is shared with the mirror too;
- whoever changes a track of the mirror that the target shares first lets the newest layer hold the old contents;
- a withdrawal puts the list of before in front of the list of now; a commit gives the list of before up.

None of these takes longer for a larger volume. Layers that nobody lists are swept away later, and layers that stand in one list
are merged, a little at a time; neither changes any image. Before its first flash a target is layer 0, which holds zeros.

Addresses below the unit's number of tracks are *homes*, the tracks of the volumes' own files; the others are *spare*, in the
files of the targets. Every place belongs to one mirror track, or to one track of one layer, or is free.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.store import Batch, StorageFailedError, Store

SPARE = 3
"""Spare places for each track. Mirror, target and the way back need at most three places for a track, one of them its home; a
batch that makes one of them anew and gives another up needs one more for a moment."""
ZEROS = 0
"""The layer that holds every track as zeros."""


@dataclass(frozen=True, slots=True)
class Target:
    """The layers of a flash target, the first to be looked into first, and those that lead back before the last flash."""

    layers: tuple[int, ...] = (ZEROS,)
    previous: tuple[int, ...] = ()
    """Empty where there is no way back."""


class Layers:
    """Places of mirrors and targets. Changes join a batch; `follow` is told that it is durable, `forget` that it is not."""

    __slots__ = (
        "_entries",
        "_freed",
        "_fresh",
        "_layer",
        "_mirror",
        "_room",
        "_shape",
        "_starts",
        "_taken",
        "_targets",
    )

    def __init__(self, shape: UnitShape, store: Store) -> None:
        """Raises `DamagedError` where the store holds what cannot be."""
        self._shape = shape
        tracks = shape.tracks
        self._starts = [tracks + SPARE * shape.first(v) for v in range(len(shape.volumes) + 1)]
        self._targets = [Target() for _ in shape.volumes]
        self._entries: dict[int, dict[int, int]] = {}
        self._mirror: dict[int, int] = {}
        used = set()
        for key, value in store.items(keys.FLASH):
            (volume,) = keys.unpacked(keys.numbered, key)
            if volume >= len(shape.volumes):
                raise keys.DamagedError(f"the storage of the unit is damaged: it has no volume {volume}")
            self._targets[volume] = _of_bytes(value)
        for form, prefix in ((keys.grouped, keys.LAYER), (keys.numbered, keys.MIRROR)):
            for key, value in store.items(prefix):
                *layer, track = keys.unpacked(form, key)
                (address,) = keys.unpacked(keys.address, value)
                if track >= tracks or not (address == track or self._spare(track, address)) or address in used:
                    raise keys.DamagedError(
                        f"the storage of the unit is damaged: track {track} cannot be at place {address}"
                    )
                used.add(address)
                self._place(layer[0] if layer else None, track, address)
        seen = [*self._entries, *(n for t in self._targets for n in (*t.layers, *t.previous))]
        self._layer = max(seen, default=0)
        self._fresh = list(self._starts[:-1])
        self._room: list[list[int]] = []
        for address in used:
            if address >= tracks:
                volume = bisect_right(self._starts, address) - 1
                self._fresh[volume] = max(self._fresh[volume], address + 1)
        for volume, start in enumerate(self._starts[:-1]):
            self._room.append([address for address in range(start, self._fresh[volume]) if address not in used])
        self._taken: list[tuple[int, int]] = []
        self._freed: list[tuple[int, int]] = []

    def _spare(self, track: int, address: int) -> bool:
        volume = self._shape.volume(track)
        return self._starts[volume] <= address < self._starts[volume + 1]

    def _place(self, layer: int | None, track: int, address: int | None) -> None:
        held = self._mirror if layer is None else self._entries.setdefault(layer, {})
        if address is None:
            held.pop(track, None)
            if layer is not None and not held:
                del self._entries[layer]
        else:
            held[track] = address

    # Where contents are, with the changes of a batch

    def mirror(self, track: int, batch: Batch) -> int:
        """The address of a track of the mirror."""
        key = keys.numbered.pack(keys.MIRROR, track)
        if key in batch:
            value = batch[key]
            return track if value is None else int.from_bytes(value, "big")
        return self._mirror.get(track, track)

    def _entry(self, layer: int, track: int, batch: Batch) -> int | None:
        key = keys.grouped.pack(keys.LAYER, layer, track)
        if key in batch:
            value = batch[key]
            return None if value is None else int.from_bytes(value, "big")
        return self._entries.get(layer, {}).get(track)

    def _target(self, volume: int, batch: Batch) -> Target:
        value = batch.get(keys.numbered.pack(keys.FLASH, volume))
        return self._targets[volume] if value is None else _of_bytes(value)

    def held(self, volume: int, track: int, batch: Batch) -> bool:
        """Whether the target has contents of its own for the track, not shared with the mirror."""
        layers = self._target(volume, batch).layers
        return any(layer == ZEROS or self._entry(layer, track, batch) is not None for layer in layers)

    def target(self, volume: int, track: int, batch: Batch) -> int | None:
        """The address of a track of the target, None where it holds zeros."""
        for layer in self._target(volume, batch).layers:
            if layer == ZEROS:
                return None
            address = self._entry(layer, track, batch)
            if address is not None:
                return address
        return self.mirror(track, batch)

    # Changes, which join a batch

    def room(self, volume: int) -> int:
        """How many spare places of the volume are free."""
        return len(self._room[volume]) + self._starts[volume + 1] - self._fresh[volume]

    def take(self, volume: int, track: int, batch: Batch) -> int:
        """A free place for contents of the track: its home where that is free. Raises `StorageFailedError` where none is."""
        if (
            self.mirror(track, batch) != track
            and self._mirror.get(track, track) != track
            and track not in self._claimed(track)
        ):
            address = track
        elif self._room[volume]:
            address = self._room[volume].pop()
        elif self._fresh[volume] < self._starts[volume + 1]:
            address = self._fresh[volume]
            self._fresh[volume] += 1
        else:
            raise StorageFailedError(f"volume {volume} has no free place until layers have been swept")
        self._taken.append((volume, address))
        return address

    def _claimed(self, track: int) -> set[int]:
        """The places of a track in layers, and those just taken."""
        return {held[track] for held in self._entries.values() if track in held} | {
            address for _, address in self._taken
        }

    def hold(self, volume: int, track: int, address: int, batch: Batch) -> None:
        """The newest layer of the target holds the track there."""
        layer = self._target(volume, batch).layers[0]
        batch[keys.grouped.pack(keys.LAYER, layer, track)] = keys.address.pack(address)

    def move(self, track: int, address: int, batch: Batch) -> None:
        """The mirror has the track there; where it was before now belongs to somebody else."""
        batch[keys.numbered.pack(keys.MIRROR, track)] = None if address == track else keys.address.pack(address)

    def relate(self, volume: int, act: str, batch: Batch) -> None:
        """An event of the volume's flash relation: see `outcome.Relate`."""
        old = self._target(volume, batch)
        if act == "flash":
            self._layer += 1
            new = Target((self._layer,), old.layers)
        elif act == "withdraw" and old.previous:
            # Whatever stands behind layer 0 is never looked at.
            new = Target(old.previous if ZEROS in old.previous else old.previous + old.layers)
        else:
            new = Target(old.layers)
        if new != old:
            batch[keys.numbered.pack(keys.FLASH, volume)] = _bytes(new)

    def sweep(self, limit: int, batch: Batch) -> list[int]:
        """Put together at most so many removals of what nobody needs; the addresses that are free with them.

        First layers that nobody lists, then the merge of two layers of one list, the smaller into the other. An empty batch
        says that there is nothing to sweep.
        """
        listed = {layer for t in self._targets for layer in (*t.layers, *t.previous)}
        unlisted = ((layer, track) for layer in self._entries if layer not in listed for track in self._entries[layer])
        gone = list(islice(unlisted, limit))
        for layer, track in gone:
            self._free(layer, track, batch)
        if not gone:
            for volume, target in enumerate(self._targets):
                if not batch and len(target.layers) > 1:
                    merged = self._merge(target.layers, limit, batch)
                    self._rewrite(volume, Target(merged, target.previous), batch)
                if not batch and len(target.previous) > 1:
                    merged = self._merge(target.previous, limit, batch)
                    self._rewrite(volume, Target(target.layers, merged), batch)
        return [address for _, address in self._freed]

    def _merge(self, listed: Sequence[int], limit: int, batch: Batch) -> tuple[int, ...]:
        """Move tracks between the first two layers of a list, which reads the same after each. The new list."""
        upper, lower = listed[:2]
        above, below = self._entries.get(upper, {}), self._entries.get(lower, {})
        source, goal = (upper, lower) if len(above) <= len(below) else (lower, upper)
        moving = self._entries.get(source, {})
        for track in islice(moving, limit):
            if source == upper and track in below:
                self._free(lower, track, batch)
            if source == lower and track in above:
                self._free(lower, track, batch)
            else:
                batch[keys.grouped.pack(keys.LAYER, source, track)] = None
                batch[keys.grouped.pack(keys.LAYER, goal, track)] = keys.address.pack(moving[track])
        return tuple(listed) if len(moving) > limit else tuple(layer for layer in listed if layer != source)

    def _rewrite(self, volume: int, target: Target, batch: Batch) -> None:
        if target != self._targets[volume]:
            batch[keys.numbered.pack(keys.FLASH, volume)] = _bytes(target)

    def _free(self, layer: int, track: int, batch: Batch) -> None:
        batch[keys.grouped.pack(keys.LAYER, layer, track)] = None
        self._freed.append((self._shape.volume(track), self._entries[layer][track]))

    # What became of the batch

    def follow(self, batch: Batch) -> None:
        """The batch is durable."""
        for key, value in batch.items():
            first, rest = key[:1], key[1:]
            address = int.from_bytes(value, "big") if value is not None else None
            if first == keys.LAYER:
                self._place(int.from_bytes(rest[:8], "big"), int.from_bytes(rest[8:], "big"), address)
            elif first == keys.MIRROR:
                self._place(None, int.from_bytes(rest, "big"), address)
            elif first == keys.FLASH and value is not None:
                self._targets[int.from_bytes(rest, "big")] = _of_bytes(value)
        self._give_back(self._freed)

    def forget(self) -> None:
        """The batch has not been made."""
        self._give_back(self._taken)

    def _give_back(self, places: list[tuple[int, int]]) -> None:
        for volume, address in places:
            if address >= self._shape.tracks:
                self._room[volume].append(address)
        self._taken, self._freed = [], []


def _bytes(target: Target) -> bytes:
    return struct.pack(
        f">I{len(target.layers) + len(target.previous)}Q", len(target.layers), *target.layers, *target.previous
    )


def _of_bytes(content: bytes) -> Target:
    length, odd = divmod(len(content) - 4, 8)
    numbers = () if odd or length < 1 else struct.unpack(f">I{length}Q", content)
    if not numbers or not 1 <= numbers[0] <= length:
        raise keys.DamagedError(f"the storage of the unit is damaged: {content[:16].hex()} are no layers of a target")
    return Target(numbers[1 : 1 + numbers[0]], numbers[1 + numbers[0] :])
