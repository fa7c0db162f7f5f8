"""Frames that wait to be sent or to be received: first come, first served, and bounded in number and in bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """At most so many things, of so many bytes together; a single thing of any size has room in an empty one."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._things: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._things)

    def offer(self, thing: T, length: int) -> bool:
        """Put a thing in if there is room; whether it is in."""
        if self._things and (len(self._things) >= self._most or self._bytes + length > self._most_bytes):
            return False
        self._things.append((thing, length))
        self._bytes += length
        self._filled.set()
        return True

    async def put(self, thing: T, length: int) -> None:
        """Put a thing in, and wait for room if there is none."""
        while not self.offer(thing, length):
            self._room.clear()
            await self._room.wait()

    async def get(self) -> T:
        """Take the oldest thing out, and wait for one if there is none."""
        while not self._things:
            self._filled.clear()
            await self._filled.wait()
        thing, length = self._things.popleft()
        self._bytes -= length
        self._room.set()
        return thing
