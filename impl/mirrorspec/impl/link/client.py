"""A host's end of the block protocol, as two classes: one that waits, and one for asyncio.

Both cut what is longer than one request into requests, keep no more of them outstanding than the unit takes, and raise
`BlockError` with the code where one is refused. A connection that is lost is not made again: what was written but not
answered may be there or not, and only the host can know what to do about it.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Iterator
from itertools import count
from types import TracebackType
from typing import Self, cast

from mirrorspec.impl.core.refusals import REFUSALS
from mirrorspec.impl.link import frame, wire
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.fields import NO_LIMITS, Limits
from mirrorspec.impl.link.frame import HEADER_BYTES, MalformedFrameError
from mirrorspec.impl.link.greetings import Closing
from mirrorspec.impl.link.listener import Tasks
from mirrorspec.impl.link.requests import (
    Attach,
    Attached,
    Content,
    Failed,
    FlushRequest,
    ReadRequest,
    Reply,
    Request,
    WriteRequest,
)
from mirrorspec.impl.link.stream import EndedError, FramedStream
from mirrorspec.impl.link.wire import Frame, Group

_ATTACHED = frozenset({Group.ATTACHED, Group.CLOSING})
_REPLY = frozenset({Group.REPLY, Group.CLOSING})


class BlockError(Exception):
    """The unit refused a request, with a code of `core.refusals`; *definite*: trying again is of no use."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REFUSALS[code].words}")
        self.code = code
        self.definite = REFUSALS[code].definite


class Volumes:
    """What a host has been told of the unit, and the requests that a longer read or write is cut into."""

    def __init__(self, attached: Attached) -> None:
        self.attached = attached
        self.limits = Limits((), None, attached.request_bytes)
        self.sizes = {name: tracks * attached.track_bytes for name, tracks in attached.volumes}
        """Bytes of each volume, by name."""
        self._number = {name: number for number, (name, _) in enumerate(attached.volumes)}
        self._requests = count(1)

    def reads(self, volume: str, offset: int, length: int) -> Iterator[ReadRequest]:
        """The requests for a range. Raises `BlockError` where it is not within the volume."""
        number = self._checked(volume, offset, length)
        for start in range(0, length, self.attached.request_bytes):
            piece = min(self.attached.request_bytes, length - start)
            yield ReadRequest(next(self._requests), number, offset + start, piece)

    def writes(self, volume: str, offset: int, data: bytes) -> Iterator[WriteRequest]:
        """The requests that write a range. Raises `BlockError` where it is not within the volume."""
        number = self._checked(volume, offset, len(data))
        for start in range(0, len(data), self.attached.request_bytes):
            piece = data[start : start + self.attached.request_bytes]
            yield WriteRequest(next(self._requests), number, offset + start, piece)

    def flush(self) -> FlushRequest:
        """The request that makes what was answered durable."""
        return FlushRequest(next(self._requests))

    def _checked(self, volume: str, offset: int, length: int) -> int:
        if volume not in self.sizes:
            raise BlockError("unknown")
        if offset < 0 or length < 0 or offset + length > self.sizes[volume]:
            raise BlockError("outside")
        return self._number[volume]


