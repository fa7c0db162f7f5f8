"""Every step of the controller is a step of the specification: the refinement mapping, checked after every event.

Beside the controller runs the specification, hardened and with every fault, in the running reading. Each step that a machine
says it takes is taken there too, and must be allowed; then everything that the machine's record says is compared. What the
mapping adds to the names of the steps:

- *Numbers.* The specification has one increment: the highest number that any unit has heard of. A session that begins the
  next one does so there when the first unit hears of it (`mirrorspec.proofs.numbered` says why).
- *Transfers.* What a primary gives up is lost there when the secondary stores the next epoch: until then it may arrive. A
  restart gives up transfers and nothing else; a primary that leaves an increment as it restarts does so there as by its timer.
- *A unit* of the specification is both halves: it has answered a session when both have.
- *A write* is issued when it arrives; on each track the n-th to arrive has the n-th place there. An image of a track is known
  by its content: the simulation never writes the same bytes twice.
- *A session that every unit refuses* is left out: nobody can tell what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mirrorspec.impl.core.events import Begin, Event, HostWrite, Proceed, Received
from mirrorspec.impl.core.messages import Command, Hardened
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Bitmap, Image, Outcome, Put, SendTrack, Taken, Write
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.impl.core.records import COMMITTED, FLASHED, IN_PROGRESS, PENDING, WITHDRAWN, SecondaryRecord
from mirrorspec.impl.core.secondary import SecondaryUnit
from mirrorspec.impl.core.session import Session
from mirrorspec.model_tests.simulation.coverage import Reached, Tests, tests
from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.guards import GUARDS
from mirrorspec.spec.model import build
from mirrorspec.spec.readings.running import RunningReading
from mirrorspec.spec.universe import Universe

Read = Callable[[Image, int], bytes]
"""How a party's storage is read: an image and a track of its unit."""

DELAYED = ("all_committed", "all_aborted")
"""Decisions that begin an increment, which the specification takes when the first unit hears of it."""


class NotRefinedError(AssertionError):
    """The controller did what the specification does not allow, or is where the specification is not."""


