"""The numbers of sessions: unique, rising, and durable before they are used.

A number is ``seconds * PLACES + place``: the seconds since 1970 when it was given, or one more than those of the number
before at this place, if that is higher. Two places never give the same number, and one place never gives one twice; this
holds whatever its clock does, as long as its folder is there. The seconds are there for two reasons. A session that is
started later has the higher number, without knowing what units have heard elsewhere, which a refusal does not tell. And a
place that has lost its folder does not begin again with numbers that units obey already.

So every session takes over, also the very first (`core.session.FIRST` is for a world that is known to be new): it gives up
increment 1, of which nobody has heard, and leads from 2 on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import time

from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.sqlite import SqliteStore

PLACES = 256
"""So many places can give numbers."""
_KEY = b"session"
_IDENTITY = b"session"


class SessionNumbers:
    """The numbers that a place has given, in a folder that no other process has open."""

    def __init__(self, folder: Path, place: int, clock: Callable[[], float] = time) -> None:
        """Open an existing folder. Raises `BadInputError` where something in it does not fit, or another process has it."""
        if not 0 <= place < PLACES:
            raise ValueError(f"place {place} is not from 0 to {PLACES - 1}")
        self._place, self._clock = place, clock
        self._store = SqliteStore(folder / "store")
        try:
            keys.claim(self._store, _IDENTITY)
        except BaseException:
            self._store.close()
            raise

    def next(self) -> int:
        """A number that was never given before, durable. Raises `StorageFailedError`."""
        before = int.from_bytes(self._store.get(_KEY) or b"", "big") // PLACES
        number = max(before + 1, int(self._clock())) * PLACES + self._place
        self._store.commit({_KEY: number.to_bytes(8, "big")})
        return number

    def close(self) -> None:
        """Let go of the folder."""
        self._store.close()
