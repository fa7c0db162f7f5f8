"""An instance of a chart of the specification, asked before it is moved.

A machine must know whether an event is allowed before anything is persisted, and the chart may move only after. The tables of
transitions are the chart's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from statemachine import StateMachine

from mirrorspec.spec.charts import arrows, events


class Chart:
    """Where one thing is in its chart."""

    __slots__ = ("_machine", "_type")

    def __init__(self, chart: type[StateMachine], state: str) -> None:
        self._type = chart
        self._machine = chart(start_value=state)

    @property
    def state(self) -> str:
        """The id of the state."""
        return str(self._machine.current_state_value)

    def allows(self, event: str) -> bool:
        """Whether the chart has a transition for the event here."""
        return permitted(self._type, event, self.state)

    def target(self, event: str) -> str:
        """The state to which the event leads from here. Raises `KeyError` where the chart does not allow it."""
        return dict(arrows(self._type, event))[self.state]

    def send(self, event: str) -> None:
        """Take the transition. Raises `TransitionNotAllowed`, and changes nothing, where the chart does not allow it."""
        self._machine.send(event)

    def follow(self, events: Iterable[str], state: str) -> None:
        """Go to the state: by the one of the events that the chart has, or after a restart, by none."""
        for event in events:
            if event in events_of(self._type) and self.allows(event) and self.target(event) == state:
                self.send(event)
                return
        self._machine = self._type(start_value=state)


@cache
def events_of(chart: type[StateMachine]) -> frozenset[str]:
    """The names of the chart's events."""
    return frozenset(events(chart))


def permitted(chart: type[StateMachine], event: str, state: str) -> bool:
    """Whether the chart has a transition for the event from the state."""
    return any(source == state for source, _ in arrows(chart, event))
