"""A whole installation in one process, on a simulated clock, network and storage: one run of one schedule.

Everything that happens is an entry of one queue, in the order of simulated time. A message is lost, delayed, or arrives
twice; a timer may be late; a party that is down hears nothing. After every event of a machine the refinement mapping is checked
(`refinement`), and after every crash the image that recovery would yield is judged as a cut (`judging`), by a judge who knows
only what hosts wrote and when it was acknowledged.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random

from mirrorspec.impl.core.events import Begin, Event, HostWrite, Received, TimerFired
from mirrorspec.impl.core.messages import Message, Transfer
from mirrorspec.impl.core.outcome import (
    Acknowledge,
    Fail,
    Outcome,
    Send,
    SendTrack,
    StartTimer,
    StopTimer,
)
from mirrorspec.impl.core.primary import PrimaryUnit
from mirrorspec.impl.core.session import Session
from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.model_tests.crashing_storage import CrashedError, Happening
from mirrorspec.model_tests.simulation.judging import Hosts, judge_recovery
from mirrorspec.model_tests.simulation.party import Party
from mirrorspec.model_tests.simulation.refinement import Refinement, Unrefined
from mirrorspec.model_tests.simulation.scenario import BLOCK_BYTES, Action, Scenario, Schedule

QUIET_SECONDS = 8.0
"""So long after the last fault an increment must have been formed that began after it."""
IDLE_SECONDS = 0.02
"""So often storage does what it does in the background."""
MESSAGE_SECONDS = 0.004
"""The longest time of a message that is not late."""


_OF_AN_INCREMENT = frozenset({"start_increment", "run", "report_drained"})


class StuckError(AssertionError):
    """The world is whole again, and no increment is formed."""


class World:
    """One run."""

    def __init__(self, scenario: Scenario, schedule: Schedule, *, refined: bool = True) -> None:
        """*refined*: whether the specification runs beside the controller and is compared after every event."""
        self.scenario, self.schedule = scenario, schedule
        self.random = Random(f"{schedule.seed}/world")
        self.now = 0.0
        self.queue: list[tuple[float, int, Callable[..., object], tuple[object, ...]]] = []
        self._order = count()
        self.refinement = (Refinement if refined else Unrefined)(
            scenario.configuration, scenario.shape, scenario.units, scenario.writes, scenario.sessions
        )
        self.hosts = Hosts(scenario.units * scenario.shape.tracks, scenario.shape.track_bytes // BLOCK_BYTES)
        self.parties: dict[str, Party] = {}
        for unit in range(scenario.units):
            for role in ("primary", "secondary"):
                name = f"{role}:{unit}"
                self.parties[name] = Party(name, scenario, self.random)
        self.sessions: dict[int, Session] = {}
        """The sessions that are up, by number."""
        self.numbers = 0
        self.session_timers: dict[tuple[int, str], int] = {}
        self.cut: set[frozenset[str]] = set()
        """Pairs that cannot reach one another."""
        self.whole = False
        """Whether the faults are over."""
        self.armed: dict[str, tuple[str, Happening]] = {}
        """For a party the durable act at which it will crash, and how."""
        self.counts: Counter[str] = Counter()
        """What happened how often: steps, refusals, faults, persist points at which a crash happened."""

        self.longest_hold_seconds = 0.0
        self.happened: list[tuple[float, str, int]] = []
        """When a unit took which step of which increment."""
        self.events = 0
        """What machines were told of."""

    def run(self) -> None:
        """The whole run. Raises `AssertionError` of some kind where the controller fails."""
        for action in self.schedule.actions:
            if action.act == "establish":
                self._act_crash(action)
        for party in self.parties.values():
            self._restart(party)
        self._begin_first()
        for action in self.schedule.actions:
            self.at(action.at, self._act, action)
        self.at(self.scenario.seconds, self._heal)
        self.turn(until=self.scenario.seconds + QUIET_SECONDS)
        if not self._recovered_since_heal():
            raise StuckError(f"no increment was formed in the {QUIET_SECONDS:g} seconds after the last fault")
        judge_recovery(self)

    def turn(self, until: float) -> None:
        """Let everything happen up to a time, or until an increment has been formed in the whole world."""
        queue = self.queue
        while queue and queue[0][0] <= until:
            self.now, _, do, arguments = heapq.heappop(queue)
            do(*arguments)
            if self.whole and self._recovered_since_heal():
                return

    def at(self, seconds: float, do: Callable[..., object], *arguments: object) -> None:
        """Let something happen so many seconds from now."""
        heapq.heappush(self.queue, (self.now + seconds, next(self._order), do, arguments))

    # Machines

    def handle(self, party: Party, event: Event) -> None:
        """A unit is told of an event: its outcome becomes durable, is applied, checked, and put out."""
        machine = party.machine
        assert not isinstance(machine, Session)
        self.events += 1
        outcome = machine.handle(event)
        if outcome.changes:
            armed = self.armed.get(party.name)
            if armed and armed[0] == _called(event, outcome):
                del self.armed[party.name]
                party.points.arm(party.points.passed, armed[1])
            try:
                party.commit(outcome.changes)
            except StorageFailedError:
                self.counts["storage failed"] += 1
                outcome = machine.failed(event, outcome)
            except CrashedError:
                self._crashed_amid(party, event, outcome)
                return
        machine.apply(outcome)
        if outcome.steps or outcome.changes:
            self.refinement.happened(machine, event, outcome, party.read)
            for taken in outcome.steps:
                self.counts[taken.step] += 1
                if taken.step in _OF_AN_INCREMENT:
                    self.happened.append((self.now, taken.step, machine.record.increment))
                if taken.step == "start_increment":
                    self.hosts.started(machine.record.increment, self.now)
        elif outcome.refused:
            self.counts["refused: " + outcome.refused] += 1
        for output in outcome.outputs:
            self._put_out(party, output)
        for following in outcome.then:
            self.at(0.0, self._tell, party, party.life, following)

    def _put_out(self, party: Party, output: object) -> None:
        match output:
            case Acknowledge(request):
                self.refinement.acknowledged(party.unit, request)
                self.counts["acknowledge_write"] += 1
                self.at(self.random.uniform(0, 0.001), self._acknowledged, party.unit, request)
            case Fail(request, code):
                self.counts["write failed: " + code] += 1
                self.hosts.failed(party.unit, request)
            case Send(to, message):
                self.send(party.name, to, message)
            case SendTrack(to, epoch, sequence, track, late_for, image):
                self.send(party.name, to, Transfer(epoch, sequence, track, late_for, party.read(image, track)))
            case StartTimer(name, seconds, number):
                party.timers[name] = start = next(self._order)
                self.at(self._timed(seconds), self._fire, party, party.life, name, start, number)
            case StopTimer(name):
                party.timers.pop(name, None)

    def _tell(self, party: Party, life: int, event: Event) -> None:
        if party.up and party.life == life:
            self.handle(party, event)

    def _fire(self, party: Party, life: int, name: str, start: int, number: int) -> None:
        if party.up and party.life == life and party.timers.get(name) == start:
            del party.timers[name]
            self.handle(party, TimerFired(name, number))

    def _timed(self, seconds: float) -> float:
        late = not self.whole and self.random.random() < self.scenario.faults.lateness
        return seconds * self.random.uniform(1, 10) if late else seconds

    def _idle(self, party: Party, life: int) -> None:
        if not party.up or party.life != life:
            return
        try:
            party.idle(self.random.randrange(1, 4))
        except StorageFailedError:
            self.counts["storage failed"] += 1
        except CrashedError:
            self.counts["crash in the background"] += 1
            self._go_down(party)
            return
        self.at(IDLE_SECONDS, self._idle, party, life)

    # Sessions

    def _begin_first(self) -> None:
        """The first session begins when every unit is established."""
        units = [party for party in self.parties.values() if party.role == "primary"]
        if all(party.up and isinstance(party.machine, PrimaryUnit) and party.machine.begun for party in units):
            self.begin_session()
        else:
            self.at(IDLE_SECONDS, self._begin_first)

    def begin_session(self) -> None:
        """Another session begins, of the next number."""
        self.numbers += 1
        session = self.sessions[self.numbers] = Session(
            self.numbers, [len(self.scenario.shape.volumes)] * self.scenario.units, self.scenario.session
        )
        self.tell_session(session.number, Begin())

    def tell_session(self, number: int, event: Event) -> None:
        """A session is told of an event."""
        session = self.sessions.get(number)
        if session is None:
            return
        self.events += 1
        outcome = session.handle(event)
        for taken in outcome.steps:
            self.counts[taken.step] += 1
            if taken.step in ("all_flashed", "take_commit"):
                self.hosts.forming(session.formed + 1, session.increment or 1)
        session.apply(outcome)
        self.refinement.happened(session, event, outcome, None)
        for output in outcome.outputs:
            if isinstance(output, Send):
                self.send(f"session:{number}", output.to, output.message)
            elif isinstance(output, StartTimer):
                self.session_timers[number, output.name] = start = next(self._order)
                self.at(self._timed(output.seconds), self._fire_session, number, output.name, start, output.number)
        for following in outcome.then:
            self.at(0.0, self.tell_session, number, following)

    def _fire_session(self, number: int, name: str, start: int, about: int) -> None:
        if self.session_timers.get((number, name)) == start:
            self.tell_session(number, TimerFired(name, about))

    # Network

    def send(self, sender: str, to: str, message: Message) -> None:
        """A message is on its way, perhaps."""
        random, faults = self.random, self.scenario.faults
        ends = frozenset((_end(sender), _end(to)))
        if not self.whole and (ends in self.cut or random.random() < faults.loss):
            self.counts["message lost"] += 1
            return
        self.at(random.uniform(0, MESSAGE_SECONDS), self._arrive, sender, to, message)
        if not self.whole and random.random() < faults.duplication:
            self.counts["message twice"] += 1
            self.at(random.expovariate(10), self._arrive, sender, to, message)

    def _arrive(self, sender: str, to: str, message: Message) -> None:
        if to.startswith("session:"):
            self.tell_session(int(to.split(":")[1]), Received(sender, message))
            return
        party = self.parties[to]
        if party.up:
            self.handle(party, Received(sender, message))

    # From outside

    def _act(self, action: Action) -> None:
        getattr(self, f"_act_{action.kind}")(action)

    def _act_write(self, action: Action) -> None:
        party = self.parties[action.party]
        track = party.unit * self.scenario.shape.tracks + action.track
        request, stamp = self.hosts.issue(party.unit, track, action.block, self.now)
        data = stamp.to_bytes(BLOCK_BYTES, "big")
        event = HostWrite(request, action.track, action.block * BLOCK_BYTES, data)
        if party.up:
            self._tell(party, party.life, event)

    def _acknowledged(self, unit: int, request: int) -> None:
        hold = self.hosts.acknowledge(unit, request, self.now)
        self.longest_hold_seconds = max(self.longest_hold_seconds, hold)

    def _act_crash(self, action: Action) -> None:
        party = self.parties[action.party]
        party.restart_seconds = action.seconds
        if action.act:
            self.armed[party.name] = action.act, Happening(action.happening)
        elif not party.up:
            return
        elif action.happening:
            party.points.arm(party.points.passed + action.points, Happening(action.happening))
        else:
            self.counts["crash at once"] += 1
            self._go_down(party)

    def _crashed_amid(self, party: Party, event: Event, outcome: Outcome) -> None:
        """A crash at a persist point: the commit has happened or not, and nothing was put out."""
        machine = party.machine
        assert not isinstance(machine, Session)
        party.crash()
        happened = party.committed(machine.record, outcome.changes)
        what = _called(event, outcome)
        self.counts[f"crash {'after' if happened else 'before'} {party.role} {what}"] += 1
        if happened:
            machine.apply(outcome)
            self.refinement.happened(machine, event, outcome, party.read)
        self._go_down(party)

    def _go_down(self, party: Party) -> None:
        if party.up:
            party.crash()
        if self.scenario.place == party.name:
            self.sessions.clear()
        judge_recovery(self)
        self.at(party.restart_seconds, self._restart, party)

    def _restart(self, party: Party) -> None:
        if party.up:
            return
        if party.life:
            self.counts[f"restart {party.role}"] += 1
        party.start()
        self.handle(party, Begin())
        if party.up:
            self.at(self.random.uniform(0, IDLE_SECONDS), self._idle, party, party.life)
        alone = self.scenario.place == party.name and not self.sessions
        if alone and 0 < self.numbers < self.scenario.sessions:
            self.begin_session()

    def _act_partition(self, action: Action) -> None:
        pair = frozenset((action.party, action.other))
        self.cut.add(pair)
        self.at(action.seconds, self.cut.discard, pair)

    def _act_fail(self, action: Action) -> None:
        party = self.parties[action.party]
        party.failing = True
        self.at(action.seconds, self._mend, party)

    def _mend(self, party: Party) -> None:
        party.failing = False

    def _act_takeover(self, action: Action) -> None:
        if not 0 < self.numbers < self.scenario.sessions:
            return
        if not action.survives:
            self.sessions.clear()
        host = self.parties.get(self.scenario.place)
        if host is None or host.up:
            self.begin_session()

    def _heal(self) -> None:
        """The faults are over: everything is up and reachable, and some session is alive."""
        self.whole = True
        self.cut.clear()
        self.armed.clear()
        for party in self.parties.values():
            party.failing = False
            party.points.disarm()
            self._restart(party)
        if self.numbers and not self.sessions and self.numbers < self.scenario.sessions:
            self.begin_session()
        self.hosts.healed(max((s.increment for s in self.sessions.values()), default=0))

    def _recovered_since_heal(self) -> bool:
        """Whether an increment that began after the faults were over has been formed."""
        return any(s.ended > self.hosts.healed_at and s.counts["formed"] for s in self.sessions.values())


def _called(event: Event, outcome: Outcome) -> str:
    """What a durable act is called: after the step that it takes, or after what the party was told of."""
    if outcome.steps:
        return outcome.steps[0].step
    if isinstance(event, Received):
        return type(event.message).__name__
    return f"{event.name} timer" if isinstance(event, TimerFired) else type(event).__name__


def _end(party: str) -> str:
    """A party as partitions name it: all sessions are one end."""
    return "session" if party.startswith("session") else party
