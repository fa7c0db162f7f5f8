"""What of a state can still be read: the rest is emptied before a state is stored.

For each field the part that matters. It is no part of the protocol: it makes several times fewer states, and is sound only
because nothing that can still have an effect can tell the difference, which `model_tests` checks for every configuration: what
is enabled, what every property says, and what is reached. (A session that no unit heeds could still take steps of its own;
with its phase emptied it takes none, so a SOMETIMES of it alone is not seen.) A deviation may read what is dead here, so
nothing is emptied where one is at work.
"""

from __future__ import annotations

from collections.abc import Callable

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import SetTerm, full

Live = Callable[[State, Configuration], SetTerm]


def _on_the_wire(s: State, _: Configuration) -> SetTerm:
    return s.in_flight & ~s.delivered


def _relations(s: State) -> SetTerm:
    return s.flashed | s.committed | s.withdrawn


def _secondary(s: State, options: Configuration) -> SetTerm:
    """A track out of sync is written again before the next flash, unless its unit has drained and may still be flashed.

    In the seed the secondaries stand in for the targets, and an old command may flash them at any time: all of them matter.
    """
    if not options.hardened:
        return full(Sort.WRITE)
    may_be_flashed = s.drained.tracks & ~(_relations(s) | s.tainted).tracks
    return ~(s.out_of_sync & ~s.delivered & ~may_be_flashed).writes


def _heeded(s: State, _: Configuration) -> SetTerm:
    return ~s.fenced


def _obeyed_somewhere(s: State, _: Configuration) -> SetTerm:
    return (~s.fenced).session


def _still_asking(s: State, _: Configuration) -> SetTerm:
    return s.taking_over.channels


LIVE: dict[str, Live] = {
    "starting": _obeyed_somewhere,
    "running": _obeyed_somewhere,
    "flashing": _obeyed_somewhere,
    "committing": _obeyed_somewhere,
    "aborting": _obeyed_somewhere,
    "taking_over": _obeyed_somewhere,
    "delivered": lambda s, _: s.in_flight,
    "rewritten": lambda s, _: s.in_flight,
    "late": lambda s, o: _on_the_wire(s, o) & ~_relations(s).tracks,
    "wire": lambda s, o: _on_the_wire(s, o).writes,
    "tainted": lambda s, _: ~_relations(s),
    "caught": lambda s, _: s.pending.tracks.writes & ~s.applied,
    "preserved_image": lambda s, _: s.preserved.writes,
    "lingering_image": lambda s, _: s.lingering.writes,
    "previous": lambda s, _: s.flashed.tracks.writes,
    "secondary": _secondary,
    "start_sent": _heeded,
    "run_sent": _heeded,
    "flash_sent": _heeded,
    "commit_sent": _heeded,
    "abort_sent": _heeded,
    "asked": _still_asking,
    "saw_flashed": _still_asking,
    "saw_committed": _still_asking,
}
"""For each field that can hold more than matters, what matters; fields whose entry reads others come after those."""
