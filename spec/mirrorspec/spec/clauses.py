"""Every paragraph and block of the seed that must show up somewhere, and where it does.

The list is data: a clause, its words, what carries it that cites nothing (a sort, a choice, a page), and what part of the
project is still to carry the rest. All else is read out of the citations of steps, properties, charts, fields and switches:
`[0039-0041]` names paragraphs, a number of three digits after it a block, `550-554` every block in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache

from mirrorspec.spec import recovery
from mirrorspec.spec.charts import CHARTS
from mirrorspec.spec.configuration import HARDENED
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import FAULTS
from mirrorspec.spec.properties import PROPERTIES
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import field_table
from mirrorspec.spec.steps import STEPS


class Standing(StrEnum):
    """How far a clause has come."""

    SPECIFIED = "specified"
    IN_PART = "in part"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class Clause:
    """A paragraph (four digits) or a block of a figure (three digits), and what is to become of it."""

    name: str
    words: str
    carried: tuple[str, ...] = ()
    """What carries it without citing it: a kind and a name, as `sort track`; a module within `mirrorspec`."""
    awaits: str = ""
    """What is not there yet, and in which part of the project it will be; empty when nothing is missing."""

    @property
    def carriers(self) -> tuple[str, ...]:
        """All that carries the clause: what cites it, then what is named here."""
        return tuple(dict.fromkeys((*citing().get(self.name, ()), *self.carried)))

    @property
    def standing(self) -> Standing:
        """Whether it is specified, wholly, in part, or not yet."""
        if not self.carriers:
            return Standing.NOT_YET
        return Standing.IN_PART if self.awaits else Standing.SPECIFIED


_ALL = (
    # paragraphs
    Clause("0005", "a primary and a secondary storage subsystem, written to asynchronously"),
    Clause("0007", "data is maintained in volume pairs"),
    Clause(
        "0008",
        "dependent writes: open an account, deposit $400, withdraw $300",
        ("field needs", "page docs/tutorial/bank.md"),
    ),
    Clause("0009", "consistent: dependent writes in their logical order; consistency group", ("verb cut",)),
    Clause("0010", "consistency time: the time that the recovered image stands for",
           ("verb cut", "verb status", "verb recover")),
    Clause("0011", "the older way: host I/O is quiesced for the whole copy", (),
           "a comparison of hold time, quiesce against increment: the controller's benchmarks"),
    Clause("0012", "the host goes on while a consistent set forms", ("property hold_ends", "verb serve"),
           "a comparison of hold time, quiesce against increment: the controller's benchmarks"),
    Clause("0013", "a second structure is created while completion is withheld",
           ("step start_increment", "field change_recording")),
    Clause("0014", "a first structure of what was modified since it was last sent", ("field out_of_sync",)),
    Clause("0016", "primary control units, volumes, tracks, sectors; any block storage", ("sort unit", "sort write")),
    Clause("0017", "non-volatile cache holds what must survive a crash",
           ("module impl.core.records", "module impl.storage.store")),
    Clause("0018", "one asynchronous process, or one a volume", ("step send_track", "module impl.core.transfers")),
    Clause("0019", "the secondary control unit and its storage"),
    Clause("0020", "instant virtual copy: pointers change, updates are kept apart",
           ("step deliver_track", "module impl.storage.layers")),
    Clause("0021", "a source track is kept until it is hardened on the target",
           ("step deliver_track", "deviation overwritten_before_copied", "module impl.storage.secondary")),
    Clause("0022", "removable storage instead of, or beside, a remote site", (),
           "a second kind of secondary of the controller"),
    Clause("0025", "several primary control units, several secondary ones", ("sort unit", "sort channel")),
    Clause("0026", "a volume has a counterpart at the secondary: a pair", ("sort volume", "field members")),
    Clause("0027", "communication paths of any kind", ("sort channel",)),
    Clause("0028", "tracks are divided into sectors; any division of storage will do", ("sort track",)),
    Clause("0029", "the primary cache", ("module impl.storage.primary",)),
    Clause("0030", "stage, destage, promote, demote", ("module impl.storage.primary", "module impl.storage.places")),
    Clause("0031", "non-volatile cache holds out-of-sync, change recording and the state"),
    Clause("0032", "one out-of-sync indicator a track, whatever sectors changed", ("sort track",),
           "sector-granular transfer, an option of the controller"),
    Clause("0033", "one out-of-sync structure a volume; it may live in volatile cache, its changes in NVS",
           ("field unpersisted", "module impl.storage.bitmaps", "module impl.storage.bitmap_copy")),
    Clause("0034", "the change recording structure"),
    Clause("0035", "a write completes before its track is sent"),
    Clause("0036", "normal mode, FIG. 3A"),
    Clause("0037", "normal mode, FIG. 3B"),
    Clause("0038", "start increment; writes processed to varying stages, not completed", ("choice hold",)),
    Clause("0039", "increment pending; run timer"),
    Clause("0040", "consistency group in progress, FIG. 5A"),
    Clause("0041", "run; requests in progress; drain without pause; maximum increment timer", ("choice switch",)),
    Clause("0042", "collision, FIG. 6: the old image is sent first", ("choice collision",)),
    Clause("0043", "collision, FIG. 7A", ("choice collision",)),
    Clause("0044", "a new image is allocated; or the new image is sent, writes to the old allowed", ("choice collision",)),
    Clause("0045", "draining with two images, FIG. 7B", ("choice collision",)),
    Clause("0046", "change recording is merged into out-of-sync, FIG. 8A",
           ("step increment_complete", "field change_recording")),
    Clause("0047", "drained by query or by notification with a count; where the control logic is",
           ("sort session", "module impl.core.joining", "module impl.service.config")),
    Clause("0048", "instant virtual copy, increment complete, merge, normal",
           ("recovery recovered", "module impl.storage.secondary")),
    Clause("0049", "the out-of-sync structure is frozen at a consistent point in time", ("field cut",)),
    Clause("0052", "the polarity of an indicator is free; a modified-sectors structure", (),
           "never assumed by an importer: trace and drive; sectors: the controller"),
    Clause("0053", "steps may be reordered or run in parallel", ("deviation write_between_merge_and_normal", "verb verify")),
    # blocks of FIG. 3B
    Clause("350", "a host write is received", ("step issue_write",)),
    Clause("352", "out-of-sync is updated as part of the write; it is sent asynchronously"),
    # FIG. 4B
    Clause("450", "a start increment command is accepted"),
    Clause("452", "acknowledgements stop; change recording is created"),
    Clause("454", "the state is increment pending"),
    Clause("430", "the run timer is set; wait for run"),
    # FIG. 5B
    Clause("550", "a run command is accepted"),
    Clause("552", "the state is consistency group in progress"),
    Clause("554", "completion is allowed; writes are logged in change recording", ("choice switch",)),
    Clause("556", "draining continues without pause"),
    Clause("558", "wait for increment complete or for the maximum increment timer"),
    # FIG. 6
    Clause("600", "a host write is received"),
    Clause("602", "is change recording in use?"),
    Clause("604", "is the track out of sync?"),
    Clause("606", "the image in cache is sent", ("choice collision", "step send_track")),
    Clause("608", "the track is marked as in sync"),
    Clause("610", "the write is processed normally"),
    # FIG. 7A
    Clause("720", "a host write is received"),
    Clause("722", "is change recording in use?"),
    Clause("724", "is the track out of sync?"),
    Clause("726", "does the track have a new image already?", ("field preserved",)),
    Clause("728", "the write is processed normally"),
    Clause("730", "a new image is allocated"),
    Clause("732", "the old image is copied to the new one", ("field preserved_image",)),
    Clause("734", "the write goes to the new image"),
    # FIG. 7B
    Clause("750", "the old or the only image of a track is sent"),
    Clause("752", "is change recording in use?"),
    Clause("754", "does the track have a new image?"),
    Clause("756", "the old image is discarded"),
    Clause("758", "the track is marked as in sync"),
    # FIG. 8B
    Clause("850", "has out-of-sync drained?", ("module impl.core.joining",)),
    Clause("852", "the secondaries are flashed onto their targets", ("module impl.storage.layers",)),
    Clause("854", "increment complete is sent"),
    Clause("856", "increment complete is received"),
    Clause("858", "change recording is merged into out-of-sync"),
    Clause("860", "the state is normal"),
)  # fmt: skip

CLAUSES: dict[str, Clause] = {clause.name: clause for clause in _ALL}
"""Every clause by its number, the paragraphs first."""

_PARAGRAPHS = re.compile(r"\[([^\]]*)\]")
_RANGE = re.compile(r"(?<!\d)(\d+)(?:-(\d+))?(?!\d)")


def cited(text: str) -> tuple[str, ...]:
    """The paragraphs and blocks that a citation names, ranges written out. What comes before the first `[` is not read."""
    found: list[str] = []
    position = 0
    for bracket in _PARAGRAPHS.finditer(text):
        if position:
            found += _blocks(text[position : bracket.start()])
        for first, last in _RANGE.findall(bracket[1]):
            found += (f"{n:04d}" for n in range(int(first), int(last or first) + 1))
        position = bracket.end()
    return tuple(found + _blocks(text[position:])) if position else ()


def _blocks(text: str) -> list[str]:
    found = []
    for first, last in _RANGE.findall(text):
        if len(first) == 3:
            between = (n for n in range(int(first) + 1, int(last or first)) if str(n) in CLAUSES)
            found += [first, *map(str, between), *([last] if last else [])]
    return found


def citations() -> Iterator[tuple[str, str]]:
    """What cites the seed, with its citation."""
    for step in STEPS.values():
        yield f"step {step.name}", step.cites
    for p in PROPERTIES.values():
        yield f"property {p.name}", p.cites
    for chart in CHARTS:
        yield f"chart {chart.__name__}", chart.__doc__ or ""
    for f in field_table().values():
        yield f"field {f.name}", f.meaning
    for name, words in FAULTS.items():
        yield f"switch {name}", words


@cache
def citing() -> dict[str, tuple[str, ...]]:
    """For each clause what cites it."""
    found: dict[str, list[str]] = {}
    for carrier, text in citations():
        for clause in cited(text):
            found.setdefault(clause, []).append(carrier)
    return {clause: tuple(dict.fromkeys(carriers)) for clause, carriers in found.items()}


@cache
def known_carriers() -> frozenset[str]:
    """Everything that may carry a clause, verbs and pages apart."""
    return frozenset(
        [carrier for carrier, _ in citations()]
        + [f"sort {sort}" for sort in Sort]
        + [f"choice {f.name}" for f in fields(HARDENED)]
        + [f"deviation {name}" for name in DEVIATIONS]
        + [f"recovery {f.__name__}" for f in (recovery.recovered, recovery.decide, recovery.promised)]
    )