class Refinement:
    """The specification beside one controller of units of one shape, with so many writes to each track."""

    def __init__(self, options: Configuration, shape: UnitShape, units: int, writes: int, sessions: int) -> None:
        self.shape, self.units, self.writes, self.sessions = shape, units, writes, sessions
        self.reading = _reading(options, shape.volumes, units, writes, sessions)
        self.state = self.reading.initial()
        self.reached = Reached(_tests(options, self.reading))
        self.current = 1
        """The highest increment that any unit has heard of."""
        self.steps: list[tuple[str, tuple[int, ...]]] = []
        """Every step that the specification has taken."""
        self._waiting: dict[int, list[str]] = {}
        """For each session the decisions about an increment that no unit has heard of."""
        self._answered: dict[int, set[tuple[str, int]]] = {}
        """For each session the halves that have answered it."""
        self._slots: dict[tuple[int, int], int] = {}
        """For each unit's request the number of its write."""
        self._arrived = [0] * (units * shape.tracks)
        """For each track how many writes have arrived."""
        self._contents: list[dict[bytes, int]] = [{bytes(shape.track_bytes): 0} for _ in self._arrived]
        """For each track the set of writes that each content reflects."""
        self._unsent: set[int] = set()
        """Tracks that the specification has sent at once with a collision, and the controller could not."""
        everything = (1 << shape.tracks) - 1
        self._tracks_of = [everything << unit * shape.tracks for unit in range(units)]

    # Steps

    def take(self, step: str, *things: int) -> None:
        """Let the specification take a step. Raises `NotRefinedError` with the guard that refuses it."""
        refused = self.reading.take(step, things, self.state)
        self.steps.append((step, things))
        if refused is not None:
            words = GUARDS.get(refused, refused)
            raise NotRefinedError(f"{step}{things} is refused by {refused}: {words}")
        self.reached.look(self.state)

    def happened(
        self, machine: PrimaryUnit | SecondaryUnit | Session, event: Event, outcome: Outcome, read: Read | None
    ) -> None:
        """The outcome's changes are durable; the machine has applied them, and put nothing out yet."""
        if isinstance(machine, Session):
            for taken in outcome.steps:
                self._decided(machine, taken.step)
        elif isinstance(machine, PrimaryUnit):
            for taken in outcome.steps:
                self._primary(machine, taken, event, outcome, read)
            self._compare_primary(machine)
        else:
            self._secondary(machine, event, outcome, read)

    def acknowledged(self, unit: int, request: int) -> None:
        """A primary has reported a write complete."""
        self.take("acknowledge_write", self._slots[unit, request])

    def _heard(self, event: Event) -> int:
        """The channel of a command; when it is about an increment that nobody had heard of, the session begins it now."""
        assert isinstance(event, Received)
        command = event.message
        assert isinstance(command, Command)
        session, increment = command.session - 1, command.increment
        if increment > self.current:
            for decision in self._waiting.pop(session, ()):
                self.take(decision, session)
            self.current = increment
        return session * self.units

    def _decided(self, session: Session, step: str) -> None:
        k = session.number - 1
        channels = ((1 << self.units) - 1) << k * self.units
        if not channels & ~self.state["fenced"]:
            return
        unheard = session.increment > self.current
        if step in DELAYED or unheard:
            self._waiting.setdefault(k, []).append(step)
        else:
            self.take(step, k)

    def _primary(self, machine: PrimaryUnit, taken: Taken, event: Event, outcome: Outcome, read: Read | None) -> None:
        unit, step = machine.unit, taken.step
        first = unit * self.shape.tracks
        match step:
            case "issue_write":
                assert isinstance(event, HostWrite)
                self._slots[unit, event.request] = self._slot(first + event.track)
                self.take(step, self._slots[unit, event.request])
            case "apply_write":
                assert isinstance(event, Proceed)
                self._applied(first, self._slots[unit, event.request], outcome, read)
            case "send_track":
                track = first + taken.things[0]
                if track in self._unsent:
                    self._unsent.discard(track)
                    self.take("lose_track", track)
                self.take(step, track)
            case "acknowledge_track":
                assert isinstance(event, Received)
                assert isinstance(event.message, Hardened)
                self.take(step, first + event.message.track)
            case "restart_primary":
                if any(isinstance(c, Put) and c.field == "over" for c in outcome.changes):
                    pending = self.state["pending"] >> unit & 1
                    self.take("run_timeout" if pending else "increment_timeout", unit)
                self._images(unit, "applied", Image.CACHE, read)
            case "establish":
                self.take(step, unit)
            case "answer":
                self._answer(taken.things[0], ("primary", unit))
            case "report_drained" | "run_timeout" | "increment_timeout":
                self.take(step, unit)
            case _:
                self.take(step, self._heard(event) + unit)

    def _slot(self, track: int) -> int:
        place = self._arrived[track]
        if place >= self.writes:
            raise IndexError(f"track {track} has room for {self.writes} writes only")
        self._arrived[track] += 1
        return track * self.writes + place

    def _applied(self, first: int, write: int, outcome: Outcome, read: Read | None) -> None:
        track = write // self.writes
        before = self.state["in_flight"]
        self.take("apply_write", write)
        sent = self.state["in_flight"] & ~before
        if sent and not any(isinstance(output, SendTrack) for output in outcome.outputs):
            self._unsent.add(track)
        assert any(isinstance(change, Write) for change in outcome.changes)
        assert read is not None
        content = read(Image.CACHE, track - first)
        self._contents[track][content] = self.state["applied"] & self._writes_of(track)

    def _secondary(self, machine: SecondaryUnit, event: Event, outcome: Outcome, read: Read | None) -> None:
        unit, record = machine.unit, machine.record
        first, volumes = unit * self.shape.tracks, unit * len(self.shape.volumes)
        for change in outcome.changes:
            if isinstance(change, Put) and change.field == "epoch":
                self._lose_all(unit)
        if isinstance(event, Received) and isinstance(event.message, Command) and outcome.changes:
            self._heard(event)
        for taken in outcome.steps:
            match taken.step:
                case "deliver_track":
                    self.take(taken.step, first + taken.things[0])
                    self._image(unit, taken.things[0], "secondary", Image.MIRROR, read)
                    self._image(unit, taken.things[0], "target", Image.TARGET, read)
                case "answer":
                    self._answer(taken.things[0], ("secondary", unit))
                case _:
                    session, volume = taken.things
                    self.take(taken.step, (session - 1) * self.units + unit, volumes + volume)
                    for track in range(self.shape.first(volume), self.shape.first(volume) + self.shape.volumes[volume]):
                        self._image(unit, track, "target", Image.TARGET, read)
        if isinstance(event, Begin):
            self._images(unit, "secondary", Image.MIRROR, read)
            self._images(unit, "target", Image.TARGET, read)
        self._compare_secondary(unit, record)

    def _lose_all(self, unit: int) -> None:
        lost = self.state["in_flight"] & self._tracks_of[unit]
        for track in _bits(lost):
            self.take("lose_track", track)
        self._unsent -= set(_bits(lost))

    def _answer(self, session: int, half: tuple[str, int]) -> None:
        halves = self._answered.setdefault(session, set())
        halves.add(half)
        if {("primary", half[1]), ("secondary", half[1])} <= halves:
            self.take("answer", (session - 1) * self.units + half[1])

    # Comparison

    def _expect(self, what: str, found: int, field: str, mask: int) -> None:
        expected = self.state[field] & mask
        if expected != found:
            raise NotRefinedError(
                f"{what}: {field} is {_words(found)} in the controller and {_words(expected)} in the specification"
            )

    def _compare_primary(self, machine: PrimaryUnit) -> None:
        unit, record, n = machine.unit, machine.record, self.current
        bit, name = 1 << unit, f"primary {machine.unit}"
        self._expect(name, bit * (record.mode == PENDING), "pending", bit)
        self._expect(name, bit * (record.mode == IN_PROGRESS), "in_progress", bit)
        self._expect(name, bit * (record.joined == n), "joined", bit)
        self._expect(name, bit * (record.drained == n), "drained", bit)
        self._expect(name, bit * (record.over == n), "left", bit)
        tracks, shift = self._tracks_of[unit], unit * self.shape.tracks
        for bitmap in Bitmap:
            self._expect(name, record.bitmaps[bitmap].word() << shift, str(bitmap), tracks)
        if machine.connected:
            flying = sum(1 << track for track in machine.flying)
            again = sum(1 << track for track, flight in machine.flying.items() if flight.rewritten)
            unsent = sum(1 << track for track in self._unsent)
            self._expect(name, flying << shift, "in_flight", tracks & ~unsent)
            self._expect(name, again << shift, "rewritten", tracks & ~unsent)

    def _compare_secondary(self, unit: int, record: SecondaryRecord) -> None:
        name, n = f"secondary {unit}", self.current
        count = len(self.shape.volumes)
        mask, shift = ((1 << count) - 1) << unit * count, unit * count
        words = {FLASHED: 0, COMMITTED: 0, WITHDRAWN: 0}
        tainted = 0
        for volume, relation in enumerate(record.relations):
            tainted |= (relation.taint == n) << volume
            if relation.increment == n and relation.state in words:
                words[relation.state] |= 1 << volume
        for field, word in words.items():
            self._expect(name, word << shift, field, mask)
        self._expect(name, tainted << shift, "tainted", mask)

    def _writes_of(self, track: int) -> int:
        return ((1 << self.writes) - 1) << track * self.writes

    def _image(self, unit: int, track: int, field: str, image: Image, read: Read | None) -> None:
        assert read is not None
        place = unit * self.shape.tracks + track
        held = self._contents[place].get(read(image, track))
        if held is None:
            raise NotRefinedError(
                f"unit {unit}: the {image} of track {track} has contents that were never in the cache"
            )
        self._expect(f"unit {unit}, track {track}, {image}", held, field, self._writes_of(place))

    def _images(self, unit: int, field: str, image: Image, read: Read | None) -> None:
        for track in range(self.shape.tracks):
            self._image(unit, track, field, image, read)


