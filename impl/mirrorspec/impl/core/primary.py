"""The primary unit: it takes hosts' writes, sends tracks, and joins and leaves increments [0035-0045, 0048].

Durable is the record (`records`); what a crash forgets is here: the writes that wait, the transfers on their way, and whom to
answer. Mode events go through an instance of the chart `PrimaryMode`; writes and transfers are decided track by track in
`decisions`. What happens to an event is in `writes` (hosts), `transfers` (the async process), `joining` and `leaving` (the
increment), a function an event; each makes at most one step of the specification, apart from the acknowledgements that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mirrorspec.impl.core import joining, leaving, transfers, writes
from mirrorspec.impl.core.chart import Chart
from mirrorspec.impl.core.decisions import Mode
from mirrorspec.impl.core.events import Begin, Drain, Event, HostWrite, Proceed, Received, ReportDrained, TimerFired
from mirrorspec.impl.core.messages import (
    Abort,
    Hardened,
    IncrementComplete,
    Query,
    QueryDrained,
    Run,
    StartIncrement,
    Welcome,
)
from mirrorspec.impl.core.options import PrimaryOptions, Processes, UnitShape
from mirrorspec.impl.core.outcome import NOTHING, Bitmap, Image, Merge, Outcome, SendTrack, StartTimer
from mirrorspec.impl.core.records import PrimaryRecord
from mirrorspec.impl.core.tracks import TrackSet
from mirrorspec.spec.charts import PrimaryMode

RETRY_SECONDS = 0.1
"""After so long an increment's timer fires again, where leaving could not be persisted."""


@dataclass(slots=True)
class Flight:
    """A transfer on its way."""

    sequence: int
    rewritten: bool = False
    """What it carries is out of date: the track must be sent again."""


class PrimaryUnit:
    """One primary control unit, of number *unit*, with the record that storage has of it."""

    def __init__(self, unit: int, shape: UnitShape, options: PrimaryOptions, record: PrimaryRecord) -> None:
        self.unit, self.shape, self.options, self.record = unit, shape, options, record
        self.mode = Chart(PrimaryMode, record.mode)
        self.begun = False
        """Whether the beginning of this life is durable: until then it does nothing."""
        self.newest = 0
        """The highest number of a request that it has seen."""
        self.arrived: dict[int, HostWrite] = {}
        """Writes that are not in the cache yet, by request."""
        self.held: dict[int, None] = {}
        """Of these, the requests that wait until the unit is no longer pending, in their order."""
        self.colliding: dict[int, dict[int, None]] = {}
        """Of these, the requests that wait until their track is synchronised, by track."""
        self.caught: set[int] = set()
        """Of these, the requests that had arrived when the unit accepted start increment."""
        self.withheld: dict[int, None] = {}
        """Requests that are in the cache and will be acknowledged when the unit is no longer pending."""
        self.connected = False
        """Whether the secondary has stored this epoch."""
        self.sequence = 0
        """The sequence number of the last transfer of this epoch."""
        self.settled = 0
        """When the transfer timer last fired, the last sequence number."""
        self.flying: dict[int, Flight] = {}
        """The transfers on their way, by track."""
        self.cursors = [0] * (1 if options.processes is Processes.ONE else len(shape.volumes))
        """For each process of the drain the track at which it looks next."""

    def handle(self, event: Event) -> Outcome:
        """What the event does; nothing changes before `apply`."""
        if not self.begun and not isinstance(event, Begin):
            return transfers.not_begun(event)
        if isinstance(event, Received):
            message = event.message
            answer = _ANSWERS.get(type(message))
            return NOTHING if answer is None else answer(self, message)
        if isinstance(event, TimerFired):
            return _TIMERS[event.name](self, event.number)
        return _HANDLERS[type(event)](self, event)

    def apply(self, outcome: Outcome) -> None:
        """Take over what the outcome changes, once it is durable."""
        self.record.apply(outcome.changes)
        if self.record.mode != self.mode.state:
            self.mode.follow([taken.step for taken in outcome.steps], self.record.mode)
        for act in outcome.memory:
            act()

    def failed(self, event: Event, outcome: Outcome) -> Outcome:
        """What happens instead, where the outcome of the event could not be persisted: nothing, and whoever waits is told."""
        if isinstance(event, Proceed):
            return writes.unpersisted(self, event.request)
        if isinstance(event, TimerFired) and any(isinstance(c, Merge) for c in outcome.changes):
            return Outcome(outputs=(StartTimer(event.name, RETRY_SECONDS, event.number),))
        if isinstance(event, Begin) or (isinstance(event, TimerFired) and not self.begun):
            return Outcome(outputs=(StartTimer("begin", RETRY_SECONDS, 0),))
        return transfers.retried(self) if isinstance(event, TimerFired) else NOTHING

    @property
    def now(self) -> Mode:
        """The mode, as decisions take it."""
        return Mode(self.mode.state)

    @property
    def out_of_sync(self) -> TrackSet:
        """The tracks that are out of sync."""
        return self.record.bitmaps[Bitmap.OUT_OF_SYNC]

    @property
    def session(self) -> str:
        """The session that leads the unit, as a party to send to."""
        return f"session:{self.record.session}"

    @property
    def secondary(self) -> str:
        """The unit's secondary, as a party to send to."""
        return f"secondary:{self.unit}"

    def transfer(self, track: int, image: Image, late_for: int) -> SendTrack:
        """The next transfer of this epoch, as an output."""
        return SendTrack(self.secondary, self.record.epoch, self.sequence + 1, track, late_for, image)

    def fly(self, track: int) -> None:
        """The next transfer of this epoch is on its way."""
        self.sequence += 1
        self.flying[track] = Flight(self.sequence)

    def disconnect(self) -> None:
        """All transfers are given up; the next ones are of a new epoch."""
        self.connected, self.sequence, self.settled = False, 0, 0
        self.flying.clear()

    def waiting(self) -> Iterator[Event]:
        """To be told next when the unit has ceased to be pending or has left: every write that waited goes on."""
        for request in self.held:
            yield Proceed(request)
        for requests in self.colliding.values():
            for request in requests:
                yield Proceed(request)

    def drains(self) -> Iterator[Event]:
        """To be told next when there may be something to send, or room to send it."""
        return (Drain(process) for process in range(len(self.cursors)))


_HANDLERS: dict[type, Callable[..., Outcome]] = {
    Begin: transfers.begin,
    HostWrite: writes.arrive,
    Proceed: writes.proceed,
    Drain: transfers.drain,
    ReportDrained: joining.report_drained,
}

_TIMERS: dict[str, Callable[[PrimaryUnit, int], Outcome]] = {
    "transfer": transfers.timer_fired,
    "run": leaving.run_timeout,
    "increment": leaving.increment_timeout,
}

_ANSWERS: dict[type, Callable[..., Outcome]] = {
    StartIncrement: joining.start_increment,
    Run: joining.run,
    QueryDrained: joining.query_drained,
    IncrementComplete: leaving.increment_complete,
    Abort: leaving.abort,
    Query: joining.query,
    Welcome: transfers.welcome,
    Hardened: transfers.hardened,
}
