"""The storage of a unit in one folder: ``store``, a file for each volume, and what else the kind of unit needs.

The store is opened first, since it is what keeps a second process out. Files are made only for a store that is not yet of any
unit: where one is missing later, something has been lost, and zeros in its place would hide that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.storage import keys, primary, secondary
from mirrorspec.impl.storage.bitmap_copy import copy_bytes
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.primary import PrimaryStorage
from mirrorspec.impl.storage.secondary import Method, SecondaryStorage, target_tracks
from mirrorspec.impl.storage.sqlite import SqliteStore
from mirrorspec.impl.storage.trackfile import DiskTrackFile

STORE = "store"
Open = Callable[[str, int, int], DiskTrackFile]
"""Opens a file of the folder: its name, its tracks, the bytes of a track."""


def open_primary(
    folder: Path, shape: UnitShape, *, preserved_durable: bool = True, placement: Placement = Placement.NVS
) -> PrimaryStorage:
    """The storage of a primary in an existing folder. Raises `BadInputError` where something in it does not fit."""
    with ExitStack() as opened:
        store, file = _begin(folder, primary.identity(shape, preserved_durable, placement), opened)
        volumes = _volumes(shape, file)
        copies = file("bitmaps", 2, copy_bytes(shape.tracks)) if placement is Placement.COPY_ON_DISK else None
        storage = PrimaryStorage(
            shape, store, volumes, preserved_durable=preserved_durable, placement=placement, copies=copies
        )
        opened.pop_all()
        return storage


def open_secondary(
    folder: Path, shape: UnitShape, *, method: Method = Method.COPY, background: bool = False
) -> SecondaryStorage:
    """The storage of a secondary in an existing folder. Raises `BadInputError` where something in it does not fit."""
    with ExitStack() as opened:
        store, file = _begin(folder, secondary.identity(shape), opened)
        volumes = _volumes(shape, file)
        targets = [file(f"target-{v}", target_tracks(shape, v), shape.track_bytes) for v in range(len(shape.volumes))]
        storage = SecondaryStorage(shape, store, volumes, targets, method=method, background=background)
        opened.pop_all()
        return storage


def _begin(folder: Path, wanted: bytes, opened: ExitStack) -> tuple[SqliteStore, Open]:
    """The store, and what opens the files beside it; all are closed with *opened*."""
    store = SqliteStore(folder / STORE)
    opened.callback(store.close)
    new = keys.is_new(store, wanted)

    def file(name: str, tracks: int, track_bytes: int) -> DiskTrackFile:
        made = DiskTrackFile(folder, name, tracks, track_bytes, make=new)
        opened.callback(made.close)
        return made

    return store, file


def _volumes(shape: UnitShape, file: Open) -> list[DiskTrackFile]:
    return [file(f"volume-{volume}", tracks, shape.track_bytes) for volume, tracks in enumerate(shape.volumes)]
