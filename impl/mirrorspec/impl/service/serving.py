"""Several parties in one process: all are opened before any starts, and all end together.

A party that fails by an error of the program ends the process: what a crash leaves is what the parties are made for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link.stream import first_of
from mirrorspec.impl.service.config import Installation
from mirrorspec.impl.service.endpoint import Status
from mirrorspec.impl.service.party import open_party


async def serve(
    installation: Installation,
    names: Sequence[str],
    stop: asyncio.Event,
    ready: Callable[[str, Status], None],
    notice: Callable[[str, Notice], None],
) -> None:
    """Run the parties of these names until *stop* is set. *ready* is told of each when it has started, and where it listens;
    *notice* of what a person should know.

    Raises `BadInputError` where a party cannot be opened or started; then none runs.
    """
    async with AsyncExitStack() as parties:
        opened = []
        for name in names:

            def tell(said: Notice, name: str = name) -> None:
                notice(name, said)

            party = open_party(installation, name, tell)
            parties.push_async_callback(party.close)
            opened.append(party)
        for party in opened:
            ready(party.name, await party.start())
        await first_of(_until(stop), *(party.run() for party in opened))


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
