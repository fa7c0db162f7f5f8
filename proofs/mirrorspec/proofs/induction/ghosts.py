"""The cut as the proof needs it: frozen once its unit no longer waits for run.

The specification's `cut` is a ghost, a field that no step reads: what it says can change nothing that happens. There it
also takes in the writes of a unit that has left the increment. A proof speaks of the increment's cut for longer than
that, so here it takes in only what a pending unit still completes as part of the cut.
"""

from __future__ import annotations

from dataclasses import replace

from mirrorspec.spec.model import Model, StagedStep
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import SetTerm, choose, parameter


def with_frozen_cut(model: Model) -> Model:
    """The model, its cut unchanged by the writes of units that are not pending."""
    readers = [step.name for step in model.steps if "cut" in _read(step)]
    if readers:
        raise ValueError(f"cut is no ghost: {', '.join(readers)} read it")
    return replace(model, steps=tuple(_frozen(step) if step.name == "apply_write" else step for step in model.steps))


def _read(step: StagedStep) -> set[str]:
    """The fields that decide whether the step can happen and what it does to the other fields."""
    changed = (term for name, term in step.changes.items() if name != "cut")
    return set().union(*(term.leaves() for term in (*step.guards.values(), *changed)))


def _frozen(step: StagedStep) -> StagedStep:
    s = symbolic_state()
    unit = parameter("w", Sort.WRITE).track.unit
    wider = step.changes["cut"]
    assert isinstance(wider, SetTerm)
    return replace(step, changes={**step.changes, "cut": choose(unit <= s.pending, wider, s.cut)})
