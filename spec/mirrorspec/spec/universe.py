"""How many of everything there are: what a bounded reading needs to know, and nothing that the protocol does.

A universe is written as the tracks of the volumes of the units and the number of writes to each track:
``((2,),), ((1,),)`` is two units with one volume of one track each, two writes to the first and one to the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from mirrorspec.spec.sorts import Sort

Layout = tuple[tuple[tuple[int, ...], ...], ...]
"""Units, their volumes, their tracks; each track is the number of writes to it."""


@dataclass(frozen=True, slots=True)
class Universe:
    """A finite number of things of each sort; each is known by its index, a set of them is a word of bits."""

    sizes: dict[Sort, int]
    owners: dict[tuple[Sort, Sort], tuple[int, ...]]
    layout: Layout
    sessions: int

    @classmethod
    def of(cls, layout: Sequence[Sequence[Sequence[int]]], sessions: int = 1) -> Universe:
        """The universe of that layout with so many sessions, numbered from the lowest."""
        shape: Layout = tuple(tuple(tuple(tracks) for tracks in unit) for unit in layout)
        volume_unit = tuple(u for u, unit in enumerate(shape) for _ in unit)
        volumes = [volume for unit in shape for volume in unit]
        track_volume = tuple(v for v, volume in enumerate(volumes) for _ in volume)
        tracks = [track for volume in volumes for track in volume]
        write_track = tuple(t for t, writes in enumerate(tracks) for _ in range(writes))
        channels = tuple(product(range(sessions), range(len(shape))))
        return cls(
            {
                Sort.SESSION: sessions,
                Sort.UNIT: len(shape),
                Sort.VOLUME: len(volumes),
                Sort.TRACK: len(tracks),
                Sort.WRITE: len(write_track),
                Sort.CHANNEL: len(channels),
            },
            {
                (Sort.WRITE, Sort.TRACK): write_track,
                (Sort.TRACK, Sort.VOLUME): track_volume,
                (Sort.VOLUME, Sort.UNIT): volume_unit,
                (Sort.CHANNEL, Sort.SESSION): tuple(k for k, _ in channels),
                (Sort.CHANNEL, Sort.UNIT): tuple(u for _, u in channels),
            },
            shape,
            sessions,
        )

    def full(self, sort: Sort) -> int:
        """The word in which every thing of the sort is present."""
        return (1 << self.sizes[sort]) - 1

    def owned_masks(self, thing: Sort, owner: Sort) -> tuple[int, ...]:
        """For each owner the word of the things that it owns."""
        return _owned_masks(self.owners[thing, owner], self.sizes[owner])

    def owner_masks(self, thing: Sort, owner: Sort) -> tuple[int, ...]:
        """For each thing the word of its one owner."""
        return tuple(1 << o for o in self.owners[thing, owner])

    def earlier_masks(self) -> tuple[int, ...]:
        """For each channel the word of those by which lower sessions reach the same unit."""
        sessions, units = self.owners[Sort.CHANNEL, Sort.SESSION], self.owners[Sort.CHANNEL, Sort.UNIT]
        return _earlier_masks(sessions, units)

    def name(self, sort: Sort, index: int) -> str:
        """A short name for a thing: its sort's first letter and its index; sessions S, channels as S0-U1."""
        if sort is Sort.CHANNEL:
            return f"S{self.owners[sort, Sort.SESSION][index]}-U{self.owners[sort, Sort.UNIT][index]}"
        return f"{sort.value[0].upper()}{index}"


@cache
def _owned_masks(owners: tuple[int, ...], size: int) -> tuple[int, ...]:
    return tuple(sum(1 << i for i, o in enumerate(owners) if o == owner) for owner in range(size))


@cache
def _earlier_masks(sessions: tuple[int, ...], units: tuple[int, ...]) -> tuple[int, ...]:
    channels = list(zip(sessions, units, strict=True))
    return tuple(sum(1 << d for d, (l, v) in enumerate(channels) if v == u and l < k) for k, u in channels)
