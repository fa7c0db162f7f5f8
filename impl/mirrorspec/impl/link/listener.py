"""A listening socket whose connections are bounded in number, run as tasks, and end with it."""

from __future__ import annotations

import asyncio
from asyncio import Server, StreamReader, StreamWriter, Task
from collections.abc import Awaitable, Callable, Coroutine
from socket import SO_KEEPALIVE, SOL_SOCKET
from typing import Any

from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link.address import Address, check_bind
from mirrorspec.impl.link.stream import FramedStream, LinkOptions, conduct
from mirrorspec.spec.errors import BadInputError


class Tasks:
    """Tasks that end with their owner. One that fails by an error of the program says so to the event loop at once."""

    def __init__(self) -> None:
        self._tasks: set[Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> Task[None]:
        """Run a coroutine until it ends or `close` is called."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error:
            context = {"message": "a task of a link has failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has ended."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Listener:
    """Listens at one address and talks over each connection that is made to it."""

    def __init__(
        self,
        talk: Callable[[FramedStream], Awaitable[None]],
        options: LinkOptions,
        notice: Callable[[Notice], None],
    ) -> None:
        self._talk = talk
        self._options = options
        self._notice = notice
        self._tasks = Tasks()
        self._server: Server | None = None

    async def start(self, address: Address) -> Address:
        """Listen there, and say where: the port is chosen where *address* has 0.

        Raises `BadInputError` where the address is not to be listened on, or cannot be.
        """
        try:
            check_bind(address, self._options.beyond_loopback)
            self._server = await asyncio.start_server(self._accept, address.host, address.port)
        except ValueError as error:
            raise BadInputError(f"cannot listen: {error}") from None
        except OSError as error:
            raise BadInputError(f"cannot listen on {address}: {error.strerror or error}") from None
        host, port = self._server.sockets[0].getsockname()[:2]
        return Address(host, port)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
        stream = FramedStream(reader, writer, self._options.idle_seconds)
        if len(self._tasks) >= 2 * self._options.connections:
            writer.transport.abort()  # not even a word: words are tasks too
        elif len(self._tasks) >= self._options.connections:
            self._notice(Notice("busy", f"{stream.peer}: {self._options.connections} connections are open already"))
            self._tasks.start(stream.close("too many connections are open already"))
        else:
            self._tasks.start(conduct(stream, self._talk, stream.peer, self._notice))

    async def close(self) -> None:
        """Stop listening and end all connections. Closing again does nothing."""
        server, self._server = self._server, None
        if server:
            server.close()
        await self._tasks.close()
        if server:
            await server.wait_closed()