class BlockClient:
    """A connection to a primary that waits for each answer. Not for use by several threads at once."""

    def __init__(self, address: Address, unit: str, seconds: float = 30.0) -> None:
        """Connect to that unit. No send and no answer may take longer than *seconds*.

        Raises `OSError`, `EndedError` where the unit does not want this host, and `MalformedFrameError`.
        """
        self._socket = socket.create_connection((address.host, address.port), timeout=seconds)
        self._limits = NO_LIMITS
        self._sent = 0
        self._received = 0
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._write(Attach(unit))
            self.volumes = Volumes(cast(Attached, self._read(_ATTACHED)))
        except BaseException:
            self._socket.close()
            raise
        self._limits = self.volumes.limits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection. Closing again does nothing."""
        self._socket.close()

    def read(self, volume: str, offset: int, length: int) -> bytes:
        """So many bytes of a volume. Raises `BlockError`, and as the constructor where the connection fails."""
        return b"".join(cast(Content, r).data for r in self._ask(self.volumes.reads(volume, offset, length)))

    def write(self, volume: str, offset: int, data: bytes) -> None:
        """Write to a volume, and return when all of it is complete. Raises as `read`; some of it may then be written."""
        self._ask(self.volumes.writes(volume, offset, data))

    def flush(self) -> None:
        """Return when all that was written is durable. Raises as `read`."""
        self._ask(iter((self.volumes.flush(),)))

    def _ask(self, requests: Iterator[Request]) -> list[Reply]:
        """The replies to these requests, in their order."""
        replies: dict[int, Reply] = {}
        asked: list[int] = []
        waiting: set[int] = set()
        try:
            for request in requests:
                if len(waiting) == self.volumes.attached.outstanding:
                    self._collect(waiting, replies)
                asked.append(request.request)
                waiting.add(request.request)
                self._write(request)
            while waiting:
                self._collect(waiting, replies)
        except BlockError:
            raise  # before anything was asked
        except BaseException:
            self.close()  # answers that are still to come belong to nothing any more
            raise
        found = [replies[number] for number in asked]
        for reply in found:
            if isinstance(reply, Failed):
                raise BlockError(reply.code)
        return found

    def _collect(self, waiting: set[int], replies: dict[int, Reply]) -> None:
        reply = cast(Reply, self._read(_REPLY))
        if reply.request not in waiting:
            raise MalformedFrameError(HEADER_BYTES, f"an answer to request {reply.request}, which is not outstanding")
        waiting.remove(reply.request)
        replies[reply.request] = reply

    def _write(self, said: Frame) -> None:
        self._socket.sendall(wire.pack(said, self._sent, self._limits))
        self._sent += 1

    def _read(self, groups: frozenset[Group]) -> Frame:
        head = frame.header(self._exactly(HEADER_BYTES))
        if head.sequence != self._received:
            raise MalformedFrameError(12, f"frame {head.sequence} where frame {self._received} must follow")
        kind = wire.expect(head, self._limits, groups)
        payload = self._exactly(head.length)
        frame.check_payload(head, payload)
        self._received += 1
        said = wire.decode(kind, payload, self._limits)
        if isinstance(said, Closing):
            raise EndedError(f"the unit closes: {said.reason}")
        return said

    def _exactly(self, length: int) -> bytes:
        content = bytearray(length)
        view, done = memoryview(content), 0
        while done < length:
            received = self._socket.recv_into(view[done:])
            if not received:
                raise EndedError("the unit has gone")
            done += received
        return bytes(content)


class AsyncBlockClient:
    """A connection to a primary over which any number of tasks may read and write at once. Made by `connect`."""

    def __init__(self, stream: FramedStream, volumes: Volumes) -> None:
        self._stream = stream
        self.volumes = volumes
        stream.limits = volumes.limits
        self._slots = asyncio.Semaphore(volumes.attached.outstanding)
        self._futures: dict[int, asyncio.Future[Reply]] = {}
        self._ended: Exception | None = None
        self._tasks = Tasks()
        self._tasks.start(self._collecting())

    @classmethod
    async def connect(cls, address: Address, unit: str, seconds: float = 30.0) -> AsyncBlockClient:
        """Connect to that unit. Raises as `BlockClient` does."""
        async with asyncio.timeout(seconds):
            stream = FramedStream(*await asyncio.open_connection(address.host, address.port), seconds)
            try:
                await stream.write(Attach(unit))
                attached = cast(Attached, await stream.read(_ATTACHED, None))
            except BaseException:
                await stream.close()
                raise
        return cls(stream, Volumes(attached))

    async def close(self) -> None:
        """End the connection; what was asked and not answered raises `EndedError`. Closing again does nothing."""
        await self._tasks.close()
        await self._stream.close()

    async def read(self, volume: str, offset: int, length: int) -> bytes:
        """So many bytes of a volume. Raises `BlockError`, and `EndedError` or `MalformedFrameError` if the connection fails."""
        replies = await self._ask(self.volumes.reads(volume, offset, length))
        return b"".join(cast(Content, reply).data for reply in replies)

    async def write(self, volume: str, offset: int, data: bytes) -> None:
        """Write to a volume, and return when all of it is complete. Raises as `read`; some of it may then be written."""
        await self._ask(self.volumes.writes(volume, offset, data))

    async def flush(self) -> None:
        """Return when all that was answered is durable. Raises as `read`."""
        await self._ask(iter((self.volumes.flush(),)))

    async def _ask(self, requests: Iterator[Request]) -> list[Reply]:
        waiting: deque[asyncio.Future[Reply]] = deque()
        for request in requests:
            await self._slots.acquire()
            if self._ended:
                self._slots.release()
                raise self._ended
            future = self._futures[request.request] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda _: self._slots.release())
            waiting.append(future)
            await self._stream.write(request)
        if waiting:
            await asyncio.wait(waiting)
        found = [future.result() for future in waiting]
        for reply in found:
            if isinstance(reply, Failed):
                raise BlockError(reply.code)
        return found

    async def _collecting(self) -> None:
        """Hand each reply to whoever waits for it, until the connection ends."""
        ended: Exception = EndedError("the connection has been closed")
        try:
            while True:
                reply = cast(Reply, await self._stream.read(_REPLY, None))
                future = self._futures.pop(reply.request, None)
                if future is None:
                    raise MalformedFrameError(HEADER_BYTES, f"an answer to request {reply.request}, which is not there")
                if not future.done():
                    future.set_result(reply)
        except (EndedError, MalformedFrameError) as error:
            ended = error
        finally:
            self._ended = ended
            for future in self._futures.values():
                if not future.done():
                    future.set_exception(ended)
                    future.exception()  # seen: a task that was cancelled does not look any more
            self._futures.clear()
