"""A takeover that asks a unit's primary and its secondary one after the other: what abstraction (d) leaves out.

In the specification a unit answers a new session in one step. Here its primary hears the query first, and refuses older
sessions from then on; its secondary hears it later, and only then does the unit answer. The commands to a primary (start
increment, run, increment complete, abort) look at what the primary has heard, those to a secondary (flash, commit, withdraw)
at what the secondary has.

What is claimed is that each step is one that the specification has, or changes nothing that it sees: a primary that has heard
the query while its secondary has not refuses what it could as well never have received.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mirrorspec.proofs.numbered.lifted import Act
from mirrorspec.proofs.unfolded.explored import View, changed, reached, way
from mirrorspec.proofs.unfolded.larger import extra, guarded, larger, leaf, reading
from mirrorspec.spec.model import Model, StagedStep
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.step import then, when
from mirrorspec.spec.terms import empty, parameter
from mirrorspec.spec.universe import Universe

FENCED = extra("fenced_at_the_primary", empty(Sort.CHANNEL))
ASKED = extra("asked_at_the_primary", empty(Sort.CHANNEL))
AT_THE_PRIMARY = frozenset({"start_increment", "run", "increment_complete", "abort"})
"""The commands that a primary obeys or refuses."""
QUERY = "ask_primary"


def in_halves(model: Model, *, primary_first: bool = True) -> Model:
    """The model in which primaries and secondaries are asked apart. Unless *primary_first*, in any order: then the claim must
    fail."""
    s, c = symbolic_state(), parameter("c", Sort.CHANNEL)
    fenced, asked = leaf(FENCED), leaf(ASKED)
    query = StagedStep(
        QUERY,
        (("c", Sort.CHANNEL),),
        when(asking=c.session <= s.taking_over, unanswered=c.outside(asked), obeyed=c.outside(fenced)),
        then(**{FENCED.name: fenced | c.earlier, ASKED.name: asked | c}),
    )
    steps = [query]
    for step in model.steps:
        if step.name in AT_THE_PRIMARY:
            guards = {n: reading(g, {"fenced": fenced}) for n, g in step.guards.items()}
            step = StagedStep(step.name, step.parameters, guards, step.changes)
        elif step.name == "take_over":
            step = guarded(step, newest_at_primaries=parameter("k", Sort.SESSION).channels.outside(fenced))
        elif step.name == "answer" and primary_first:
            step = guarded(step, primary_asked=c <= asked)
        steps.append(step)
    return larger(model, (FENCED, ASKED), steps)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many states were looked at, in how many only one half had heard, and the way to a step that is none of the
    specification's."""

    states: int
    between: int
    strange: tuple[str, ...] | None


def compare(model: Model, universe: Universe, *, primary_first: bool = True, most: int | None = None) -> Comparison:
    """Every step from every state (or from those of the first levels, up to *most*) must be one of the specification's."""
    halves = in_halves(model, primary_first=primary_first)
    names = tuple(f.name for f in halves.fields)
    width = len(model.fields)
    reading_, own = BitsReading(halves, universe), BitsReading(model, universe)
    acts = [Act(event, reading_, names) for event in reading_.events]
    same = {event.label(universe): Act(event, own, names[:width]) for event in own.events}

    def moves(view: View) -> Iterator[tuple[str, View]]:
        for act in acts:
            outcome = act(view)
            if not outcome.refused:
                yield act.event.label(universe), changed(view, outcome.changes)

    first = reading_.initial()
    came = reached(tuple(first[name] for name in names), moves, most)
    fenced = names.index("fenced")
    between = 0
    for view in came:
        between += view[names.index(FENCED.name)] != view[fenced]
        for label, after in moves(view):
            if label.startswith(QUERY):
                explained = after[:width] == view[:width]
            else:
                outcome = same[label](view[:width])
                explained = not outcome.refused and changed(view[:width], outcome.changes) == after[:width]
            if not explained:
                return Comparison(len(came), between, (*way(came, view), label))
    return Comparison(len(came), between, None)
