"""The steps of the specification with durations: a small discrete-event model, to compare the formulas of `proofs.timing`
with.

An event that becomes possible happens after a random delay, of at most what its kind takes, unless something else makes it
impossible before. Which events are possible, and what they do, is the bits reading's to say: nothing of the protocol is here
but how long each kind of step takes. Hosts write all the while.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from mirrorspec.proofs.timing import Durations
from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.bits import BitsReading, Event
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.universe import Universe

TRANSFER_STEPS = ("send_track", "deliver_track", "acknowledge_track")
HOST_STEPS = ("issue_write", "apply_write", "acknowledge_write")
LONGEST_DRAIN_EVENTS = 5
"""An older image is delivered and acknowledged, then the right one is sent, delivered and acknowledged."""


def at_most(step: str, durations: Durations) -> float:
    """The longest delay of a step, in seconds, once it is possible."""
    message = durations.message_seconds
    longest = {
        "start_increment": message,
        "run": message,
        "increment_complete": message,
        "all_joined": message,
        "report_drained": 0.0,
        "all_drained": message,
        "flash": message + durations.flash_seconds,
        "all_flashed": message,
        "commit": message + durations.commit_seconds,
        "all_committed": message + durations.interval_seconds,
        **dict.fromkeys(TRANSFER_STEPS, durations.drain_seconds / LONGEST_DRAIN_EVENTS),
    }
    return longest.get(step, durations.drain_seconds / LONGEST_DRAIN_EVENTS)


@dataclass(slots=True)
class Measured:
    """What was seen in a run, all in seconds."""

    holds: list[tuple[float, float, float]] = field(default_factory=list)
    """For each unit and increment: when it joined, when the last unit joined, when its hold ended."""
    ages: list[float] = field(default_factory=list)
    """For each increment, at the moment when the first of its volumes is recovered: how long ago the one before it began."""


def run(
    model: Model, universe: Universe, durations: Durations, increments: int, seed: int, *, worst: bool = False
) -> Measured:
    """Let so many increments happen, or as many as can. With *worst* every step but the hosts' takes as long as it may.

    The run timer, where the model has it, fires at its time.
    """
    reading, draw = BitsReading(model, universe), random.Random(seed)
    state, now, due = reading.initial(), 0.0, dict[str, float]()
    joined: dict[int, float] = {}
    ended: dict[int, float] = {}
    began: list[float] = [0.0]
    found = Measured()
    recovered = False
    while len(began) <= increments:
        possible = {event.label(universe): event for event in reading.enabled(state) if event.step.name != "abandon"}
        due = {
            label: due[label] if label in due else now + _delay(e, durations, draw, worst)
            for label, e in possible.items()
        }
        if not due:
            break
        label = min(due, key=lambda name: (due[name], name))
        now = due.pop(label)
        event = possible[label]
        state = reading.after(event, state)
        match event.step.name:
            case "start_increment":
                joined[_unit(event, universe)] = now
            case "run" | "run_timeout":
                ended[_unit(event, universe)] = now
                if len(ended) == len(joined):
                    last = max(joined.values())
                    found.holds += [(joined[u], last, ended[u]) for u in ended]
                if event.step.name == "run_timeout":
                    break
            case "commit" if not recovered:
                recovered = True
                found.ages += [now - began[-2]] if len(began) > 1 else []
            case "all_committed":
                began.append(now)
                joined, ended, recovered = {}, {}, False
            case _:
                pass
    return found


def _delay(event: Event, durations: Durations, draw: random.Random, worst: bool) -> float:
    if event.step.name == "run_timeout":
        return durations.run_timer_seconds
    longest = at_most(event.step.name, durations)
    return longest if worst and event.step.name not in HOST_STEPS else draw.uniform(0.0, longest)


def _unit(event: Event, universe: Universe) -> int:
    """The unit that an event of a channel or a unit is about."""
    ((_, sort), *_), (thing, *_) = event.step.parameters, event.things
    return thing if sort is Sort.UNIT else universe.owners[Sort.CHANNEL, Sort.UNIT][thing]
