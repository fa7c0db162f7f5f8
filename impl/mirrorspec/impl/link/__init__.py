"""How parties and hosts reach one another: frames of bytes, connections over TCP, and the same within one process.

A `Link` carries messages of the protocol between named parties. It may lose messages, never alters or invents one, and
what it delivers over one connection arrives in the order of sending. That is all the machines rely on: they number what
they say, and say again what is not answered. So a link never waits on behalf of a sender: what there is no room or no
connection for is lost.

Read `frame` (the header), then `wire` (every kind of frame, as a table), `stream` (frames over one connection), `tcp` and
`memory` (the two links), and `host` and `client` (the block protocol between a host and a primary).
"""

from __future__ import annotations

from typing import Protocol

from mirrorspec.impl.core.events import Received
from mirrorspec.impl.core.messages import Message


class Link(Protocol):
    """One party's end of the links to all other parties."""

    @property
    def name(self) -> str:
        """The party whose end it is."""
        ...

    def send(self, to: str, message: Message) -> bool:
        """Send a message, without waiting; False where it is lost already, for want of a connection or of room.

        Raises `ValueError` for a message that no frame can carry: a mistake of the sender's.
        """
        ...

    async def receive(self) -> Received:
        """The next message from any party, in the order of arrival."""
        ...

    def connected(self, to: str) -> bool:
        """Whether a message sent to that party now would be on its way."""
        ...

    async def close(self) -> None:
        """End all connections and tasks. Closing again does nothing."""
        ...
