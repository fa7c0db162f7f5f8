"""Whether every transition of the numbered protocol is one that the specification has: the check, and two ways to run it.

`Simulation.explained` decides one transition. `exhaust` takes every transition of every state within a bound, breadth first,
so that a transition that is not explained is reached by the shortest way; `wander` takes every transition of the states on
seeded random walks, where a bound is out of reach. Both say how often each of the three explanations was needed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from mirrorspec.proofs.numbered.lifted import Act, Move, Numbered, NumberedProtocol, View, changed
from mirrorspec.spec.guards import GUARDS
from mirrorspec.spec.model import StagedStep
from mirrorspec.spec.readings.bits import Event
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import Term

SAME, UNSEEN, FIRST = "the same step", "not seen", "heard of first"
DECISIONS_BEFORE_HEARD = 3
"""So many decisions a session may take at a number that nobody has heard: it begins the increment, and may give it up."""

RARELY = {"abandon": 0.05, "take_over": 0.05, "run_timeout": 0.05, "increment_timeout": 0.05, "dismiss": 0.05}
"""How often a walk takes the steps that end most increments before they get anywhere, beside 1 for all others."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A transition that the specification does not have."""

    labels: tuple[str, ...]
    """The way to it, itself the last: each event with the number at which it happened."""
    reason: str
    """Why the specification does not have it."""

    def __str__(self) -> str:
        return "\n".join([*self.labels, f"but the specification has no such step: {self.reason}"])


@dataclass(slots=True)
class Findings:
    """What a run has found."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    complete: bool = False
    """Whether every state within the bound was visited."""
    how: Counter[str] = field(default_factory=Counter)
    """How often each explanation was needed."""
    numbers: Counter[int] = field(default_factory=Counter)
    """In how many states each number is the highest that was heard."""
    steps: Counter[str] = field(default_factory=Counter)
    """How often each step was taken."""
    broken: Broken | None = None


class Simulation:
    """The numbered protocol beside the specification of which it is claimed to be an instance."""

    def __init__(self, protocol: NumberedProtocol) -> None:
        self.protocol = protocol
        self._decisions = [act for act in protocol.acts if "k" in act.things]

    def current(self, s: Numbered) -> int:
        """The increment that the specification speaks of: the highest number that anybody has heard."""
        return max(s.heard)

    def seen(self, s: Numbered) -> View:
        """The state of the specification that stands for a numbered state."""
        return self._relevant(s.view(self.current(s)))

    def explained(self, s: Numbered, before: View, move: Move) -> str | None:
        """How the specification accounts for a transition from a state, seen as *before*; None when it does not."""
        after = self.seen(move.after)
        if before == after:
            return UNSEEN
        if self._step(move.act, before) == after:
            return SAME
        if self.current(s) < self.current(move.after):
            begun = self._caught_up(before, self._session(move.act))
            if any(self._step(move.act, view) == after for view in begun):
                return FIRST
        return None

    def reason(self, s: Numbered, move: Move) -> str:
        """Why the specification does not have a transition."""
        before, after, protocol = self.seen(s), self.seen(move.after), self.protocol
        label = move.act.event.label(protocol.universe)
        refused = move.act(before).refused
        if refused:
            return f"{label} at {move.number} is refused: " + "; ".join(GUARDS.get(n, n) for n in refused)
        expected = self._step(move.act, before)
        assert expected is not None
        there = [
            f"{name} is {self._words(sort, b)}, not {self._words(sort, a)}"
            for name, sort, a, b in zip(protocol.names, protocol.sorts, expected, after, strict=True)
            if a != b
        ]
        return f"{label} at {move.number} has another effect: " + "; ".join(there)

    def _step(self, act: Act, view: View) -> View | None:
        """The specification's state after an event, None when a guard refuses it."""
        outcome = act(view)
        return None if outcome.refused else self._relevant(changed(view, outcome.changes))

    def _caught_up(self, view: View, session: int) -> Iterator[View]:
        """The states after what a session may have decided before anybody heard of it."""
        level = [view]
        for _ in range(DECISIONS_BEFORE_HEARD):
            mine = [act for act in self._decisions if act.things["k"] == session]
            level = [after for v in level for act in mine if (after := self._step(act, v)) is not None]
            yield from level

    def _session(self, act: Act) -> int:
        return self.protocol.universe.owners[Sort.CHANNEL, Sort.SESSION][act.things["c"]]

    @cached_property
    def _hiding(self) -> Act | None:
        """As a step without guards: what no step can read is emptied, for sessions and channels that are refused."""
        s, names = symbolic_state(), self.protocol.names
        if "fenced" not in names:
            return None
        kept = {Sort.SESSION: (~s.fenced).session, Sort.CHANNEL: ~s.fenced}
        changes: dict[str, Term] = {
            name: getattr(s, name) & kept[sort]
            for name, sort in zip(names, self.protocol.sorts, strict=True)
            if sort is Sort.SESSION or name.endswith("_sent")
        }
        step = StagedStep("forget what is refused", (), {}, changes)
        return Act(Event(step, ()), self.protocol.reading, names)

    def _relevant(self, view: View) -> View:
        return view if self._hiding is None else changed(view, self._hiding(view).changes)

    def _words(self, sort: Sort, word: object) -> str:
        if not isinstance(word, int):
            return str(word)
        universe = self.protocol.universe
        return "{" + ", ".join(universe.name(sort, i) for i in range(universe.sizes[sort]) if word >> i & 1) + "}"

    def label(self, move: Move) -> str:
        """A transition as it is printed."""
        return f"{move.act.event.label(self.protocol.universe)} at {move.number}"

    def check(self, s: Numbered, numbers: int, found: Findings) -> list[Move]:
        """Every move from a state, counted; the first that is not explained is put down, and the rest left."""
        moves = list(self.protocol.moves(s, numbers))
        before = self.seen(s)
        found.states += 1
        found.numbers[self.current(s)] += 1
        for move in moves:
            how = self.explained(s, before, move)
            found.transitions += 1
            if how is None:
                found.broken = Broken((self.label(move),), self.reason(s, move))
                break
            found.how[how] += 1
            found.steps[move.act.name] += 1
        return moves


