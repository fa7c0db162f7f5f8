"""The session: the control logic of FIG. 8B, which leads every unit through one increment after another [0047-0048].

It keeps nothing but its number, which must be durable before it begins and is never used again: a session that starts anew
is another session, of higher number, and takes over. What it knows is what units reported; what it has not been told, it asks
for again. It may run anywhere [0047].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mirrorspec.impl.core import leading
from mirrorspec.impl.core.chart import Chart
from mirrorspec.impl.core.events import Begin, Decide, Event, Received, TimerFired, Wish
from mirrorspec.impl.core.messages import PrimaryReport, Refused, SecondaryReport
from mirrorspec.impl.core.options import SessionOptions
from mirrorspec.impl.core.outcome import NOTHING, Notice, Outcome
from mirrorspec.spec.charts import SessionPhase

FIRST = 1
"""The number of the first session: it finds nothing that an earlier one has left behind."""


@dataclass(slots=True)
class Known:
    """What one unit has reported of the increment."""

    joined: bool = False
    drained: bool = False
    ended: bool = False
    remaining: int = 0
    flashed: set[int] = field(default_factory=set)
    committed: set[int] = field(default_factory=set)
    withdrawn: set[int] = field(default_factory=set)
    tainted: set[int] = field(default_factory=set)


class Session:
    """The session of that number, over units that have so many volumes each."""

    def __init__(self, number: int, volumes: Iterable[int], options: SessionOptions) -> None:
        self.number, self.volumes, self.options = number, tuple(volumes), options
        first = number == FIRST
        self.phase = Chart(SessionPhase, SessionPhase.starting.id if first else SessionPhase.standing_by.id)
        self.increment = 1 if first else 0
        """The increment that it leads; 0 while it does not know one."""
        self.known = [Known() for _ in self.volumes]
        self.answers: dict[str, PrimaryReport | SecondaryReport] = {}
        """While taking over: the answer of each party."""
        self.formed = 0
        """The number of the last increment that was formed, as far as it was told."""
        self.counts = {"formed": 0, "failed": 0}
        """How many increments it has brought to an end."""
        self.failures = 0
        """How many it has given up in a row."""
        self.ended = 0
        """The last increment that it has seen to its end."""
        self.waited = False
        """Whether the interval since the end of the increment has passed."""
        self.paused = False
        self.superseded = False
        """A unit has told it that it heeds a session of higher number: it does nothing any more."""

    def handle(self, event: Event) -> Outcome:
        """What the event does; nothing changes before `apply`."""
        if self.superseded:
            return NOTHING
        match event:
            case Begin():
                return leading.begin(self)
            case Received(sender, PrimaryReport() | SecondaryReport() as report) if report.session == self.number:
                return self._reported(sender, report)
            case Received(_, Refused() as refused) if refused.session == self.number:
                return self._refused(refused)
            case Decide():
                return leading.decide(self)
            case TimerFired(name, number):
                return leading.timer_fired(self, name, number)
            case Wish(wish):
                return self._wished(wish)
        return NOTHING

    def apply(self, outcome: Outcome) -> None:
        """Take over what the outcome changes."""
        for taken in outcome.steps:
            self.phase.send(taken.step)
        for act in outcome.memory:
            act()

    def failed(self, event: Event, outcome: Outcome) -> Outcome:
        """A session persists nothing after its number."""
        return NOTHING

    def next_increment(self) -> None:
        """Nothing is known of the next increment yet."""
        self.increment += 1
        self.known = [Known() for _ in self.volumes]
        self.waited = False

    def learn(self, report: PrimaryReport | SecondaryReport) -> None:
        """Take note of what a unit reports of the increment; facts only grow."""
        known = self.known[report.unit]
        if isinstance(report, PrimaryReport):
            known.joined |= report.joined
            known.drained |= report.drained
            known.ended |= report.ended
            known.remaining = report.remaining
        else:
            known.flashed.update(report.flashed)
            known.committed.update(report.committed)
            known.withdrawn.update(report.withdrawn)
            known.tainted.update(report.tainted)

    def _reported(self, sender: str, report: PrimaryReport | SecondaryReport) -> Outcome:
        asking = self.phase.state == SessionPhase.taking_over.id

        def learn() -> None:
            if isinstance(report, SecondaryReport):
                self.formed = max(self.formed, report.formed)
            if asking:
                self.answers[sender] = report
            elif report.increment == self.increment:
                self.learn(report)

        return Outcome(memory=(learn,), then=(Decide(),))

    def _refused(self, refused: Refused) -> Outcome:
        if refused.code != "obeyed":
            return NOTHING

        def give_way() -> None:
            self.superseded = True

        return Outcome(memory=(give_way,), outputs=(Notice("obeyed", f"unit {refused.unit}"),))

    def _wished(self, wish: str) -> Outcome:
        def obey() -> None:
            self.paused = wish == "pause"
            self.failures = 0

        return Outcome(memory=(obey,), then=(Decide(),))
