"""Contents by address: in the store at first, and later in a track file.

A write is complete when its contents are in the store, in one batch with the marks that go with it. A background process
*destages* it [0030]: writes it to its file, flushes the file, and only then drops it from the store. So a crash at any point
leaves either the store's copy, which is read in preference, or a flushed file. Addresses number the tracks of all files
through, in the order of the files.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, islice

from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.store import Batch, Store
from mirrorspec.impl.storage.trackfile import TrackFile

_LETTER = keys.JOURNAL[0]


class Places:
    """Some track files, each with its number of tracks, and what of them is still in the store."""

    __slots__ = ("_dirty", "_ends", "_files", "_starts", "_store", "_waiting")

    def __init__(self, store: Store, files: Sequence[tuple[TrackFile, int]]) -> None:
        self._store = store
        self._files = [file for file, _ in files]
        self._ends = list(accumulate(tracks for _, tracks in files))
        self._starts = [0, *self._ends[:-1]]
        self._dirty: set[int] = set()
        self._waiting: dict[int, None] = {}
        for key in store.keys(keys.JOURNAL):
            (address,) = keys.unpacked(keys.numbered, key)
            if address >= self._ends[-1]:
                raise keys.DamagedError(f"the storage of the unit is damaged: it has no place {address}")
            self._waiting[address] = None

    def __len__(self) -> int:
        """How many contents are not yet in their file."""
        return len(self._waiting)

    def waits(self, address: int) -> bool:
        """Whether the contents are not yet in their file."""
        return address in self._waiting

    def read(self, address: int, batch: Batch) -> bytes:
        """The contents, with the changes of a batch that is being put together. Raises `StorageFailedError`."""
        key = keys.numbered.pack(keys.JOURNAL, address)
        content = batch.get(key)
        if content is not None:
            return content
        if address in self._waiting:
            content = self._store.get(key)
            if content is None:
                raise keys.DamagedError(
                    f"the storage of the unit is damaged: the contents of place {address} are missing"
                )
            return content
        file = bisect_right(self._ends, address)
        return self._files[file].read(address - self._starts[file])

    def put(self, address: int, data: bytes, batch: Batch) -> None:
        """With the batch, the contents are these."""
        batch[keys.numbered.pack(keys.JOURNAL, address)] = data

    def forget(self, address: int, batch: Batch) -> None:
        """With the batch, nothing refers to the address any more."""
        key = keys.numbered.pack(keys.JOURNAL, address)
        if address in self._waiting or key in batch:
            batch[key] = None

    def write(self, address: int, data: bytes) -> None:
        """Write to the file at once, to an address to which nothing durable refers. Raises `StorageFailedError`."""
        file = bisect_right(self._ends, address)
        self._dirty.add(file)
        self._files[file].write(address - self._starts[file], data)

    def flush(self) -> None:
        """Make what was written to the files durable. Raises `StorageFailedError`; the writes must then be made again."""
        for file in sorted(self._dirty):
            self._files[file].flush()
        self._dirty.clear()

    def follow(self, batch: Batch) -> None:
        """The batch is durable."""
        waiting = self._waiting
        for key, value in batch.items():
            if key[0] == _LETTER:
                address = int.from_bytes(key[1:], "big")
                if value is None:
                    waiting.pop(address, None)
                else:
                    waiting[address] = None

    def destage(self, limit: int) -> list[int]:
        """Bring at most so many contents to their files, the longest waiting first; the addresses of those brought.

        Raises `StorageFailedError`; whatever was not dropped from the store is then brought again, so nothing is lost.
        """
        some = list(islice(self._waiting, limit))
        if some:
            for address in some:
                self.write(address, self.read(address, {}))
            self.flush()
            batch: Batch = {keys.numbered.pack(keys.JOURNAL, address): None for address in some}
            self._store.commit(batch)
            self.follow(batch)
        return some

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()