class Unrefined(Refinement):
    """No specification beside the controller: nothing is compared, so the judge of images alone may find a fault."""

    def happened(
        self, machine: PrimaryUnit | SecondaryUnit | Session, event: Event, outcome: Outcome, read: Read | None
    ) -> None:
        """Nobody looks."""

    def acknowledged(self, unit: int, request: int) -> None:
        """Nobody looks."""


_READINGS: dict[object, RunningReading] = {}


def _reading(
    options: Configuration, volumes: tuple[int, ...], units: int, writes: int, sessions: int
) -> RunningReading:
    """One reading for all runs of the same size: its functions are compiled once."""
    key = (options, volumes, units, writes, sessions)
    if key not in _READINGS:
        layout = tuple(tuple((writes,) * tracks for tracks in volumes) for _ in range(units))
        model = build(options, ENVIRONMENTS["all"], complete=True, emptied=False, kinds=())
        _READINGS[key] = RunningReading(model, Universe.of(layout, sessions))
    return _READINGS[key]


_TESTS: dict[int, Tests] = {}


def _tests(options: Configuration, reading: RunningReading) -> Tests:
    if id(reading) not in _TESTS:
        _TESTS[id(reading)] = tests(options, reading)
    return _TESTS[id(reading)]


def _bits(word: int) -> Iterable[int]:
    while word:
        low = word & -word
        yield low.bit_length() - 1
        word ^= low


def _words(word: int) -> str:
    return "{" + ", ".join(map(str, _bits(word))) + "}"


__all__ = ["NotRefinedError", "Refinement", "Unrefined"]
