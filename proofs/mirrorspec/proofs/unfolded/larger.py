"""A model with more fields than the specification has, for a form of it that leaves less out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from mirrorspec.spec import terms
from mirrorspec.spec.model import Model, StagedProperty, StagedStep
from mirrorspec.spec.state import Field, field_table
from mirrorspec.spec.terms import SetTerm, T, Term, Truth, rebuild


def extra(name: str, begins: SetTerm) -> Field:
    """A further field, and what it begins with."""
    if name in field_table():
        raise KeyError(f"{name} is a field of the specification")
    return Field(name, begins.sort, "", False, False, begins, begins)


def leaf(field: Field) -> SetTerm:
    """A further field as it stands in a step."""
    return terms.field(field.name, field.sort)


def reading(term: T, instead: Mapping[str, SetTerm]) -> T:
    """The term with fields of the specification read from elsewhere."""
    table = field_table()
    return rebuild(term, {id(table[name].term): cast(Term, other) for name, other in instead.items()})


def guarded(step: StagedStep, **guards: Truth) -> StagedStep:
    """The step with further guards."""
    return replace(step, guards={**step.guards, **guards})


def elsewhere(p: StagedProperty, instead: Mapping[str, SetTerm]) -> StagedProperty:
    """The property with fields of the specification read from elsewhere; no step may change what is read instead."""
    return replace(p, of_state=reading(p.of_state, instead))


def larger(model: Model, fields: Iterable[Field], steps: Iterable[StagedStep]) -> Model:
    """The model with further fields, and other steps."""
    more = tuple(fields)
    initial = {**model.initial, **{f.name: f.begins for f in more}}
    return replace(model, fields=(*model.fields, *more), initial=initial, steps=tuple(steps))
