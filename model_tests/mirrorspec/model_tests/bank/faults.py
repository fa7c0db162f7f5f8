"""Controllers that are wrong in one place, each after a deviation of the specification of the same name.

A fault is a class that takes the place of the right one in a process of its own; the product has no hook for it. The rest of
the process is `mirrorspec serve`:

    python -m mirrorspec.model_tests.bank.faults FAULT serve CONFIG --party NAME
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

GAP_SECONDS = 2.0
"""So much later than the last unit the others are told to join, as if the way to them were long."""


class RunBeforeAllJoined(Session):
    """Lets a unit run as soon as it has joined, instead of holding it until all have [0038-0041].

    Nothing else is wrong with it: every unit drains, all are flashed and committed under one number, and the decision table
    finds nothing to object to. But what the last unit wrote between its own cut and the other's belongs to the next increment,
    and what others wrote because of it belongs to this one.
    """

    _released = 0
    """The increment that the other units have been told to join."""

    def handle(self, event: Event) -> Outcome:
        """As the right session does, but the last unit joins and runs before the others join."""
        if isinstance(event, TimerFired) and event.name == "gap":
            return self._release(event.number)
        outcome = super().handle(event)
        outputs = [output for output in outcome.outputs if not self._early(output)]
        if self._joins(event):
            outputs += [
                Send(f"primary:{len(self.volumes) - 1}", Run(self.number, self.increment)),
                StartTimer("gap", GAP_SECONDS, self.increment),
            ]
        return replace(outcome, outputs=tuple(outputs))

    def _release(self, increment: int) -> Outcome:
        if increment != self.increment or self.phase.state != SessionPhase.starting.id:
            return NOTHING
        starts = (Send(f"primary:{u}", StartIncrement(self.number, increment)) for u in range(len(self.volumes) - 1))
        return Outcome(memory=(lambda: setattr(self, "_released", increment),), outputs=tuple(starts))

    def _early(self, output: Output) -> bool:
        """A command to join that is kept back: it goes to another unit than the last, and the gap has not passed."""
        return (
            isinstance(output, Send)
            and isinstance(output.message, StartIncrement)
            and output.to != f"primary:{len(self.volumes) - 1}"
            and output.message.increment > self._released
        )

    def _joins(self, event: Event) -> bool:
        """Whether the event tells for the first time that the last unit has joined the increment that is starting."""
        if not (isinstance(event, Received) and isinstance(event.message, PrimaryReport)):
            return False
        told, last = event.message, len(self.volumes) - 1
        current = (told.session, told.increment, told.unit) == (self.number, self.increment, last)
        starting = self.phase.state == SessionPhase.starting.id
        return current and starting and told.joined and not self.known[last].joined


@dataclass(frozen=True, slots=True)
class Fault:
    """Which parties of an installation are wrong, and which class they have in the place of which of `impl.service.party`."""

    parties: tuple[str, ...]
    name: str
    wrong: type


FAULTS = {"run_before_all_joined": Fault(("session:home",), "Session", RunBeforeAllJoined)}


if __name__ == "__main__":
    fault = FAULTS[sys.argv[1]]
    setattr(party, fault.name, fault.wrong)
    del sys.argv[1]
    runpy.run_module("mirrorspec.cli", run_name="__main__", alter_sys=True)
