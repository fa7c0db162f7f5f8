"""Machines, storage that crashes, and everything that is on its way: each act is a step that somebody else chooses.

A message is held until it is delivered, which may be never, or twice; a timer fires when it is told to; a crash comes at once,
or at the next persist point of a party. After every event of a machine the refinement mapping is checked; when a party crashes,
the image that recovery would yield is judged as a cut, with the number of the step for the time.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from random import Random
from typing import cast

from mirrorspec.impl.core.events import Begin, Event, HostWrite, Received, TimerFired
from mirrorspec.impl.core.messages import Message, Transfer
from mirrorspec.impl.core.outcome import Acknowledge, Fail, Outcome, Send, SendTrack, StartTimer, StopTimer
from mirrorspec.impl.core.session import Session
from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.model_tests.crashing_storage import CrashedError, Happening
from mirrorspec.model_tests.simulation.judging import Hosts, judge_recovery
from mirrorspec.model_tests.simulation.party import Party
from mirrorspec.model_tests.simulation.refinement import Refinement
from mirrorspec.model_tests.simulation.scenario import BLOCK_BYTES, Scenario
from mirrorspec.model_tests.simulation.world import World

SESSIONS = 3
"""At most so many sessions take part."""


@dataclass(frozen=True, slots=True)
class Held:
    """A message on its way. *number* counts those of its kind that were sent from its sender to its receiver."""

    number: int
    sender: str
    to: str
    message: Message

    def __str__(self) -> str:
        return f"{type(self.message).__name__} {self.number} from {self.sender} to {self.to}"


class System:
    """One installation, from the moment at which every party is begun."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.now = 0.0
        """How many steps were chosen."""
        self.refinement = Refinement(scenario.configuration, scenario.shape, scenario.units, scenario.writes, SESSIONS)
        self.hosts = Hosts(scenario.units * scenario.shape.tracks, scenario.shape.track_bytes // BLOCK_BYTES)
        self.parties: dict[str, Party] = {}
        self.sessions: dict[int, Session] = {}
        """The sessions that are up, by number."""
        self.begun = 0
        """How many sessions there have been."""
        self.agenda: dict[str, deque[Event]] = {}
        """What each party has to be told next, by itself."""
        self.timers: dict[tuple[str, str], int] = {}
        """The timers that run, by party and name, and the increment or epoch that each is about."""
        self.held: dict[int, Held] = {}
        self.written: Counter[tuple[int, int]] = Counter()
        """How many writes each unit's track was sent."""
        self.counts: Counter[str] = Counter()
        self._sent: Counter[tuple[type, str, str]] = Counter()
        random = Random(0)
        for unit in range(scenario.units):
            for role in ("primary", "secondary"):
                party = self.parties[f"{role}:{unit}"] = Party(f"{role}:{unit}", scenario, random)
                party.start()
                self.tell(party.name, Begin())
        self.begin_session()

    # What is chosen

    def go(self, party: str) -> None:
        """A party is told the next thing that it has told itself."""
        self.tell(party, self.agenda[party].popleft())

    def deliver(self, number: int) -> None:
        """A message arrives."""
        held = self.held.pop(number)
        if held.to in self.parties and not self.parties[held.to].up:
            return
        self.tell(held.to, Received(held.sender, held.message))

    def deliver_again(self, number: int) -> None:
        """A message arrives, and will arrive once more."""
        held = self.held[number]
        self.deliver(number)
        self.held[number] = held

    def lose(self, number: int) -> None:
        """A message never arrives."""
        del self.held[number]

    def fire(self, party: str, timer: str) -> None:
        """A timer has run its time."""
        self.tell(party, TimerFired(timer, self.timers.pop((party, timer))))

    def write(self, unit: int, track: int) -> None:
        """A host writes a block of a track."""
        self.written[unit, track] += 1
        block = self.written[unit, track] % (self.scenario.shape.track_bytes // BLOCK_BYTES)
        request, stamp = self.hosts.issue(unit, unit * self.scenario.shape.tracks + track, block, self.now)
        data = stamp.to_bytes(BLOCK_BYTES, "big")
        self.tell(f"primary:{unit}", HostWrite(request, track, block * BLOCK_BYTES, data))

    def arm(self, party: str, happening: Happening) -> None:
        """Something happens at the party's next persist point."""
        points = self.parties[party].points
        points.arm(points.passed, happening)

    def idle(self, party: str) -> None:
        """A party's storage does something in the background."""
        try:
            self.parties[party].idle(2)
        except StorageFailedError:
            self.counts["storage failed"] += 1
        except CrashedError:
            self.crash(party)

    def crash(self, party: str) -> None:
        """A party is down; what was on its way to it stays on its way."""
        self.counts["crash"] += 1
        one = self.parties[party]
        if one.up:
            one.crash()
        self.agenda.pop(party, None)
        for key in [key for key in self.timers if key[0] == party]:
            del self.timers[key]
        self.judge()

    def restart(self, party: str) -> None:
        """A party is up again."""
        self.counts["restart"] += 1
        self.parties[party].start()
        self.tell(party, Begin())

    def begin_session(self) -> None:
        """Another session begins; the earlier ones live on."""
        self.begun += 1
        volumes = [len(self.scenario.shape.volumes)] * self.scenario.units
        self.sessions[self.begun] = Session(self.begun, volumes, self.scenario.session)
        self.tell(f"session:{self.begun}", Begin())

    def judge(self) -> None:
        """Recover a copy of the secondary site and judge the image. Raises `TornImageError`."""
        judge_recovery(cast(World, self))

    # What follows from it

    def tell(self, name: str, event: Event) -> None:
        """A party is told of an event: its outcome is persisted, applied, checked, and put out."""
        if name in self.parties:
            self._tell_unit(self.parties[name], event)
            return
        session = self.sessions[int(name.partition(":")[2])]
        outcome = session.handle(event)
        for taken in outcome.steps:
            if taken.step in ("all_flashed", "take_commit"):
                self.hosts.forming(session.formed + 1, session.increment or 1)
        session.apply(outcome)
        self.refinement.happened(session, event, outcome, None)
        self._put_out(name, None, outcome)

    def _tell_unit(self, party: Party, event: Event) -> None:
        machine = party.machine
        assert not isinstance(machine, Session)
        outcome = machine.handle(event)
        if outcome.changes:
            try:
                party.commit(outcome.changes)
            except StorageFailedError:
                self.counts["storage failed"] += 1
                outcome = machine.failed(event, outcome)
            except CrashedError:
                party.crash()
                if party.committed(machine.record, outcome.changes):
                    machine.apply(outcome)
                    self._happened(party, event, outcome)
                self.counts["crash at a persist point"] += 1
                self.crash(party.name)
                return
        machine.apply(outcome)
        self._happened(party, event, outcome)
        self._put_out(party.name, party, outcome)

    def _happened(self, party: Party, event: Event, outcome: Outcome) -> None:
        machine = party.machine
        if outcome.refused:
            self.counts["refused: " + outcome.refused] += 1
        if outcome.steps or outcome.changes:
            self.refinement.happened(machine, event, outcome, party.read)
            if any(taken.step == "start_increment" for taken in outcome.steps):
                self.hosts.started(self.refinement.current, self.now)

    def _put_out(self, name: str, party: Party | None, outcome: Outcome) -> None:
        for output in outcome.outputs:
            match output:
                case Send(to, message):
                    self._send(name, to, message)
                case StartTimer(timer, _, about):
                    self.timers[name, timer] = about
                case StopTimer(timer):
                    self.timers.pop((name, timer), None)
                case SendTrack(to, epoch, sequence, track, late_for, image) if party is not None:
                    self._send(name, to, Transfer(epoch, sequence, track, late_for, party.read(image, track)))
                case Acknowledge(request) if party is not None:
                    self.refinement.acknowledged(party.unit, request)
                    self.hosts.acknowledge(party.unit, request, self.now)
                case Fail(request, _) if party is not None:
                    self.hosts.failed(party.unit, request)
        if outcome.then:
            self.agenda.setdefault(name, deque()).extend(outcome.then)

    def _send(self, sender: str, to: str, message: Message) -> None:
        kind = type(message), sender, to
        self._sent[kind] += 1
        self.held[self._sent.total()] = Held(self._sent[kind], sender, to, message)
