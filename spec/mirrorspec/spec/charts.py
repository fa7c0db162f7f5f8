"""The three charts: the only place where a change of mode, phase or relation is written.

Each is a python-statemachine `StateMachine`; the steps take their sources and targets from it through `moves`. In the state
of the specification a chart becomes one set for each of its states but the initial one: a unit is *pending* when it is in the
set of that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from statemachine import State as ChartState
from statemachine import StateMachine

from mirrorspec.spec.state import State, symbolic_state
from mirrorspec.spec.terms import FALSE, SetTerm, Term, Truth


class PrimaryMode(StateMachine):
    """The mode of a primary control unit [0036-0041, 0048], FIGS. 3A, 4A, 5A, 8A."""

    normal = ChartState("normal", initial=True)
    pending = ChartState("increment pending")
    in_progress = ChartState("consistency group in progress")

    start_increment = normal.to(pending)
    run = pending.to(in_progress)
    increment_complete = in_progress.to(normal)
    run_timeout = pending.to(normal)
    increment_timeout = in_progress.to(normal)
    abort = normal.to(normal) | pending.to(normal) | in_progress.to(normal)


class SessionPhase(StateMachine):
    """What a session does: it leads one increment after another [0047-0048], FIG. 8B."""

    standing_by = ChartState("standing by", initial=True)
    starting = ChartState("starting")
    running = ChartState("running")
    flashing = ChartState("flashing")
    committing = ChartState("committing")
    aborting = ChartState("aborting")
    taking_over = ChartState("taking over")

    take_over = standing_by.to(taking_over)
    all_joined = starting.to(running)
    all_drained = running.to(flashing)
    all_flashed = flashing.to(committing)
    all_committed = committing.to(starting)
    abandon = starting.to(aborting) | running.to(aborting) | flashing.to(aborting)
    all_aborted = aborting.to(starting)
    take_commit = taking_over.to(committing)
    take_abort = taking_over.to(aborting)


class FlashRelation(StateMachine):
    """The relation between a secondary volume and its flash target, within one increment [0020-0021, 0048] 852."""

    settled = ChartState("settled", initial=True)
    flashed = ChartState("flashed")
    committed = ChartState("committed")
    withdrawn = ChartState("withdrawn")

    flash = settled.to(flashed)
    commit = flashed.to(committed)
    withdraw = settled.to(withdrawn) | flashed.to(withdrawn)
    settle = committed.to(settled) | withdrawn.to(settled)
    supersede = flashed.to(settled)


CHARTS: tuple[type[StateMachine], ...] = (PrimaryMode, SessionPhase, FlashRelation)


def events(chart: type[StateMachine]) -> list[str]:
    """The names of the chart's events."""
    return sorted({t.event for state in chart.states for t in state.transitions if t.event})


@dataclass(frozen=True, slots=True)
class Move:
    """One event of a chart, for one thing: whether the chart allows it, and the sets that it changes."""

    allowed: Truth
    changes: dict[str, Term]


@cache
def arrows(chart: type[StateMachine], event: str) -> tuple[tuple[str, str], ...]:
    """The transitions of *event* as pairs of state ids, in the order in which the chart declares them.

    Raises `KeyError` when the chart has no such event.
    """
    pairs = tuple(
        (transition.source.id, transition.target.id)
        for state in chart.states
        for transition in state.transitions
        if transition.event == event and transition.target is not None
    )
    if not pairs:
        raise KeyError(f"{chart.__name__} has no event {event!r}")
    return pairs


def moves(chart: type[StateMachine], event: str, thing: SetTerm) -> Move:
    """What *event* does to *thing* (a single one, or for an event allowed everywhere, many), as the chart has it."""
    s = symbolic_state()
    initial = next(state.id for state in chart.states if state.initial)
    named = [state.id for state in chart.states if not state.initial]
    pairs = arrows(chart, event)
    sources = {source for source, _ in pairs}
    if sources >= {initial, *named}:
        allowed = thing <= thing
    else:
        allowed = FALSE
        for source in sorted(sources):
            here = thing.outside(_union(s, named)) if source == initial else thing <= _set_of(s, source)
            allowed = here if allowed is FALSE else allowed | here
    changes: dict[str, Term] = {}
    for name in named:
        now = _set_of(s, name)
        after = now & ~thing if name in sources else now
        coming = [source for source, target in pairs if target == name]
        if coming:
            after = after | thing
        if after is not now:
            changes[name] = after
    return Move(allowed, changes)


def _set_of(s: State, name: str) -> SetTerm:
    result: SetTerm = getattr(s, name)
    return result


def _union(s: State, names: list[str]) -> SetTerm:
    result = _set_of(s, names[0])
    for name in names[1:]:
        result = result | _set_of(s, name)
    return result
