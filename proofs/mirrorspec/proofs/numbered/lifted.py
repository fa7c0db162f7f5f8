"""The protocol with increment numbers: the staged steps of `spec.steps`, each run on the page of one number.

Nothing of a step is written here a second time. A state of the numbered protocol keeps the fields that the end of an
increment changes on *pages*, one a number, and all others once; a step sees one page beside the shared fields, as if that
were the whole state, and what it changes goes back to where it came from. Which page, and who takes note of the number, is
all that this module adds (`NumberedProtocol.moves`). Read `numbered` first: the argument is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from mirrorspec.spec.charts import CHARTS
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.environment import Environment
from mirrorspec.spec.model import Model, StagedStep, build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading, Event
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import Term
from mirrorspec.spec.universe import Universe

Value = Any
"""A word of bits, or for a relation a tuple of words."""
View = tuple[Value, ...]
"""A whole state of the specification: the shared fields, then the fields of one page."""

ENDS = ("all_committed", "all_aborted")
"""The steps that end an increment and begin the next."""
ASKS = "take_over"
"""The step of a session that leads no number yet, and does not know any."""
ANSWERS = "answer"
"""The step by which a unit tells a session the number that it has heard."""
ONLY_ABSTRACT = "heeded"
"""The guard that no session can know of: that some unit still heeds it. The numbered protocol does without."""


class Numbered(NamedTuple):
    """A state of the numbered protocol."""

    shared: View
    """The fields that do not belong to an increment: modes, bitmaps, images, fences."""
    pages: tuple[View, ...]
    """For each number from 1 on, the fields of that increment. No page is ever cleared or taken away."""
    leads: tuple[int, ...]
    """For each session the number of the increment that it leads; 0: none yet."""
    heard: tuple[int, ...]
    """For each unit the highest number that its primary has heard, and then for each volume its secondary's."""
    reported: tuple[int, ...]
    """For each channel the number in the unit's answer to the session's query; 0: no answer yet."""

    def view(self, number: int) -> View:
        """The state as one increment sees it."""
        return self.shared + self.pages[number - 1]


class Outcome(NamedTuple):
    """What an event does in a view."""

    refused: tuple[str, ...]
    """The guards of the specification that refuse it."""
    enabled: bool
    """Whether every guard holds that the numbered protocol has."""
    changes: tuple[tuple[int, Value], ...]
    """Places in the view, with their new values."""


class Act:
    """An event as a function on views, remembered for each value of the fields that it reads."""

    def __init__(self, event: Event, reading: BitsReading, names: tuple[str, ...]) -> None:
        self.event, self.name, self.things = event, event.step.name, event.parameters
        self._reading, self._names = reading, names
        terms: list[Term] = [*event.step.guards.values(), *event.step.changes.values()]
        read = frozenset[str]().union(*(t.leaves() for t in terms))
        self._key = itemgetter(*[i for i, name in enumerate(names) if name in read] or [0])
        self._known: dict[Any, Outcome] = {}

    def __call__(self, view: View) -> Outcome:
        """What the event does in the view."""
        key = self._key(view)
        known = self._known.get(key)
        if known is None:
            state = dict(zip(self._names, view, strict=True))
            refused = tuple(self._reading.refusals(self.event, state))
            after = self._reading.after(self.event, state)
            changes = tuple((i, after[n]) for i, n in enumerate(self._names) if n in self.event.step.changes)
            known = self._known[key] = Outcome(refused, set(refused) <= {ONLY_ABSTRACT}, changes)
        return known


@dataclass(frozen=True, slots=True)
class Move:
    """A transition of the numbered protocol: the event, the number at which it happened, and the state after it."""

    act: Act
    number: int
    after: Numbered


def changed(view: View, changes: Iterable[tuple[int, Value]], start: int = 0) -> View:
    """The view, or the part of a view that begins at *start*, with the changes that fall into it."""
    values = list(view)
    for place, value in changes:
        if 0 <= place - start < len(values):
            values[place - start] = value
    return tuple(values)


def model_for(
    environment: Environment,
    deviation: Deviation | None = None,
    *,
    kinds: Iterable[Kind] = (),
    complete: bool = False,
) -> Model:
    """The hardened model to be numbered: with what guards read, what properties of these *kinds* read, or *complete*.

    Without late messages as a fault: in the numbered protocol no message ever goes away, so all of them may be late.
    """
    world = Environment(environment.name, environment.faults - {"late_messages"}, environment.reason)
    alter = None if deviation is None else deviation.alter(HARDENED, world)
    return build(HARDENED, world, alter=alter, emptied=False, kinds=kinds, complete=complete)


def fields_of_an_increment(steps: Iterable[StagedStep]) -> frozenset[str]:
    """The fields that ending an increment changes, each with the other states of its chart."""
    names = {name for step in steps if step.name in ENDS for name in step.changes}
    for chart in CHARTS:
        states = {state.id for state in chart.states}
        if states & names:
            names |= states
    return frozenset(names)


