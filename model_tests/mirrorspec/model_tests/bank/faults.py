"""Sessions that are other than the right one: one that is merely slow, and one that is slow and wrong.

Each is a class that takes the place of the right one in a process of its own; the product has no hook for it. The rest of
the process is `mirrorspec serve`:

    python -m mirrorspec.model_tests.bank.faults FAULT serve CONFIG --party NAME

The wrong one differs from the slow one by a single command, and has the name of the specification's deviation that it is.
"""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass, replace

from mirrorspec.impl.core.events import Event, Received, TimerFired
from mirrorspec.impl.core.messages import PrimaryReport, Run, StartIncrement
from mirrorspec.impl.core.outcome import NOTHING, Outcome, Output, Send, StartTimer
from mirrorspec.impl.core.session import Session
from mirrorspec.impl.service import party
from mirrorspec.spec.charts import SessionPhase

GAP_SECONDS = 1.0
"""So much later than the last unit has joined the others are told to; it is shorter than the run timer."""


class LateStart(Session):
    """Has a long way to all units but the last: they are told to join when that one has waited for a while.

    That is harmless. The last unit holds its writes for as long [0038-0039].
    """

    _told = 0
    """The increment that the other units have been told to join."""

    def handle(self, event: Event) -> Outcome:
        """As the right session does, but with the other units' start increment kept back."""
        if isinstance(event, TimerFired) and event.name == "gap":
            return self._tell(event.number)
        outcome = super().handle(event)
        outputs = [output for output in outcome.outputs if not self._early(output)]
        if self._last_joins(event):
            outputs += self.waited_for()
        return replace(outcome, outputs=tuple(outputs))

    @property
    def last(self) -> str:
        """The primary of the last unit."""
        return f"primary:{len(self.volumes) - 1}"

    def waited_for(self) -> tuple[Output, ...]:
        """What is put out when the last unit has joined."""
        return (StartTimer("gap", GAP_SECONDS, self.increment),)

    def _tell(self, increment: int) -> Outcome:
        if increment != self.increment or self.phase.state != SessionPhase.starting.id:
            return NOTHING
        starts = (Send(f"primary:{u}", StartIncrement(self.number, increment)) for u in range(len(self.volumes) - 1))
        return Outcome(memory=(lambda: setattr(self, "_told", increment),), outputs=tuple(starts))

    def _early(self, output: Output) -> bool:
        """A command to join that is kept back."""
        if not (isinstance(output, Send) and isinstance(output.message, StartIncrement)):
            return False
        return output.to != self.last and output.message.increment > self._told

    def _last_joins(self, event: Event) -> bool:
        """Whether the event tells for the first time that the last unit has joined the increment that is starting."""
        if not (isinstance(event, Received) and isinstance(event.message, PrimaryReport)):
            return False
        told, last = event.message, len(self.volumes) - 1
        current = (told.session, told.increment, told.unit) == (self.number, self.increment, last)
        starting = self.phase.state == SessionPhase.starting.id
        return current and starting and told.joined and not self.known[last].joined


class RunBeforeAllJoined(LateStart):
    """Lets the last unit run as soon as it has joined, instead of holding it until all have [0038-0041].

    Nothing else is wrong: every unit drains, all are flashed and committed under one number, and the decision table finds
    nothing to object to. But what the last unit wrote between its own cut and the others' belongs to the next increment,
    and what the others wrote because of it belongs to this one.
    """

    def waited_for(self) -> tuple[Output, ...]:
        """One command too many."""
        return (Send(self.last, Run(self.number, self.increment)), *super().waited_for())


@dataclass(frozen=True, slots=True)
class Fault:
    """Which parties of an installation are other, and which class they have in the place of which of `impl.service.party`."""

    parties: tuple[str, ...]
    name: str
    other: type
    harmless: bool = False


FAULTS = {
    "late_start": Fault(("session:home",), "Session", LateStart, harmless=True),
    "run_before_all_joined": Fault(("session:home",), "Session", RunBeforeAllJoined),
}


if __name__ == "__main__":
    fault = FAULTS[sys.argv[1]]
    setattr(party, fault.name, fault.other)
    del sys.argv[1]
    runpy.run_module("mirrorspec.cli", run_name="__main__", alter_sys=True)
