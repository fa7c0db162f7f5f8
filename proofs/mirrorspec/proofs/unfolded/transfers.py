"""Transfers with numbers, and every copy of them kept by the network: what abstraction (e) leaves out.

The specification has at most one transfer of a track on its way, which may be given up, and never has the secondary accept a
copy of one that was given up. Here every transfer has a number, the network keeps a copy of every one that was ever sent, and
the secondary hardens any copy whose number is higher than the highest that it has hardened of that track, whether or not the
primary has given it up meanwhile. Nothing of a step is written a second time: a copy that arrives is `deliver_track`, in the
state as it would be if that copy were in flight.

What is claimed is that nothing more can be reached: that a copy is hardened late looks as if it had been delivered in time, and
its acknowledgement lost. That is no claim about single steps, since the other run takes its steps in another order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mirrorspec.proofs.numbered.lifted import ENDS, Act
from mirrorspec.proofs.unfolded.explored import View, changed, reached, way
from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.bits import BitsReading, moved
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.universe import Universe

SENDS, DELIVERS = "send_track", "deliver_track"
AT_THE_SECONDARY = ("secondary", "tainted")
"""What a copy changes that arrives when the primary waits for it no more."""


class Copy(NamedTuple):
    """A copy in the network: of which track, its number, what it carries, and whether its unit had left the increment."""

    track: int
    number: int
    carries: int
    late: bool


class Numbered(NamedTuple):
    """A state with numbered transfers."""

    view: View
    copies: frozenset[Copy]
    """Those that the secondary would still accept."""
    sent: tuple[int, ...]
    """For each track the number of the last transfer."""
    hardened: tuple[int, ...]
    """For each track the highest number that the secondary has hardened."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many states there are, and the labels that lead to the first that the specification does not have."""

    numbered: int
    specified: int
    late_arrivals: int
    """How many states were reached by hardening a copy of a transfer that had been given up."""
    strange: tuple[str, ...] | None


class Transfers:
    """The model over a universe, with at most *most* transfers of each track. Unless *in_sequence*, the secondary accepts any
    number: then the claim must fail."""

    def __init__(self, model: Model, universe: Universe, most: int, *, in_sequence: bool = True) -> None:
        self.universe, self.most, self.in_sequence = universe, most, in_sequence
        self.reading = BitsReading(model, universe)
        self.names = tuple(f.name for f in model.fields)
        self.acts = [Act(event, self.reading, self.names) for event in self.reading.events]
        self._at = {name: i for i, name in enumerate(self.names)}
        self._delivers = {act.things["t"]: act for act in self.acts if act.name == DELIVERS}

    def initial(self) -> Numbered:
        """Where everything begins: no transfer has been sent."""
        state = self.reading.initial()
        none = (0,) * self.universe.sizes[Sort.TRACK]
        return Numbered(tuple(state[name] for name in self.names), frozenset(), none, none)

    def moves(self, s: Numbered) -> Iterator[tuple[str, Numbered]]:
        """Every transition from the state, with its label."""
        for act in self.acts:
            if act(s.view).refused:
                continue
            view = changed(s.view, act(s.view).changes)
            track = act.things.get("t", -1)
            after = s._replace(view=view)
            if act.name == SENDS:
                if s.sent[track] == self.most:
                    continue
                after = self._sent(after, track)
            elif act.name == DELIVERS:
                after = self._accepted(after, track, s.sent[track])
            elif act.name in ENDS:
                after = after._replace(copies=frozenset(copy._replace(late=False) for copy in s.copies))
            yield act.event.label(self.universe), after
        for copy in sorted(s.copies):
            if copy.number < s.sent[copy.track] or not self._value(s.view, "in_flight") >> copy.track & 1:
                after = self._accepted(s._replace(view=self._hardened(s.view, copy)), copy.track, copy.number)
                yield f"late arrival of transfer {copy.number} of T{copy.track}", after

    def _sent(self, s: Numbered, track: int) -> Numbered:
        number = s.sent[track] + 1
        carries = self._value(s.view, "wire") & self._writes(track)
        copy = Copy(track, number, carries, bool(self._value(s.view, "late") >> track & 1))
        return s._replace(copies=s.copies | {copy}, sent=_put(s.sent, track, number))

    def _accepted(self, s: Numbered, track: int, number: int) -> Numbered:
        if not self.in_sequence:
            return s
        kept = frozenset(copy for copy in s.copies if copy.track != track or copy.number > number)
        return s._replace(copies=kept, hardened=_put(s.hardened, track, number))

    def _hardened(self, view: View, copy: Copy) -> View:
        """The view after a copy has arrived for which the primary does not wait."""
        bit = 1 << copy.track
        as_if = {
            "in_flight": self._value(view, "in_flight") | bit,
            "delivered": self._value(view, "delivered") & ~bit,
            "wire": self._value(view, "wire") & ~self._writes(copy.track) | copy.carries,
            "late": self._value(view, "late") & ~bit | bit * copy.late,
        }
        act = self._delivers[copy.track]
        outcome = act(changed(view, ((self._at[name], value) for name, value in as_if.items())))
        assert not outcome.refused
        return changed(view, ((i, value) for i, value in outcome.changes if self.names[i] in AT_THE_SECONDARY))

    def _writes(self, track: int) -> int:
        return int(moved(1 << track, self.universe.owned_masks(Sort.WRITE, Sort.TRACK)))

    def _value(self, view: View, name: str) -> int:
        return int(view[self._at[name]])

    def specified(self, view: View) -> Iterator[tuple[str, View]]:
        """Every transition that the specification has from a state."""
        for act in self.acts:
            outcome = act(view)
            if not outcome.refused:
                yield act.event.label(self.universe), changed(view, outcome.changes)


def compare(transfers: Transfers) -> Comparison:
    """Every state with numbers must be one of the specification's, which is searched without a bound on transfers."""
    start = transfers.initial()
    specified = reached(start.view, transfers.specified)
    numbered = reached(start, transfers.moves)
    late = 0
    for s, came in numbered.items():
        late += came is not None and came[1].startswith("late")
        if s.view not in specified:
            return Comparison(len(numbered), len(specified), late, way(numbered, s))
    return Comparison(len(numbered), len(specified), late, None)


def _put(row: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*row[:place], value, *row[place + 1 :])