class NumberedProtocol:
    """The steps of a model over a universe, with increment numbers.

    Whoever hears a command refuses every number lower than the highest that it has heard: the argument rests on this rule.
    For the commands in *forgetful* it is left out: they are obeyed at any number, and the guards alone must tell.
    """

    def __init__(self, model: Model, universe: Universe, *, forgetful: Iterable[str] = ()) -> None:
        self.universe, self.forgetful = universe, frozenset(forgetful)
        self.reading = BitsReading(model, universe)
        paged = fields_of_an_increment(model.steps)
        ordered = sorted(model.fields, key=lambda f: f.name in paged)
        self.names = tuple(f.name for f in ordered)
        self.sorts = tuple(f.sort for f in ordered)
        self._split = sum(f.name not in paged for f in ordered)
        self.acts = [Act(event, self.reading, self.names) for event in self.reading.events]
        self._numbers = [self._rule(act.event) for act in self.acts]

    def initial(self) -> Numbered:
        """Where everything begins: the first session leads number 1, which all have heard of with their pairs."""
        state = self.reading.initial()
        view = tuple(state[name] for name in self.names)
        sizes = self.universe.sizes
        return Numbered(
            view[: self._split],
            (view[self._split :],),
            (1,) + (0,) * (sizes[Sort.SESSION] - 1),
            (1,) * (sizes[Sort.UNIT] + sizes[Sort.VOLUME]),
            (0,) * sizes[Sort.CHANNEL],
        )

    def moves(self, s: Numbered, numbers: int) -> Iterator[Move]:
        """Every transition from the state, with no more than so many numbers in use."""
        views = [s.view(number) for number in range(1, len(s.pages) + 1)]
        for act, rule in zip(self.acts, self._numbers, strict=True):
            for number in rule(s):
                if act(views[number - 1]).enabled:
                    if act.name not in ENDS:
                        yield Move(act, number, self._after(act, number, s))
                    elif len(s.pages) < numbers:
                        yield Move(act, number, self._begun(act, number, s))

    def _after(self, act: Act, number: int, s: Numbered) -> Numbered:
        """The state after an event at a number; a session that asks does not know any, so it asks on every page."""
        shared = changed(s.shared, act(s.view(number)).changes)
        pages = list(s.pages)
        for n in range(1, len(pages) + 1) if act.name == ASKS else (number,):
            pages[n - 1] = changed(pages[n - 1], act(s.view(n)).changes, self._split)
        leads, heard, reported = s.leads, s.heard, s.reported
        if "k" in act.things and act.name != ASKS:
            leads = changed(leads, [(act.things["k"], number)])
        if act.name == ANSWERS:
            reported = changed(reported, [(act.things["c"], number)])
        elif "c" in act.things:
            hearer = self._hearer(act.event)
            heard = changed(heard, [(hearer, max(number, heard[hearer]))])
        return Numbered(shared, tuple(pages), leads, heard, reported)

    def _begun(self, act: Act, number: int, s: Numbered) -> Numbered:
        """The state after the end of an increment: its page stays, and what the step leaves is the page of a fresh number."""
        page = changed(s.pages[number - 1], act(s.view(number)).changes, self._split)
        leads = changed(s.leads, [(act.things["k"], len(s.pages) + 1)])
        return s._replace(pages=(*s.pages, page), leads=leads)

    def _hearer(self, event: Event) -> int:
        """Who hears a command, as an index into `heard`: the secondary of a volume, or else the primary of a unit."""
        things = event.parameters
        if "v" in things:
            return self.universe.sizes[Sort.UNIT] + things["v"]
        return self.universe.owners[Sort.CHANNEL, Sort.UNIT][things["c"]]

    def _rule(self, event: Event) -> Callable[[Numbered], Iterable[int]]:
        """At which numbers an event may happen, as a function of the state."""
        things, owners = event.parameters, self.universe.owners
        if "k" in things:
            k = things["k"]
            mine = [c for c, session in enumerate(owners[Sort.CHANNEL, Sort.SESSION]) if session == k]
            return lambda s: (s.leads[k] or max(1, *(s.reported[c] for c in mine)),)
        if "c" in things:
            c, hearer = things["c"], self._hearer(event)
            session = owners[Sort.CHANNEL, Sort.SESSION][c]
            if event.step.name == ANSWERS:
                speaking = self.answering(owners[Sort.CHANNEL, Sort.UNIT][c])
                return lambda s: () if s.leads[session] else (max(s.heard[i] for i in speaking),)
            if not event.step.guards.keys() & {"commanded", "current"}:
                return lambda s: (s.leads[session],) if s.leads[session] >= s.heard[hearer] else ()
            if event.step.name in self.forgetful:
                return lambda s: range(1, len(s.pages) + 1)
            return lambda s: range(s.heard[hearer], len(s.pages) + 1)
        unit = self._unit(*event.step.parameters[0][1:], event.things[0])
        return lambda s: (s.heard[unit],)

    def answering(self, unit: int) -> list[int]:
        """Whose numbers a unit's answer takes the highest of, as indices into `heard`: its primary's and its secondary's."""
        units = self.universe.owners[Sort.VOLUME, Sort.UNIT]
        return [unit, *(len(self.universe.layout) + v for v, owner in enumerate(units) if owner == unit)]

    def _unit(self, sort: Sort, thing: int) -> int:
        """The unit of a write, a track, a volume, or the unit itself."""
        for below, above in ((Sort.WRITE, Sort.TRACK), (Sort.TRACK, Sort.VOLUME), (Sort.VOLUME, Sort.UNIT)):
            if sort is below:
                sort, thing = above, self.universe.owners[below, above][thing]
        return thing
