"""The secondary unit: it hardens transfers, and flashes, commits or withdraws its volumes as a session says [0020-0021, 0048].

It knows nothing of modes and bitmaps. All that it knows is durable (`records`), so a crash loses only what it had received and
not hardened, and nothing of that was acknowledged. Its flash relations go through instances of the chart `FlashRelation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mirrorspec.impl.core import decisions
from mirrorspec.impl.core.chart import Chart, permitted
from mirrorspec.impl.core.commands import heard, refusal
from mirrorspec.impl.core.events import Event, Received
from mirrorspec.impl.core.messages import (
    Command,
    Commit,
    Flash,
    Hardened,
    Hello,
    Query,
    Refused,
    SecondaryReport,
    Transfer,
    Welcome,
    Withdraw,
)
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import NOTHING, Change, Notice, Outcome, Put, Receive, Relate, Send, Taint, Taken
from mirrorspec.impl.core.records import COMMITTED, FLASHED, SETTLED, WITHDRAWN, SecondaryRecord, relate
from mirrorspec.spec.charts import FlashRelation


class SecondaryUnit:
    """The secondary of the control unit of number *unit*, with the record that storage has of it."""

    def __init__(self, unit: int, shape: UnitShape, record: SecondaryRecord) -> None:
        self.unit, self.shape, self.record = unit, shape, record
        self.relations = [Chart(FlashRelation, relation.state) for relation in record.relations]
        self.volume_of = [v for v, tracks in enumerate(shape.volumes) for _ in range(tracks)]

    def handle(self, event: Event) -> Outcome:
        """What the event does; nothing changes before `apply`."""
        if not isinstance(event, Received):
            return NOTHING
        if self.record.recovered:
            return Outcome(refused="recovered")
        answer = _ANSWERS.get(type(event.message))
        return NOTHING if answer is None else answer(self, event.message)

    def apply(self, outcome: Outcome) -> None:
        """Take over what the outcome changes, once it is durable."""
        self.record.apply(outcome.changes)
        for change in outcome.changes:
            if isinstance(change, Relate):
                self.relations[change.volume].send(change.act)
        for act in outcome.memory:
            act()

    def failed(self, event: Event, outcome: Outcome) -> Outcome:
        """What happens instead, where the outcome of the event could not be persisted: nothing, so nobody is answered."""
        return NOTHING

    # Transfers

    def hello(self, message: Hello) -> Outcome:
        """A primary begins an epoch: from now on all transfers of lower ones are refused."""
        epoch = self.record.epoch
        if message.epoch < epoch:
            return Outcome(refused="in_sequence")
        changes = (Put("epoch", message.epoch),) if message.epoch > epoch else ()
        return Outcome(changes=changes, outputs=(Send(self.primary, Welcome(message.epoch)),))

    def transfer(self, message: Transfer) -> Outcome:
        """A track is hardened, and only then acknowledged; data sent after its unit left the increment taints the volume
        first [0035] [0045]."""
        record, track = self.record, message.track
        if not (0 <= track < self.shape.tracks and len(message.data) == self.shape.track_bytes):
            return Outcome(refused="beyond", outputs=(Notice("beyond", f"a transfer of track {track}"),))
        newest = record.newest.get(track, (0, 0))
        code = decisions.receive(message.epoch, message.sequence, record.epoch, newest)
        answer = Send(self.primary, Hardened(message.epoch, message.sequence, track))
        if code == "again":
            return Outcome(refused="once", outputs=(answer,))
        if code:
            return Outcome(refused=code)
        changes: list[Change] = []
        volume = self.volume_of[track]
        if message.late_for > record.relations[volume].taint:
            changes.append(Taint(volume, message.late_for))
        changes.append(Receive(track, message.epoch, message.sequence, message.data))
        return Outcome((Taken("deliver_track", (track,)),), tuple(changes), outputs=(answer,))

    # Commands

    def query(self, command: Query) -> Outcome:
        """A session takes over: its number is stored before it is answered, and lower ones are refused ever after."""
        if command.session < self.record.session:
            return self.refused(command, "obeyed")
        higher = command.session > self.record.session
        return Outcome(
            (Taken("answer", (command.session,)),) if higher else (),
            (Put("session", command.session),) if higher else (),
            outputs=(self.report(command.session, ()),),
        )

    def flash(self, command: Flash) -> Outcome:
        """Every volume that can be is copied onto its flash target, at once, so that it can be taken back [0048] 852."""
        return self.related(command, "flash", command.formed)

    def commit(self, command: Commit) -> Outcome:
        """Every volume everywhere is flashed, so this unit's flashes are final."""
        return self.related(command, "commit")

    def withdraw(self, command: Withdraw) -> Outcome:
        """The increment has failed: its flashes are reverted, and those that have not come yet will be refused."""
        return self.related(command, "withdraw")

    def related(self, command: Command, act: str, formed: int = 0) -> Outcome:
        """One event of the chart for every volume whose relation, and whose data, allow it."""
        n, record = command.increment, self.record
        code = refusal(record, command)
        if code:
            return self.refused(command, code)
        changes: list[Change] = []
        steps: list[Taken] = []
        for volume, relation in enumerate(record.relations):
            chart = self.relations[volume]
            over = relation.increment < n and chart.allows("settle")
            if relation.increment < n and not over and relation.state == FLASHED:
                details = f"volume {volume} holds a flash of increment {relation.increment}, which nobody ended"
                return Outcome(refused="relation", outputs=(Notice("relation", details),))
            state = SETTLED if over else relation.state
            if not permitted(FlashRelation, act, state) or (act == "flash" and relation.taint >= n):
                continue
            if over:
                changes.append(Relate(volume, "settle", n))
            changes.append(Relate(volume, act, n, formed))
            steps.append(Taken(act, (command.session, volume)))
        noted = heard(record, command)
        if not steps and not noted:
            return Outcome(refused="relation", outputs=(self.report(command.session, ()),))
        made = (*noted, *changes)
        return Outcome(tuple(steps), made, outputs=(self.report(command.session, made),))

    # Answers

    @property
    def primary(self) -> str:
        """The unit's primary, as a party to send to."""
        return f"primary:{self.unit}"

    def report(self, session: int, changes: Iterable[Change]) -> Send:
        """What is recorded of the highest increment heard of once the changes are made."""
        n, relations = self.record.increment, list(self.record.relations)
        for change in changes:
            if isinstance(change, Relate | Taint):
                relate(relations, change)
            elif isinstance(change, Put) and change.field == "increment":
                n = int(change.value)
        now = list(enumerate(relations))

        def those(state: str) -> tuple[int, ...]:
            return tuple(v for v, r in now if r.state == state and r.increment == n)

        message = SecondaryReport(
            session,
            n,
            self.unit,
            max((r.formed for r in relations), default=0),
            those(FLASHED),
            those(COMMITTED),
            those(WITHDRAWN),
            tuple(v for v, r in now if r.taint == n > 0),
        )
        return Send(f"session:{session}", message)

    def refused(self, command: Command, code: str) -> Outcome:
        """The command is refused, and the session told why, or what it has missed."""
        if code == "current":
            return Outcome(refused=code, outputs=(self.report(command.session, ()),))
        answer = Refused(command.session, command.increment, self.unit, code)
        return Outcome(refused=code, outputs=(Send(f"session:{command.session}", answer),))


_ANSWERS: dict[type, Callable[..., Outcome]] = {
    Hello: SecondaryUnit.hello,
    Transfer: SecondaryUnit.transfer,
    Query: SecondaryUnit.query,
    Flash: SecondaryUnit.flash,
    Commit: SecondaryUnit.commit,
    Withdraw: SecondaryUnit.withdraw,
}
