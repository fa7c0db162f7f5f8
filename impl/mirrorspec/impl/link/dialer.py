"""Makes a connection to one address, and makes it again, with a delay that doubles until a connection lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.stream import FramedStream, LinkOptions, conduct


class Dialer:
    """Talks to what listens at an address, for as long as `run` runs."""

    def __init__(
        self,
        talk: Callable[[FramedStream], Awaitable[None]],
        label: str,
        address: Address,
        options: LinkOptions,
        notice: Callable[[Notice], None],
    ) -> None:
        self._talk = talk
        self._label = label
        self._address = address
        self._options = options
        self._notice = notice
        self._said = ""

    async def run(self) -> None:
        """Dial until cancelled."""
        options = self._options
        loop = asyncio.get_running_loop()
        delay = options.first_delay_seconds
        while True:
            begun = loop.time()
            await self._once()
            if loop.time() - begun >= options.most_delay_seconds:
                delay, self._said = options.first_delay_seconds, ""
            await asyncio.sleep(delay)
            delay = min(2 * delay, options.most_delay_seconds)

    async def _once(self) -> None:
        """One connection, from dialling it to its end."""
        address = self._address
        try:
            async with asyncio.timeout(self._options.handshake_seconds):
                reader, writer = await asyncio.open_connection(address.host, address.port)
        except TimeoutError:
            self._tell(Notice("disconnected", f"{self._label}: nobody answers at {address}"))
        except OSError as error:
            self._tell(Notice("disconnected", f"{self._label}: no connection to {address}: {error.strerror or error}"))
        else:
            await conduct(FramedStream(reader, writer, self._options.idle_seconds), self._talk, self._label, self._tell)

    def _tell(self, notice: Notice) -> None:
        """Pass a notice on, unless it repeats the one before: a party that is away is not told of at every attempt."""
        if notice.details != self._said:
            self._said = notice.details
            self._notice(notice)
