"""The protocol refines the promise: seen through `promised_service`, each of its steps is one of `spec.service`, or nothing.

`promised_service` is the abstraction function: it forgets units, modes, bitmaps, transfers, sessions and messages, and keeps
what hosts and recovery see. That the first state is one in which the service may begin, and that every step of the protocol
is, through it, one of the service's `ACTIONS`, are obligations of the induction, for every case and at every size; so every
run of the protocol is a run of the service. Which action a step is may depend on the state: the first *commit* of an
increment is *advance*, every other one nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.model import Model, StagedStep, after, substitute
from mirrorspec.spec.recovery import promised, recovered
from mirrorspec.spec.service import ACTIONS, Service, initial
from mirrorspec.spec.state import State, symbolic_state
from mirrorspec.spec.terms import FALSE, Truth

SERVICE = "service"
"""What the obligations claim, by the name under which they are printed."""


def promised_service(s: State, options: Configuration) -> Service:
    """The state of the service that a state of the protocol stands for."""
    return Service(
        issued=s.issued,
        acknowledged=s.acknowledged,
        needs=s.needs,
        offered=promised(s),
        image=recovered(s, options),
        forming=s.joined.some(),
        due=s.begun,
        ready=s.committed.some() if options.hardened else s.flashed.some(),
    )


def of_step(step: StagedStep, options: Configuration) -> dict[str, Truth]:
    """For each action of the service, when the step is that action."""
    before = promised_service(symbolic_state(), options)
    then = promised_service(after(step.changes), options)
    return {name: action(before, then) for name, action in ACTIONS.items()}


def begins(model: Model) -> Truth:
    """That the model begins where the service does."""
    return substitute(initial(promised_service(symbolic_state(), model.configuration)), model.initial)


def refinement(model: Model) -> Iterator[tuple[StagedStep | None, Truth]]:
    """What is to be shown of the initial state (no step), and of each step where its guards hold."""
    yield None, begins(model)
    for step in model.steps:
        yield step, reduce(lambda a, b: a | b, of_step(step, model.configuration).values(), FALSE)
