"""Frames over one connection, in both directions: numbering, time limits, and how a connection ends.

Each direction numbers its frames from 0. A gap, a repeat or a disorder means that something between the two ends is not
a TCP connection, so it ends this one like any other malformed frame: the other end is told why, if it still listens,
and nothing that arrived before is affected.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link import frame, wire
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.fields import NO_LIMITS, Limits
from mirrorspec.impl.link.frame import HEADER_BYTES, MalformedFrameError
from mirrorspec.impl.link.greetings import Closing
from mirrorspec.impl.link.wire import Frame, Group

MOST_REASON_BYTES = 512
CLOSING_SECONDS = 1.0
"""So long a connection may take to hand over what was written before it is cut."""


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Times and bounds of links."""

    handshake_seconds: float = 5.0
    """A connection that has not been made and greeted by then is closed."""
    idle_seconds: float = 15.0
    """A connection on which nothing is heard, or nothing can be written, for so long is closed. An idle end speaks every
    third of it."""
    first_delay_seconds: float = 0.05
    """Before a lost connection is dialled again; twice as long each time that it fails."""
    most_delay_seconds: float = 5.0
    """The delay grows no further. A connection that has lasted so long begins with the first delay again."""
    waiting_frames: int = 1024
    """At most so many frames wait to be sent to one party, and as many to be received; beyond it they are lost."""
    waiting_bytes: int = 32 * 2**20
    """And so many bytes of them. One frame of any size always has room."""
    connections: int = 64
    """At most so many connections are open at one listener, greeted or not; further ones are closed."""
    beyond_loopback: bool = False
    """Listen where other machines can connect. Nothing authenticates them (decision 0020)."""


class EndedError(Exception):
    """The connection is over; the text says why, for a person. *gone*: the other end has no use for an explanation."""

    def __init__(self, reason: str, gone: bool = True) -> None:
        super().__init__(reason)
        self.gone = gone


class RejectedError(Exception):
    """This end will not talk to the other: a code of `core.refusals`, and why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class FramedStream:
    """One connection as frames. *limits* may be set anew once the ends have agreed on them."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, seconds: float) -> None:
        self.limits: Limits = NO_LIMITS
        self._reader = reader
        self._writer = writer
        self._seconds = seconds
        self._received = 0
        self._sent = 0
        peer = writer.get_extra_info("peername")
        self.peer = str(Address(*peer[:2])) if peer else "an unknown address"

    async def read(self, groups: frozenset[Group], idle_seconds: float | None) -> Frame:
        """The next frame, which must be of one of these groups, and must begin within that time.

        Raises `MalformedFrameError`, and `EndedError` where the connection ends, the time passes, or the other end says that it
        closes.
        """
        try:
            async with asyncio.timeout(idle_seconds):
                head = frame.header(await self._reader.readexactly(HEADER_BYTES))
            if head.sequence != self._received:
                raise MalformedFrameError(12, f"frame {head.sequence} where frame {self._received} must follow")
            kind = wire.expect(head, self.limits, groups | {Group.CLOSING})
            async with asyncio.timeout(self._seconds):
                payload = await self._reader.readexactly(head.length)
        except asyncio.IncompleteReadError as error:
            inside = "inside a frame" if error.partial else "without a word"
            raise EndedError(f"the other end has gone, {inside}") from None
        except TimeoutError:
            raise EndedError("nothing was heard for too long", gone=False) from None
        except OSError as error:
            raise EndedError(f"the connection broke: {error.strerror or error}") from None
        frame.check_payload(head, payload)
        self._received += 1
        said = wire.decode(kind, payload, self.limits)
        if isinstance(said, Closing):
            raise EndedError(f"the other end closes: {said.reason}")
        return said

    async def write(self, said: Frame) -> None:
        """Send a frame, and wait until there is room for more. Raises `EndedError`, and `ValueError` as `wire.encode`."""
        await self.write_encoded(*wire.encode(said, self.limits))

    async def write_encoded(self, kind: int, payload: bytes) -> None:
        """Send a frame that `wire.encode` has made, and wait until there is room for more. Raises `EndedError`."""
        self._writer.write(frame.pack(kind, self._sent, payload))
        self._sent += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._writer.drain()
        except TimeoutError:
            raise EndedError("nothing could be written for too long") from None
        except OSError as error:
            raise EndedError(f"the connection broke: {error.strerror or error}") from None

    async def close(self, reason: str = "") -> None:
        """End the connection, with that reason as the last frame if the other end still takes one."""
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                if reason:
                    await self.write(Closing(shown(reason)))
                self._writer.close()
                await self._writer.wait_closed()
        except (EndedError, OSError):  # a TimeoutError is an OSError
            pass
        finally:
            self._writer.transport.abort()


def shown(text: str) -> str:
    """Text from outside as one printable line of limited length."""
    line = "".join(c if c.isprintable() else "?" for c in text)
    return line.encode(errors="replace")[:MOST_REASON_BYTES].decode(errors="ignore")


async def conduct(
    stream: FramedStream, talk: Callable[[FramedStream], Awaitable[None]], label: str, notice: Callable[[Notice], None]
) -> None:
    """Talk over a connection until it ends, close it whatever happens, and say why it ended."""
    reason = "this end is shutting down"
    try:
        await talk(stream)
        reason = ""
    except MalformedFrameError as error:
        reason = f"malformed frame: {error}"
        notice(Notice("malformed", shown(f"{label}: {error}")))
    except RejectedError as error:
        reason = str(error)
        notice(Notice(error.code, shown(f"{label}: {error}")))
    except EndedError as error:
        reason = "" if error.gone else str(error)
        notice(Notice("disconnected", shown(f"{label}: {error}")))
    finally:
        await stream.close(reason)


async def first_of(*coroutines: Awaitable[None]) -> None:
    """Run all until the first one ends, then cancel the others; raise what it raised."""
    tasks = [asyncio.ensure_future(c) for c in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            await task
