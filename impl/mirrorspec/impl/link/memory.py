"""Links within one process: nothing is lost, and what one party sends to another arrives in the order of sending.

Every message is written as a frame and read again on its way, so what a test can send over this link can be sent over TCP.
"""

from __future__ import annotations

import asyncio
from collections import deque

from mirrorspec.impl.core.events import Received
from mirrorspec.impl.core.messages import Message
from mirrorspec.impl.link import wire
from mirrorspec.impl.link.fields import Limits


class MemoryNetwork:
    """The parties of one process that can reach each other."""

    def __init__(self) -> None:
        self._ends: dict[str, MemoryLink] = {}

    def link(self, name: str, limits: Limits) -> MemoryLink:
        """A party's end. A second one of the same name replaces the first, as after a restart."""
        end = self._ends[name] = MemoryLink(name, limits, self._ends)
        return end


class MemoryLink:
    """One party's end of a `MemoryNetwork`."""

    def __init__(self, name: str, limits: Limits, ends: dict[str, MemoryLink]) -> None:
        self._name = name
        self._limits = limits
        self._ends = ends
        self._inbox: deque[Received] = deque()
        self._filled = asyncio.Event()

    @property
    def name(self) -> str:
        """The party whose end it is."""
        return self._name

    def send(self, to: str, message: Message) -> bool:
        """Put the message into the other party's inbox; False where there is no such party, or where this end is closed."""
        kind, payload = wire.encode(message, self._limits)
        if not self.connected(to):
            return False
        self._ends[to]._take(self._name, kind, payload)
        return True

    def _take(self, sender: str, kind: int, payload: bytes) -> None:
        message = wire.decode(wire.KINDS[kind], payload, self._limits)
        self._inbox.append(Received(sender, message))  # type: ignore[arg-type]  # what `send` takes is a message
        self._filled.set()

    async def receive(self) -> Received:
        """The next message from any party, in the order of arrival."""
        while not self._inbox:
            self._filled.clear()
            await self._filled.wait()
        return self._inbox.popleft()

    def connected(self, to: str) -> bool:
        """Whether both ends are there."""
        return to in self._ends and self._ends.get(self._name) is self

    async def close(self) -> None:
        """Leave the network."""
        if self._ends.get(self._name) is self:
            del self._ends[self._name]
