"""The block protocol at a primary: hosts read, write and flush its volumes over TCP (`requests` says what they may ask).

A write may span tracks: it is cut into one `HostWrite` a track, in ascending order, and is complete when all its parts
are. A part is written whole or not at all, the request as a whole is not; where parts fail the request fails, once the
last part is answered, with the code that came first. Requests of one connection are handed on in the order of their
arrival and answered in any order.

Memory is bounded at each place: a request has at most `Attached.request_bytes`, a connection at most
`Attached.outstanding` requests that are not answered, and all connections together as many parts as the unit lets wait.
What is beyond waits in the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol, cast

from mirrorspec.impl.core.events import HostWrite
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.fields import Limits
from mirrorspec.impl.link.frame import HEADER_BYTES, MalformedFrameError
from mirrorspec.impl.link.listener import Listener
from mirrorspec.impl.link.mailbox import Mailbox
from mirrorspec.impl.link.requests import (
    Attach,
    Attached,
    Content,
    Done,
    Failed,
    FlushRequest,
    ReadRequest,
    Reply,
    Request,
    WriteRequest,
)
from mirrorspec.impl.link.stream import EndedError, FramedStream, LinkOptions, RejectedError, first_of
from mirrorspec.impl.link.wire import Group

OUTSTANDING = 16
"""Requests of one connection that are not answered."""
MOST_REQUEST_BYTES = 2**20
MOST_REQUEST_TRACKS = 64
_REQUEST = frozenset({Group.REQUEST})


class RefusedError(Exception):
    """A read or flush that the unit refuses, with a code of `core.refusals`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Blocks(Protocol):
    """What the server needs of the primary that it serves."""

    def submit(self, write: HostWrite) -> None:
        """Hand a part of a write to the machine, which answers `HostServer.acknowledge` or `fail`, at once or later."""

    def read(self, track: int, offset: int, length: int) -> bytes:
        """So many bytes of one track of the unit, as hosts see it. Raises `RefusedError`."""
        ...

    def flush(self) -> None:
        """Make every write that was acknowledged durable, if it is not. Raises `RefusedError`."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a request that lies in one track: *start* in the request's data, *offset* in the track."""

    track: int
    offset: int
    start: int
    length: int


def parts(shape: UnitShape, volume: int, offset: int, length: int) -> Iterator[Part]:
    """A request cut at the borders of tracks. It must lie within the volume."""
    start = 0
    while start < length:
        track, within = divmod(offset + start, shape.track_bytes)
        piece = min(shape.track_bytes - within, length - start)
        yield Part(shape.first(volume) + track, within, start, piece)
        start += piece


def request_bytes(shape: UnitShape) -> int:
    """The most data of one request to a unit of that shape."""
    return max(shape.track_bytes, min(MOST_REQUEST_BYTES, MOST_REQUEST_TRACKS * shape.track_bytes))


class _Host:
    """One connection of a host."""

    def __init__(self) -> None:
        self.replies: Mailbox[Reply] = Mailbox(OUTSTANDING, 2**63)
        self.slots = asyncio.Semaphore(OUTSTANDING)
        self.outstanding: set[int] = set()

    def answer(self, reply: Reply) -> None:
        """Let a reply be sent. There is always room: there are no more replies than requests outstanding."""
        self.replies.offer(reply, 0)


@dataclass(slots=True)
class _Write:
    """A request some of whose parts are not answered."""

    host: _Host
    request: int
    remaining: int
    code: str = ""


