"""The black-box judge of a simulated run: what hosts wrote and when, and the image that recovery yields at this moment.

It knows nothing of the protocol. Recovery is carried out on a copy of what the secondary site holds, by the decision table
and the acts of the flash relations; the image is then judged as a cut of the hosts' history by the same code that judges the
images of any product (`mirrorspec.oracle.cut`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mirrorspec.impl.core.outcome import Change, Image, Put, Relate
from mirrorspec.impl.core.records import FLASHED, SecondaryRecord
from mirrorspec.oracle.cut.history import NEVER, SECOND
from mirrorspec.oracle.cut.judge import NONE, judge
from mirrorspec.spec.recovery import Action, Decision, Row, decide

if TYPE_CHECKING:
    from mirrorspec.model_tests.simulation.world import World


class TornImageError(AssertionError):
    """The recovered image is no cut of what hosts wrote, or is older than was promised."""


class Hosts:
    """What hosts have written: one row a write, its block, its times, and its stamp."""

    def __init__(self, tracks: int, blocks: int) -> None:
        self.blocks, self.size = blocks, tracks * blocks
        self.block: list[int] = []
        """For each write its block, counted through all units; its stamp is its place here and one more."""
        self.issued: list[int] = []
        """In nanoseconds."""
        self.acknowledged_at: list[int] = []
        self.healed_at = 0
        """The highest increment that was led when the faults were over."""
        self._requests: dict[int, int] = {}
        self._waiting: dict[tuple[int, int], int] = {}
        self._started: dict[int, float] = {}
        self._forming: dict[int, int] = {}

    def issue(self, unit: int, track: int, block: int, now: float) -> tuple[int, int]:
        """A host sends a write: its request number at the unit, and its stamp."""
        request = self._requests[unit] = self._requests.get(unit, 0) + 1
        self._waiting[unit, request] = len(self.block)
        self.block.append(track * self.blocks + block)
        self.issued.append(round(now * SECOND))
        self.acknowledged_at.append(NEVER)
        return request, len(self.block)

    def acknowledge(self, unit: int, request: int, now: float) -> float:
        """A host is told that its write is complete; how long that took."""
        place = self._waiting.pop((unit, request), None)
        if place is None:
            return 0.0
        self.acknowledged_at[place] = round(now * SECOND)
        return now - self.issued[place] / SECOND

    def failed(self, unit: int, request: int) -> None:
        """A host is told that its write has failed."""
        self._waiting.pop((unit, request), None)

    def started(self, increment: int, now: float) -> None:
        """A unit has accepted start increment."""
        self._started.setdefault(increment, now)

    def forming(self, number: int, increment: int) -> None:
        """A session commits an increment under this number of the decision table."""
        self._forming[number] = increment

    def promised(self, number: int) -> int:
        """Until when, in nanoseconds, every acknowledged write must be in the image of that number."""
        return round(self._started.get(self._forming.get(number, 0), 0.0) * SECOND)

    def healed(self, increment: int) -> None:
        """The faults are over."""
        self.healed_at = increment


def rows(records: dict[int, SecondaryRecord]) -> list[Row]:
    """The flash relations of all secondaries, by unit, as rows of the decision table."""
    made = []
    for unit, record in records.items():
        for volume, relation in enumerate(record.relations):
            name = f"{unit}/{volume}"
            if relation.state == FLASHED:
                made.append(Row(name, True, relation.forming, relation.formed))
            else:
                made.append(Row(name, False, relation.formed))
    return made


def acts(decision: Decision, unit: int, record: SecondaryRecord) -> list[Change]:
    """What recovery does at one secondary: it fences it, then reverts or commits."""
    act = {Action.REVERT: "withdraw", Action.COMMIT: "commit"}.get(decision.action, "")
    changes: list[Change] = [Put("recovered", 1)]
    for volume, relation in enumerate(record.relations):
        if act and f"{unit}/{volume}" in decision.volumes:
            changes.append(Relate(volume, act, relation.increment))
    return changes


def judge_recovery(world: World) -> float | None:
    """Recover a copy of the secondary site, and judge the image. Raises `TornImageError`.

    Returns how old the image is, in seconds: how long ago the first write was acknowledged that it does not hold, 0 where it
    holds all; None where there is no image yet.
    """
    shape, hosts = world.scenario.shape, world.hosts
    storages = {unit: world.parties[f"secondary:{unit}"].copied() for unit in range(world.scenario.units)}
    records = {unit: storage.load() for unit, storage in storages.items()}
    table = rows(records)
    decision = decide(table, [row.volume for row in table], ever_committed=False)
    world.counts["recovery: " + decision.action] += 1
    if decision.action is Action.REFUSE:
        raise TornImageError(f"recovery refuses: {decision.reason}; {table}")
    if decision.action is Action.NO_IMAGE:
        if any(session.counts["formed"] for session in world.sessions.values()):
            raise TornImageError("recovery offers no image, and an increment has been formed")
        return None
    image = []
    for unit, storage in storages.items():
        storage.commit(acts(decision, unit, records[unit]))
        for track in range(shape.tracks):
            data = storage.read(Image.TARGET, track)
            image.append(np.frombuffer(data, dtype=">u8").astype(np.int64))
    shown = np.concatenate(image)
    block = np.array(hosts.block, dtype=np.int64)
    stamps = np.arange(1, len(block) + 1)
    acknowledged = np.array(hosts.acknowledged_at, dtype=np.int64)
    found = judge(block, np.array(hosts.issued, dtype=np.int64), acknowledged, shown[block] == stamps, shown == 0)
    if len(found.foreign):
        raise TornImageError(f"blocks {found.foreign.tolist()} hold what nobody wrote")
    if found.torn:
        raise TornImageError(
            f"the image is no cut: it holds write {found.held + 1}, issued at {found.low} ns, and misses write "
            f"{found.missing + 1}, acknowledged at {found.high} ns"
        )
    promised = hosts.promised(decision.number or 0)
    if found.ranges[-1][1] < promised:
        raise TornImageError(f"the image lacks a write acknowledged before {promised} ns, when its increment started")
    if found.oldest_missing == NONE:
        return 0.0
    return world.now - int(acknowledged[found.oldest_missing]) / SECOND