def exhaust(simulation: Simulation, numbers: int, most_states: int) -> Findings:
    """Every transition of every state with so many numbers, breadth first, up to so many states."""
    found = Findings()
    start = simulation.protocol.initial()
    came: dict[Numbered, tuple[Numbered, str] | None] = {start: None}
    level = [start]
    while level and len(came) < most_states:
        following: list[Numbered] = []
        for s in level:
            for move in simulation.check(s, numbers, found):
                if move.after not in came:
                    came[move.after] = s, simulation.label(move)
                    following.append(move.after)
            if found.broken:
                found.broken = Broken((*_way(came, s), *found.broken.labels), found.broken.reason)
                return found
        level = following
        found.depth += 1
    found.complete = not level
    return found


def _way(came: dict[Numbered, tuple[Numbered, str] | None], s: Numbered) -> list[str]:
    labels: list[str] = []
    while step := came[s]:
        s, label = step
        labels.append(label)
    return labels[::-1]


def wander(simulation: Simulation, numbers: int, seed: int, walks: int, length: int) -> Findings:
    """Every transition of every state on so many random walks. States are counted as often as they are met."""
    found = Findings()
    draw = random.Random(seed)
    for _ in range(walks):
        s, way = simulation.protocol.initial(), list[str]()
        for _ in range(length):
            moves = simulation.check(s, numbers, found)
            if found.broken:
                found.broken = Broken((*way, *found.broken.labels), found.broken.reason)
                return found
            if not moves:
                break
            move = draw.choices(moves, [RARELY.get(m.act.name, 1.0) for m in moves])[0]
            way.append(simulation.label(move))
            s = move.after
        found.depth = max(found.depth, len(way))
    return found