class HostServer:
    """Serves the volumes of one primary to hosts. Made, used and closed within one event loop."""

    def __init__(
        self,
        unit: str,
        volumes: tuple[str, ...],
        shape: UnitShape,
        blocks: Blocks,
        options: LinkOptions,
        notice: Callable[[Notice], None] = lambda _: None,
        waiting: int = 1024,
    ) -> None:
        """*waiting*: as many parts as the primary lets wait (`PrimaryOptions.waiting`)."""
        names = tuple(zip(volumes, shape.volumes, strict=True))
        self._attached = Attached(unit, shape.track_bytes, request_bytes(shape), OUTSTANDING, names)
        self._shape = shape
        self._blocks = blocks
        self._options = options
        self._waiting = waiting
        self._numbers = count(1)
        self._writes: dict[int, _Write] = {}
        """The request of each part that is with the machine, by the part's own number."""
        self._answered = asyncio.Event()
        self._listener = Listener(self._talk, options, notice)

    async def listen(self, address: Address) -> Address:
        """Take connections at that address, and say which it is. Raises `BadInputError`, as `Listener.start`."""
        return await self._listener.start(address)

    async def close(self) -> None:
        """Stop listening and end all connections; writes that are under way are not answered any more."""
        await self._listener.close()

    def acknowledge(self, request: int) -> None:
        """The machine has acknowledged the part of that number."""
        self._answer(request, "")

    def fail(self, request: int, code: str) -> None:
        """The machine has refused the part of that number."""
        self._answer(request, code)

    def _answer(self, number: int, code: str) -> None:
        write = self._writes.pop(number)
        self._answered.set()
        write.code = write.code or code
        write.remaining -= 1
        if not write.remaining:
            write.host.answer(Failed(write.request, write.code) if write.code else Done(write.request))

    async def _talk(self, stream: FramedStream) -> None:
        try:
            async with asyncio.timeout(self._options.handshake_seconds):
                attach = cast(Attach, await stream.read(frozenset({Group.ATTACH}), None))
                if attach.unit != self._attached.unit:
                    raise RejectedError("unknown", f"a host wants {attach.unit}, and this is {self._attached.unit}")
                await stream.write(self._attached)
        except TimeoutError:
            raise EndedError("the host has not said in time what it wants", gone=False) from None
        stream.limits = Limits((), None, self._attached.request_bytes)
        host = _Host()
        await first_of(self._taking(stream, host), self._replying(stream, host))

    async def _taking(self, stream: FramedStream, host: _Host) -> None:
        while True:
            await host.slots.acquire()
            # A host may be silent for as long as it likes; TCP itself notices one that has gone.
            request = cast(Request, await stream.read(_REQUEST, None))
            if request.request in host.outstanding:
                raise MalformedFrameError(HEADER_BYTES, f"request {request.request} is outstanding already")
            host.outstanding.add(request.request)
            match request:
                case WriteRequest():
                    await self._write(host, request)
                case ReadRequest():
                    host.answer(self._read(request))
                case FlushRequest():
                    host.answer(self._done(request.request, self._blocks.flush))

    async def _replying(self, stream: FramedStream, host: _Host) -> None:
        while True:
            reply = await host.replies.get()
            # Before it is written: the host may use the number again as soon as it has the reply.
            host.outstanding.discard(reply.request)
            await stream.write(reply)
            host.slots.release()

    async def _write(self, host: _Host, request: WriteRequest) -> None:
        wrong = self._wrong(request.volume, request.offset, len(request.data))
        if wrong:
            host.answer(Failed(request.request, wrong))
            return
        pieces = list(parts(self._shape, request.volume, request.offset, len(request.data)))
        while self._writes and len(self._writes) + len(pieces) > self._waiting:
            self._answered.clear()
            await self._answered.wait()
        write = _Write(host, request.request, len(pieces))
        numbered = [(next(self._numbers), part) for part in pieces]
        self._writes.update((number, write) for number, _ in numbered)
        for number, part in numbered:
            data = request.data[part.start : part.start + part.length]
            self._blocks.submit(HostWrite(number, part.track, part.offset, data))

    def _read(self, request: ReadRequest) -> Reply:
        wrong = self._wrong(request.volume, request.offset, request.length)
        if wrong:
            return Failed(request.request, wrong)
        pieces = parts(self._shape, request.volume, request.offset, request.length)
        try:
            content = b"".join(self._blocks.read(p.track, p.offset, p.length) for p in pieces)
        except RefusedError as error:
            return Failed(request.request, error.code)
        return Content(request.request, content)

    def _done(self, request: int, act: Callable[[], None]) -> Reply:
        try:
            act()
        except RefusedError as error:
            return Failed(request, error.code)
        return Done(request)

    def _wrong(self, volume: int, offset: int, length: int) -> str:
        """The code for a request that this unit cannot carry out; empty where it can."""
        if volume >= len(self._shape.volumes):
            return "unknown"
        if not length:
            return "empty"
        end = self._shape.volumes[volume] * self._shape.track_bytes
        return "outside" if length > self._attached.request_bytes or offset + length > end else ""
