"""A store: bytes by key, changed in batches that are atomic and durable. One in memory; `sqlite` has one on disk.

This is the non-volatile storage of a unit [0017, 0031]. Everything durable rests on the one promise of `Store.commit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

Batch = dict[bytes, bytes | None]
"""Changes that are made together: the new value of each key, or None where the key is removed."""


class StorageFailedError(Exception):
    """Something could not be made durable, or could not be read: nothing has changed, and a later attempt may succeed."""


class Store(Protocol):
    """Values by key. One process and one thread at a time."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None where there is none. Raises `StorageFailedError` where it cannot be read."""

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin with *prefix*, in order. Nothing may be committed until they have all been taken."""
        ...

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same with their values."""
        ...

    def commit(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Make all changes, durably, or none: once this returns, no crash undoes them.

        Raises `StorageFailedError` where they were not made; the store then stands as before and takes further commits.
        """

    def close(self) -> None:
        """Let go of what is held. Nothing committed depends on it."""


class MemoryStore:
    """A store in memory: it outlives a machine that is made anew over it, not the process."""

    __slots__ = ("_content",)

    def __init__(self, content: Mapping[bytes, bytes] | None = None) -> None:
        self._content = dict(content or {})

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None where there is none."""
        return self._content.get(key)

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin with *prefix*, in order."""
        return iter(sorted(key for key in self._content if key.startswith(prefix)))

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same with their values."""
        content = self._content
        return ((key, content[key]) for key in self.keys(prefix))

    def commit(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Make all changes; it never fails."""
        content = self._content
        for key, value in changes.items():
            if value is None:
                content.pop(key, None)
            else:
                content[key] = value

    def close(self) -> None:
        """Nothing is held."""

    def content(self) -> dict[bytes, bytes]:
        """All that it holds, as a copy."""
        return dict(self._content)
