"""Recovery from what the folders of the secondary site hold, and from nothing else [0048-0049].

Recovery is a takeover that fences every secondary before anything is decided [DESIGN facts 9]. Here the fence has two parts.
While this holds the stores of *all* secondaries no other process can open one, so no command and no transfer reaches them,
and what is read stands still. Before anything is changed, every secondary durably records that it is recovered, and from
then on refuses everything, also when it is started again. Until then nothing has changed, and the site may go on as a mirror.

Killed at any point, it is done by doing it again: fencing twice is fencing once, and the table applied to half of its own
outcome says the same action again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Change, Image, Put, Relate
from mirrorspec.impl.core.records import COMMITTED, FLASHED, Relation, SecondaryRecord
from mirrorspec.impl.service.config import Installation, Unit
from mirrorspec.impl.storage.folder import STORE, open_secondary
from mirrorspec.impl.storage.secondary import SecondaryStorage
from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.recovery import Action, Decision, Row, decide

_ACTS = {Action.COMMIT: "commit", Action.REVERT: "withdraw"}


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume of the secondary site."""

    name: str
    unit: int
    number: int
    """Its number within the unit."""
    relation: Relation
    offered: bool
    """Whether recovery has an image of it to offer: it has been part of a commit, or is part of one under way."""

    @property
    def row(self) -> Row:
        """Its row of the decision table."""
        r = self.relation
        if r.state == FLASHED:
            return Row(self.name, True, r.forming, r.formed)
        return Row(self.name, False, r.formed)


class Site:
    """The secondaries of an installation, all of them open here and nowhere else."""

    def __init__(self, units: tuple[Unit, ...], storages: list[SecondaryStorage]) -> None:
        self._units, self._storages = units, storages
        self._records = [storage.load() for storage in storages]

    @property
    def fenced(self) -> bool:
        """Whether every secondary has recorded that it is recovered."""
        return all(record.recovered for record in self._records)

    @property
    def volumes(self) -> list[Volume]:
        """Every volume, in the order of the installation."""
        return list(_volumes(self._units, self._records))

    def decide(self, *, commit: bool = False) -> Decision:
        """What the decision table says about the volumes that are offered; *commit* as in `spec.recovery.decide`."""
        volumes = self.volumes
        offered = [v for v in volumes if v.offered]
        if not offered:
            return decide([v.row for v in volumes], [v.name for v in volumes], ever_committed=False)
        return decide([v.row for v in offered], [v.name for v in offered], ever_committed=False, commit=commit)

    def act(self, decision: Decision, reached: Callable[[str], None] = lambda _: None) -> None:
        """Fence every secondary, and then do what the decision says; a flash of a volume that is not offered is withdrawn.

        *reached* is told of each durable act. Raises `BadInputError` where a secondary cannot store it; it can be done again.
        """
        if decision.action in (Action.REFUSE, Action.NO_IMAGE):
            raise ValueError(f"there is nothing to do for: {decision.action}")
        for unit, record in enumerate(self._records):
            if not record.recovered:
                self._commit(unit, (Put("recovered", 1),))
                reached(f"fenced {self._units[unit].name}")
        for unit in range(len(self._units)):
            changes: tuple[Change, ...] = tuple(
                Relate(v.number, _ACTS[decision.action] if v.offered else "withdraw", v.relation.increment)
                for v in self.volumes
                if v.unit == unit and v.relation.state == FLASHED
            )
            if changes:
                self._commit(unit, changes)
                reached(f"decided {self._units[unit].name}")

    def _commit(self, unit: int, changes: tuple[Change, ...]) -> None:
        try:
            self._storages[unit].commit(changes)
        except StorageFailedError as error:
            raise BadInputError(f"{error}; recover again when that is mended") from None
        self._records[unit].apply(changes)

    def export(self, volume: Volume, file: Path, progress: Callable[[int], None] = lambda _: None) -> None:
        """Write the volume's recovered image to a file, which is there whole or not at all. *progress*: bytes written so far.

        A file of that name is replaced. Raises `BadInputError`.
        """
        shape, storage = self._units[volume.unit].shape, self._storages[volume.unit]
        part = file.with_name(f".{file.name}.part")
        try:
            with part.open("wb") as out:
                for done, track in enumerate(_tracks(shape, volume.number), 1):
                    out.write(storage.read(Image.TARGET, track))
                    progress(done * shape.track_bytes)
                out.flush()
                os.fsync(out.fileno())
            part.replace(file)
        except (OSError, StorageFailedError) as error:
            raise BadInputError(f"{file}: the image cannot be written: {error}") from None
        finally:
            part.unlink(missing_ok=True)


def _tracks(shape: UnitShape, volume: int) -> range:
    first = shape.first(volume)
    return range(first, first + shape.volumes[volume])


def _volumes(units: tuple[Unit, ...], records: list[SecondaryRecord]) -> Iterator[Volume]:
    """A volume is offered once it has been committed, or where it is flashed in an increment of which any volume is committed:
    then all are flashed, and it is a commit half done."""
    committing = {r.increment for record in records for r in record.relations if r.state == COMMITTED}
    for number, (unit, record) in enumerate(zip(units, records, strict=True)):
        for volume, (name, r) in enumerate(zip(unit.volumes, record.relations, strict=True)):
            offered = r.formed > 0 or (r.state == FLASHED and r.increment in committing)
            yield Volume(name, number, volume, r, offered)


@contextmanager
def opened(installation: Installation) -> Iterator[Site]:
    """The secondary site, while nobody else has any of it.

    Raises `BadInputError` where a folder is missing or damaged, or a secondary still runs.
    """
    with ExitStack() as stack:
        storages = []
        for unit in installation.units:
            folder = unit.secondary.folder
            if not (folder / STORE).is_file():
                raise BadInputError(f"{folder}: no secondary has kept anything there; all secondaries are needed")
            storage = open_secondary(folder, unit.shape, method=unit.secondary.method)
            stack.callback(storage.close)
            storages.append(storage)
        yield Site(installation.units, storages)
