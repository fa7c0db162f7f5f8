"""Runs one machine: events in, and for each the four things that `core` asks for, in their order.

Everything happens in the thread of the event loop, the syncs of the storage too. A machine takes one event at a time, and
what it says about one may go out only when that one is durable, so there is nothing that a second thread could do for it in
the meantime; and hosts' reads look at the same storage, which is for one thread. What a sync holds up is the other parties
of the same process: parties that are to be fast have a process each, as `mirrorspec serve` gives them.

Turns are short: after `TURN_EVENTS` events, or `TURN_SECONDS`, the network has its say. Nothing is kept that is not bounded
elsewhere: hosts' writes by the block server, messages by taking one from the link only when fewer than `TURN_EVENTS` events
wait, what a machine tells itself by its own bounds.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable
from typing import Protocol

from mirrorspec.impl.core.events import Event, TimerFired
from mirrorspec.impl.core.messages import Transfer
from mirrorspec.impl.core.outcome import (
    Acknowledge,
    Change,
    Fail,
    Image,
    Notice,
    Outcome,
    Output,
    Send,
    SendTrack,
    StartTimer,
    StopTimer,
)
from mirrorspec.impl.link import Link
from mirrorspec.impl.link.stream import first_of
from mirrorspec.impl.storage.store import StorageFailedError

TURN_EVENTS = 64
"""So many events are handled before others of the loop have their turn."""
TURN_SECONDS = 0.02
"""And no further one is begun after so long."""
IDLE_SECONDS = 0.05
"""After so long without an event the background has its turn: between hosts' writes its syncs would only delay them."""
RETRY_SECONDS = 0.5
"""After work in the background has failed it is tried again so much later."""


class Machine(Protocol):
    """What `PrimaryUnit`, `SecondaryUnit` and `Session` have in common."""

    def handle(self, event: Event) -> Outcome:
        """What the event does."""
        ...

    def apply(self, outcome: Outcome) -> None:
        """Take over what the outcome changes."""

    def failed(self, event: Event, outcome: Outcome) -> Outcome:
        """What happens instead, where the outcome could not be persisted."""
        ...


class Storage(Protocol):
    """What the runner needs of a unit's storage."""

    def commit(self, changes: tuple[Change, ...]) -> None:
        """Make the changes durable, all or none. Raises `StorageFailedError`."""

    def read(self, image: Image, track: int) -> bytes:
        """A whole track of an image. Raises `StorageFailedError`."""
        ...


class Answers(Protocol):
    """Where a primary's hosts are answered: `link.host.HostServer`."""

    def acknowledge(self, request: int) -> None:
        """The write of that number is complete."""

    def fail(self, request: int, code: str) -> None:
        """The write of that number has failed."""


class Runner:
    """One machine with its storage, link, hosts and timers. Made and used within one event loop."""

    def __init__(
        self,
        machine: Machine,
        link: Link,
        notice: Callable[[Notice], None],
        storage: Storage | None = None,
        *,
        answers: Answers | None = None,
        background: Callable[[bool], bool] | None = None,
        after: Callable[[Outcome], None] | None = None,
    ) -> None:
        """*storage*: none for a session. *background*: does one bounded piece of work, told whether the machine is idle, and
        says whether there is more to do now. *after*: told of each outcome when it has been applied."""
        self._machine, self._link, self._notice, self._storage = machine, link, notice, storage
        self._background, self._after = background, after
        self.answers = answers
        """Set later where the block server must know the runner first."""
        self._events: deque[Event] = deque()
        self._timers: dict[str, TimerHandle] = {}
        self._retry = 0.0
        self._told = asyncio.Event()
        self._room = asyncio.Event()

    def tell(self, event: Event) -> None:
        """An event to be handled after those that wait already."""
        self._events.append(event)
        self._told.set()

    async def run(self) -> None:
        """Handle events until cancelled. Timers end with it."""
        try:
            await first_of(self._receiving(), self._turning())
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    async def _receiving(self) -> None:
        while True:
            self.tell(await self._link.receive())
            while len(self._events) >= TURN_EVENTS:
                self._room.clear()
                await self._room.wait()

    async def _turning(self) -> None:
        idle = False
        while True:
            self._told.clear()
            self._turn()
            self._room.set()
            more = self._work(idle and not self._events)
            if self._events or more:
                await asyncio.sleep(0)
                continue
            idle = not await self._wait(None if idle or self._background is None else IDLE_SECONDS)

    async def _wait(self, seconds: float | None) -> bool:
        """Wait until something is told; False where nothing is for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            return False
        return True

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + TURN_SECONDS
        for _ in range(TURN_EVENTS):
            if not self._events:
                return
            self._happen(self._events.popleft())
            if loop.time() >= end:
                return

    def _work(self, idle: bool) -> bool:
        """One piece of work in the background; whether there is more."""
        if self._background is None or asyncio.get_running_loop().time() < self._retry:
            return False
        try:
            return self._background(idle)
        except StorageFailedError as error:
            self._notice(Notice("persisted", f"in the background: {error}"))
            loop = asyncio.get_running_loop()
            self._retry = loop.time() + RETRY_SECONDS
            loop.call_later(RETRY_SECONDS, self._told.set)
            return False

    def _happen(self, event: Event) -> None:
        """One event: what it does is made durable, taken over, and put out."""
        outcome = self._machine.handle(event)
        if outcome.changes and self._storage is not None:
            try:
                self._storage.commit(outcome.changes)
            except StorageFailedError as error:
                self._notice(Notice("persisted", str(error)))
                outcome = self._machine.failed(event, outcome)
        self._machine.apply(outcome)
        for output in outcome.outputs:
            self._put_out(output)
        if self._after is not None:
            self._after(outcome)
        for further in outcome.then:
            self.tell(further)

    def _put_out(self, output: Output) -> None:
        match output:
            case Acknowledge(request):
                if self.answers is not None:
                    self.answers.acknowledge(request)
            case Fail(request, code):
                if self.answers is not None:
                    self.answers.fail(request, code)
            case Send(to, message):
                self._link.send(to, message)  # what is lost is said again
            case SendTrack():
                self._send_track(output)
            case StartTimer(name, seconds, number):
                self._start(name, seconds, number)
            case StopTimer(name):
                self._stop(name)
            case Notice():
                self._notice(output)

    def _send_track(self, output: SendTrack) -> None:
        """The image is read now, before any further event can change it."""
        assert self._storage is not None
        try:
            data = self._storage.read(output.image, output.track)
        except StorageFailedError as error:
            self._notice(Notice("persisted", str(error)))
            return  # as a transfer that is lost: it is given up in time, and sent again
        transfer = Transfer(output.epoch, output.sequence, output.track, output.late_for, data)
        self._link.send(output.to, transfer)

    def _start(self, name: str, seconds: float, number: int) -> None:
        self._stop(name)
        loop = asyncio.get_running_loop()
        self._timers[name] = loop.call_later(seconds, self.tell, TimerFired(name, number))

    def _stop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
