"""Links over TCP: a party listens, dials, or both; a lost connection is dialled again.

Between two parties one dials (a session its units, a primary its secondary), and both speak. A connection begins with a
greeting in both directions that names the sender, the party that is meant, and the shape of the installation; whoever
disagrees closes it with the reason. A party that connects again replaces its own earlier connection.

Messages wait for the network in a `Mailbox` for each party. Where there is no connection or no room the message is
lost, `send` says so, and the machines will say it again. What arrives waits in one mailbox for the machine; while that
is full nothing is read from the network, so the senders' mailboxes fill in turn.
"""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from mirrorspec.impl.core.events import Received
from mirrorspec.impl.core.messages import Message, Transfer
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link import wire
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.dialer import Dialer
from mirrorspec.impl.link.fields import Limits
from mirrorspec.impl.link.frame import HEADER_BYTES
from mirrorspec.impl.link.greetings import Alive, Greeting
from mirrorspec.impl.link.listener import Listener, Tasks
from mirrorspec.impl.link.mailbox import Mailbox
from mirrorspec.impl.link.stream import EndedError, FramedStream, LinkOptions, RejectedError, first_of
from mirrorspec.impl.link.wire import SPOKEN, Group

_GREETING = frozenset({Group.GREETING})


@dataclass(eq=False)
class _Peer:
    """Another party, while there is a connection to it that both ends have greeted."""

    outbox: Mailbox[tuple[int, bytes]]
    """What waits to be sent. It goes with the connection: what is sent late is of no use to anyone."""
    task: Task[None]
    """Carries messages both ways."""
    full: bool = False
    """Something was lost for want of room since the outbox was last empty, and a notice says so."""


class TcpLink:
    """One party's end of the links, over TCP. It must be made, used and closed within one event loop."""

    def __init__(
        self, name: str, limits: Limits, options: LinkOptions, notice: Callable[[Notice], None] = lambda _: None
    ) -> None:
        self._name = name
        self._limits = limits
        self._options = options
        self._notice = notice
        self._peers: dict[str, _Peer] = {}
        self._inbox: Mailbox[Received] = Mailbox(options.waiting_frames, options.waiting_bytes)
        self._tasks = Tasks()
        self._listener = Listener(self._accepted, options, notice)

    @property
    def name(self) -> str:
        """The party whose end it is."""
        return self._name

    async def listen(self, address: Address) -> Address:
        """Take connections at that address, and say which it is. Raises `BadInputError`, as `Listener.start`."""
        return await self._listener.start(address)

    def dial(self, to: str, address: Address) -> None:
        """Connect to a party, and again whenever the connection is lost."""

        async def talk(stream: FramedStream) -> None:
            await self._dialled(stream, to)

        self._tasks.start(Dialer(talk, to, address, self._options, self._notice).run())

    def send(self, to: str, message: Message) -> bool:
        """Send a message, without waiting; False where it is lost already, for want of a connection or of room.

        Raises `ValueError` for a message that no frame can carry.
        """
        encoded = wire.encode(message, self._limits)
        peer = self._peers.get(to)
        if peer is None or peer.task.done():
            return False
        if peer.outbox.offer(encoded, HEADER_BYTES + len(encoded[1])):
            peer.full = peer.full and len(peer.outbox) > 1
            return True
        if not peer.full:
            peer.full = True
            self._notice(Notice("busy", f"{to}: it reads too slowly, and messages to it are lost"))
        return False

    async def receive(self) -> Received:
        """The next message from any party, in the order of arrival."""
        return await self._inbox.get()

    def connected(self, to: str) -> bool:
        """Whether there is a connection to that party, greeted by both ends."""
        peer = self._peers.get(to)
        return peer is not None and not peer.task.done()

    async def close(self) -> None:
        """Stop listening and dialling, and end all connections. Closing again does nothing."""
        await self._tasks.close()
        await self._listener.close()

    async def _accepted(self, stream: FramedStream) -> None:
        """Talk over a connection that another party has made."""
        async with self._handshake():
            sender = await self._greeted(stream)
            await stream.write(Greeting(self._name, sender, self._limits.units))
        await self._talk(stream, sender)

    async def _dialled(self, stream: FramedStream, to: str) -> None:
        """Talk over a connection that this party has made."""
        async with self._handshake():
            await stream.write(Greeting(self._name, to, self._limits.units))
            sender = await self._greeted(stream)
        if sender != to:
            raise RejectedError("unknown", f"{sender} answers, where {to} should")
        await self._talk(stream, to)

    @asynccontextmanager
    async def _handshake(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._options.handshake_seconds):
                yield
        except TimeoutError:
            raise EndedError("no greeting has come in time", gone=False) from None

    async def _greeted(self, stream: FramedStream) -> str:
        """Who speaks at the other end, once its greeting agrees with what is known here."""
        greeting = cast("Greeting", await stream.read(_GREETING, None))
        sender = greeting.sender
        if greeting.to != self._name:
            raise RejectedError("unknown", f"{sender} wants {greeting.to}, and this is {self._name}")
        wrong = disagreement(self._limits.units, greeting.units)
        if wrong:
            raise RejectedError("unknown", f"{sender} knows another installation: {wrong}")
        role, _, number = sender.partition(":")
        if sender == self._name or (role != "session" and int(number) >= len(self._limits.units)):
            raise RejectedError("unknown", f"no {sender} can speak to {self._name}")
        return sender

    async def _talk(self, stream: FramedStream, name: str) -> None:
        """Carry messages both ways until the connection ends."""
        while earlier := self._peers.pop(name, None):
            # The party has restarted, or its network has. Nothing of the earlier connection arrives after this.
            earlier.task.cancel()
            await asyncio.wait({earlier.task})
        stream.limits = self._limits
        outbox: Mailbox[tuple[int, bytes]] = Mailbox(self._options.waiting_frames, self._options.waiting_bytes)
        task = asyncio.create_task(first_of(self._receiving(stream, name), self._sending(stream, outbox)))
        peer = self._peers[name] = _Peer(outbox, task)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            if self._peers.get(name) is peer:
                del self._peers[name]
        if task.cancelled():
            raise EndedError(f"{name} has connected again", gone=False)
        await task

    async def _receiving(self, stream: FramedStream, name: str) -> None:
        while True:
            said = await stream.read(SPOKEN, self._options.idle_seconds)
            if not isinstance(said, Alive):
                length = len(said.data) if isinstance(said, Transfer) else 0
                await self._inbox.put(Received(name, cast("Message", said)), HEADER_BYTES + length)

    async def _sending(self, stream: FramedStream, outbox: Mailbox[tuple[int, bytes]]) -> None:
        alive = wire.encode(Alive(), self._limits)
        while True:
            try:
                async with asyncio.timeout(self._options.idle_seconds / 3):
                    encoded = await outbox.get()
            except TimeoutError:
                encoded = alive
            await stream.write_encoded(*encoded)


def disagreement(here: tuple[UnitShape, ...], there: tuple[UnitShape, ...]) -> str:
    """What is different between two ideas of an installation, in words; empty where they are the same."""
    if len(here) != len(there):
        return f"{len(there)} units there, and {len(here)} here"
    for number, (ours, theirs) in enumerate(zip(here, there, strict=True)):
        if ours.track_bytes != theirs.track_bytes:
            return f"a track of unit {number} has {theirs.track_bytes} bytes there, and {ours.track_bytes} here"
        if ours.volumes != theirs.volumes:
            return f"the volumes of unit {number} have other numbers of tracks there"
    return ""
