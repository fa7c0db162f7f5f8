"""A model: the specification with its configuration, its environment and perhaps one deviation settled, ready to be read.

Building one stages every step and every property once, and then only simplifies: what a step's own guards make certain,
fields that nothing changes, fields that nothing reads, and parts of fields that can no longer matter (`liveness`). None of
it changes what can happen, and none of it knows the protocol. `complete` models leave all of it out, for display and proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.environment import Environment
from mirrorspec.spec.liveness import LIVE
from mirrorspec.spec.properties import PROPERTIES, Kind, Property
from mirrorspec.spec.simplify import assuming, conjunction, evident, follows
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import Field, State, field_table, symbolic_state
from mirrorspec.spec.step import Changes, Guards, Step
from mirrorspec.spec.steps import STEPS
from mirrorspec.spec.terms import (
    FALSE,
    TRUE,
    SetTerm,
    T,
    Term,
    Truth,
    all_of,
    rebuild,
)

Parameters = tuple[tuple[str, Sort], ...]


@dataclass(frozen=True, slots=True)
class StagedStep:
    """A step as terms: what it is about, when it is enabled, what it changes."""

    name: str
    parameters: Parameters
    guards: Guards
    changes: Changes

    @property
    def enabled(self) -> Truth:
        """All guards together."""
        return all_of(self.guards.values())


@dataclass(frozen=True, slots=True)
class StagedProperty:
    """A property as terms: of a state, and of each step for which it is not evident."""

    name: str
    kind: Kind
    parameters: Parameters
    of_state: Truth
    of_step: Mapping[str, Truth]


@dataclass(frozen=True, slots=True)
class Model:
    """All that an engine needs: fields, initial values, steps, properties."""

    configuration: Configuration
    environment: Environment
    deviation: str | None
    fields: tuple[Field, ...]
    initial: Mapping[str, Term]
    steps: tuple[StagedStep, ...]
    properties: tuple[StagedProperty, ...]

    def of_kind(self, *kinds: Kind) -> tuple[StagedProperty, ...]:
        """The properties of these kinds."""
        return tuple(p for p in self.properties if p.kind in kinds)


def initial_state(environment: Environment) -> dict[str, Term]:
    """Where everything begins, as the declaration of each field says (`state`)."""
    return {name: f.established if environment.established else f.begins for name, f in field_table().items()}


def stage(options: Configuration, environment: Environment, steps: Iterable[Step] = STEPS.values()) -> list[StagedStep]:
    """Every step that the configuration has and the environment allows, as terms."""
    staged = []
    for step in steps:
        if step.applies(options) and (step.fault is None or step.fault in environment.faults):
            guards, changes = step.stage(symbolic_state(), options)
            unknown = changes.keys() - field_table().keys()
            if unknown:
                raise KeyError(f"step {step.name} changes unknown fields: {sorted(unknown)}")
            staged.append(StagedStep(step.name, step.parameters, guards, changes))
    return staged


def substitute(term: T, values: Mapping[str, Term]) -> T:
    """*term* with the named fields replaced by terms."""
    table = field_table()
    return rebuild(term, {id(table[name].term): value for name, value in values.items() if name in table})


def after(changes: Changes) -> State:
    """The state after a step, as terms over the state before it."""
    s = symbolic_state()
    return replace(s, **changes)  # type: ignore[arg-type]  # the leaf kinds match


def _staged_property(p: Property, options: Configuration, steps: list[StagedStep]) -> StagedProperty:
    s = symbolic_state()
    of_state = TRUE if p.of_step else p.truth(s, s, options)
    if p.relief:
        relief = next(step for step in steps if step.name == p.relief)
        of_state = (
            TRUE if all(follows(g, of_state) for g in relief.guards.values()) else of_state.implies(relief.enabled)
        )
    of_step: dict[str, Truth] = {}
    if p.of_step:
        for step in steps:
            truth = evident(assuming(p.truth(s, after(step.changes), options), tuple(step.guards.values())))
            if truth is not TRUE:
                of_step[step.name] = truth
    parameters = _parameters(of_state)
    return StagedProperty(p.name, p.kind, parameters, of_state, of_step)


def _parameters(term: Term) -> Parameters:
    found: dict[str, Sort] = {}
    stack = [term]
    while stack:
        node = stack.pop()
        if node.kind == "parameter" and node.sort is not None:
            found[node.name] = node.sort
        stack.extend(node.args)
    return tuple(found.items())


def _wanted(p: Property, steps: list[StagedStep]) -> bool:
    return not p.needs_step or any(step.name == p.needs_step for step in steps)


def settle_constants(steps: list[StagedStep], initial: dict[str, Term]) -> tuple[list[StagedStep], dict[str, Term]]:
    """Replace each field that no step changes by its initial value, until none is left; drop steps that cannot happen.

    Returns the steps, and the fields found constant with their values.
    """
    constants: dict[str, Term] = {}
    while True:
        s = symbolic_state()
        simpler = []
        for step in steps:
            guards = conjunction({n: substitute(g, constants) for n, g in step.guards.items()})
            if FALSE in guards.values():
                continue
            facts = tuple(guards.values())
            changes = {n: assuming(substitute(c, constants), facts) for n, c in step.changes.items()}
            changes = {n: c for n, c in changes.items() if c is not getattr(s, n) and n not in constants}
            simpler.append(StagedStep(step.name, step.parameters, guards, changes))
        changed = {n for step in simpler for n, c in step.changes.items() if not (n in initial and c is initial[n])}
        found = {n: initial[n] for n in initial if n not in changed and n not in constants}
        steps = [replace_changes(step, {n: c for n, c in step.changes.items() if n not in found}) for step in simpler]
        if not found:
            return steps, constants
        constants |= found


def replace_changes(step: StagedStep, changes: Changes) -> StagedStep:
    """The step with other changes."""
    return StagedStep(step.name, step.parameters, step.guards, changes)


def _needed(steps: list[StagedStep], properties: Iterable[StagedProperty], live: Mapping[str, SetTerm]) -> set[str]:
    needed: set[str] = set()
    for p in properties:
        needed |= p.of_state.leaves().union(*(t.leaves() for t in p.of_step.values()))
    for step in steps:
        needed |= frozenset().union(*(g.leaves() for g in step.guards.values()))
    while True:
        more = set(needed)
        for step in steps:
            for name in needed & step.changes.keys():
                more |= step.changes[name].leaves()
        for name in needed & live.keys():
            more |= live[name].leaves()
        if more == needed:
            return needed
        needed = more


def _with_liveness(step: StagedStep, live: Mapping[str, SetTerm]) -> StagedStep:
    """The step followed by the emptying of what can no longer be read, where it may have changed that."""
    s = symbolic_state()
    changes = dict(step.changes)
    for name, alive in live.items():
        if name in changes or alive.leaves() & changes.keys():
            set_after: SetTerm = getattr(after(changes), name)
            value = set_after & substitute(alive, changes)
            changes[name] = assuming(value, tuple(step.guards.values()))
    return replace_changes(step, {n: c for n, c in changes.items() if c is not getattr(s, n)})


def build(
    options: Configuration,
    environment: Environment,
    *,
    steps: Iterable[Step] = STEPS.values(),
    alter: Iterable[StagedStep] | None = None,
    deviation: str | None = None,
    emptied: bool = True,
    kinds: Iterable[Kind] = Kind,
    complete: bool = False,
) -> Model:
    """The model of a configuration in an environment.

    *alter* gives the staged steps where a deviation has changed them. Unless *emptied*, parts of fields that can no longer
    matter stay as they are. *kinds* are the properties wanted. A *complete* model has every field, as the steps are written.
    """
    staged = list(stage(options, environment, steps) if alter is None else alter)
    initial = initial_state(environment)
    wanted = [p for p in PROPERTIES.values() if p.kind in set(kinds) and _wanted(p, staged)]
    if complete:
        properties = tuple(_staged_property(p, options, staged) for p in wanted)
        table = tuple(field_table().values())
        return Model(options, environment, deviation, table, initial, tuple(staged), properties)
    staged, constants = settle_constants(staged, initial)
    properties = tuple(replace_property(_staged_property(p, options, staged), constants) for p in wanted)
    s = symbolic_state()
    live: dict[str, SetTerm] = {}
    for name, rule in LIVE.items() if emptied else ():
        if name not in constants:
            alive = substitute(rule(s, options), constants)
            if alive.kind != "full":
                live[name] = alive
    needed = _needed(staged, properties, live) - constants.keys()
    live = {n: a for n, a in live.items() if n in needed}
    final = tuple(
        _with_liveness(replace_changes(step, {n: c for n, c in step.changes.items() if n in needed}), live)
        for step in staged
    )
    return Model(
        options,
        environment,
        deviation,
        tuple(f for f in field_table().values() if f.name in needed),
        {n: initial[n] for n in field_table() if n in needed},
        tuple(step for step in final if step.changes),
        properties,
    )


def replace_property(p: StagedProperty, constants: Mapping[str, Term]) -> StagedProperty:
    """The property with constant fields replaced."""
    return StagedProperty(
        p.name,
        p.kind,
        p.parameters,
        evident(substitute(p.of_state, constants)),
        {n: t for n, t in ((n, evident(substitute(t, constants))) for n, t in p.of_step.items()) if t is not TRUE},
    )


__all__ = ["Model", "StagedProperty", "StagedStep", "build", "fields", "initial_state", "stage", "substitute"]
