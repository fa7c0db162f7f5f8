"""The state of the protocol: a record of sets, and one relation.

Every field is a set of things of one sort, with its meaning beside it. What a control unit keeps of each mode, phase or
flash relation is one set for each state of its chart but the initial one (`charts`). Read it from top to bottom: a unit's
mode, its bitmaps, the transfers on the wire, the images, the secondary's flash relations, the sessions, the messages, and
last what only faults touch.

Every field begins empty, except where its declaration says what it begins with: there is one initial state. The pairs are
established then, and their initial copy is increment 0, already committed; only where the environment has units come and go,
there is no member yet and nothing to recover.

Four fields are *ghosts*: no step reads them. They are there for the proof, for whoever reads a trace, and for the deviations
that do read them: a secondary that acknowledges what it has only *received*, or overwrites what is still *shared*.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache, partial
from typing import Any

from mirrorspec.spec import terms
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import Relation, SetTerm, Term, empty, first_session, full, no_needs


def _set(
    sort: Sort, meaning: str, *, ghost: bool = False, begins: SetTerm | None = None, established: SetTerm | None = None
) -> SetTerm:
    """A set of things of one sort. It begins empty, or with *begins*; or with *established* where all pairs are established
    when everything begins."""
    first = empty(sort) if begins is None else begins
    result: SetTerm = _declared(sort, meaning, ghost, False, first, first if established is None else established)
    return result


def _relation(meaning: str) -> Relation:
    result: Relation = _declared(Sort.WRITE, meaning, False, True, no_needs(), no_needs())
    return result


def _declared(sort: Sort, meaning: str, ghost: bool, relation: bool, begins: Term, established: Term) -> Any:
    known = {"sort": sort, "meaning": meaning, "ghost": ghost, "relation": relation}
    return field(metadata={**known, "begins": begins, "established": established})


_units = partial(_set, Sort.UNIT)
_volumes = partial(_set, Sort.VOLUME)
_tracks = partial(_set, Sort.TRACK)
_writes = partial(_set, Sort.WRITE)
_sessions = partial(_set, Sort.SESSION)
_channels = partial(_set, Sort.CHANNEL)


@dataclass(frozen=True, slots=True)
class State:
    """One state. A field holds a term when a step is staged; a reading gives it a value of its own kind."""

    # A primary unit's mode [0036-0041], durable; neither set: normal
    pending: SetTerm = _units("increment pending: writes are not acknowledged, the unit waits for run [0039] 454")
    in_progress: SetTerm = _units("consistency group in progress: writes go to change recording [0041] 552")

    # What each unit has done in this increment: its replies to the session, and what it keeps for itself
    members: SetTerm = _units(
        "units whose pairs are established and belong to the session (known at both sites)", established=full(Sort.UNIT)
    )
    joined: SetTerm = _units("replied that they accepted start increment")
    ran: SetTerm = _units("accepted run", ghost=True)
    drained: SetTerm = _units("reported that out-of-sync is drained [0047] 850")
    left: SetTerm = _units("have durably recorded this increment as over: they refuse all its later commands")

    # A primary unit's bitmaps [0031-0034], durable
    out_of_sync: SetTerm = _tracks("not yet synchronised; cleared by the acknowledgement of a transfer [0032] 758")
    change_recording: SetTerm = _tracks("written while a consistent set forms [0034]")
    preserved: SetTerm = _tracks("have an old image kept for sending, beside the one that hosts write to [0044] 730")

    # Transfers of tracks, primary to secondary; volatile
    in_flight: SetTerm = _tracks("on their way to the secondary, not yet acknowledged")
    rewritten: SetTerm = _tracks("in flight, and must be sent again: what the transfer carries is out of date")
    received: SetTerm = _tracks(
        "in the secondary's cache and not hardened: a crash of the secondary loses them", ghost=True
    )
    delivered: SetTerm = _tracks("in flight, hardened by the secondary, the acknowledgement under way")
    late: SetTerm = _tracks("in flight, and sent after the unit had left this increment")
    lingering: SetTerm = _tracks("a copy of an earlier transfer is still somewhere in the network")

    # Writes, and images as the sets of the writes that they reflect
    issued: SetTerm = _writes("sent by a host")
    applied: SetTerm = _writes("in the primary's cache: its image [0030, 0037]")
    acknowledged: SetTerm = _writes("reported complete to the host")
    needs: Relation = _relation("for each write, those acknowledged before its issue")
    caught: SetTerm = _writes("in progress at their unit when it accepted start increment [0041]")
    preserved_image: SetTerm = _writes("what the preserved tracks hold")
    wire: SetTerm = _writes("what the transfers in flight carry")
    lingering_image: SetTerm = _writes("what the lingering copies carry")
    secondary: SetTerm = _writes("the secondary's image")
    target: SetTerm = _writes("the flash targets' image [0048] 852")
    previous: SetTerm = _writes("what the flash targets held before a flash that can still be reverted")
    begun: SetTerm = _writes("acknowledged before any unit joined this increment")
    cut: SetTerm = _writes("the image of each joined unit at the point in time that this increment froze", ghost=True)

    # A secondary unit's flash relations, durable; none of these sets: settled
    flashed: SetTerm = _volumes("flashed in this increment, revertible until committed")
    committed: SetTerm = _volumes("flashed and committed in this increment")
    withdrawn: SetTerm = _volumes("the increment's flash was reverted, or refused in advance")
    reported_withdrawn: SetTerm = _volumes("replied that the flash is withdrawn")
    tainted: SetTerm = _volumes("received data that was sent after its unit had left this increment")
    covered: SetTerm = _volumes(
        "had a committed flash before this increment: recovery has something to offer", established=full(Sort.VOLUME)
    )
    shared: SetTerm = _tracks(
        "the flash target has no copy of its own yet: it reads the secondary's [0020-0021]", ghost=True
    )

    # The sessions' phases; none of these sets: standing by (not yet begun, or known to be superseded everywhere)
    starting: SetTerm = _sessions("has sent start increment to all units", begins=first_session())
    running: SetTerm = _sessions("all have joined; has sent run")
    flashing: SetTerm = _sessions("all have drained; has sent flash")
    committing: SetTerm = _sessions(
        "all have flashed; has sent commit to the secondaries, increment complete to the primaries"
    )
    aborting: SetTerm = _sessions("has given the increment up; has sent abort")
    taking_over: SetTerm = _sessions("asks every unit before it decides what becomes of the increment")

    # Commands of this increment, by the channel on which they were sent; they may arrive late, twice, or never
    start_sent: SetTerm = _channels("start increment", established=first_session().channels)
    run_sent: SetTerm = _channels("run")
    flash_sent: SetTerm = _channels("flash")
    commit_sent: SetTerm = _channels("commit, and increment complete")
    abort_sent: SetTerm = _channels("abort, and withdraw")

    # Takeover: what each unit has heard, and each session seen
    fenced: SetTerm = _channels("refused by the unit for ever: it has heard a session of higher number")
    asked: SetTerm = _channels("the unit has answered this session's query")
    saw_flashed: SetTerm = _channels("the answer was: all volumes flashed")
    saw_committed: SetTerm = _channels("the answer was: some volume committed")

    # Messages of an older increment that are still in the network
    old_start: SetTerm = _channels("start increment, of this increment or an older one")
    old_run: SetTerm = _channels("run, likewise")
    old_flash: SetTerm = _channels("flash, likewise")
    old_commit: SetTerm = _channels("commit, likewise")
    old_abort: SetTerm = _channels("abort, likewise")
    old_joined: SetTerm = _units("the reply joined, likewise")
    old_drained: SetTerm = _units("the report drained, likewise")
    old_flashed: SetTerm = _volumes("the reply flashed, likewise")
    old_committed: SetTerm = _volumes("the reply committed, likewise")

    # Faults of a primary's non-volatile storage
    nvs_failed: SetTerm = _units("cannot persist a change of a bitmap at present")
    unpersisted: SetTerm = _tracks("marked in cache only")


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of one field of the state."""

    name: str
    sort: Sort
    meaning: str
    ghost: bool
    relation: bool
    begins: Term
    """Its value when everything begins."""
    established: Term
    """The same where the pairs are already established then."""

    @property
    def term(self) -> Term:
        """The leaf that stands for the field in a step."""
        return terms.relation_field(self.name) if self.relation else terms.field(self.name, self.sort)


@cache
def field_table() -> dict[str, Field]:
    """Every field by its name, in the order of the state."""
    return {f.name: Field(name=f.name, **f.metadata) for f in fields(State)}


@cache
def symbolic_state() -> State:
    """The state whose fields are their own leaves: what steps and properties are staged on."""
    return State(**{name: f.term for name, f in field_table().items()})  # type: ignore[arg-type]  # leaf kinds match
