"""Do the readings agree? Random states, every step, every guard and every changed field, read in bits and in batch.

States are drawn from all valuations of the fields, reachable or not: what a term means does not depend on where it is read.
The result is a sample, so its verdict is never more than *nothing found*.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.batch import Batch, word_type
from mirrorspec.spec.readings.bits import Bits, BitsReading, Event
from mirrorspec.spec.terms import fold
from mirrorspec.spec.universe import Universe


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A term that two readings value differently."""

    event: str
    part: str
    bits: Any
    batch: Any


def random_state(model: Model, universe: Universe, source: random.Random) -> dict[str, Any]:
    """Any valuation of the model's fields."""
    return {
        f.name: tuple(source.getrandbits(universe.sizes[f.sort]) for _ in range(universe.sizes[f.sort]))
        if f.relation
        else source.getrandbits(universe.sizes[f.sort])
        for f in model.fields
    }


def columns(states: list[dict[str, Any]], model: Model, universe: Universe) -> dict[str, Any]:
    """The states as columns."""
    kind = word_type(universe)
    table: dict[str, Any] = {}
    for f in model.fields:
        values = [state[f.name] for state in states]
        if f.relation:
            table[f.name] = tuple(np.array(row, dtype=kind) for row in zip(*values, strict=True))
        else:
            table[f.name] = np.array(values, dtype=kind)
    return table


def bits_and_batch(model: Model, universe: Universe, *, states: int, seed: int) -> tuple[int, Disagreement | None]:
    """Compare *states* random states in every event; the number of values compared, and the first that differs."""
    source = random.Random(seed)
    sample = [random_state(model, universe, source) for _ in range(states)]
    table = columns(sample, model, universe)
    compared = 0
    for event in BitsReading(model, universe).events:
        found = _differs(event, universe, sample, table)
        if found is not None:
            return compared, found
        compared += states * (len(event.step.guards) + len(event.step.changes))
    return compared, None


def _differs(
    event: Event, universe: Universe, sample: list[dict[str, Any]], table: dict[str, Any]
) -> Disagreement | None:
    batch = Batch(universe, table, event.parameters)
    for part, term in [*event.step.guards.items(), *event.step.changes.items()]:
        together = fold(term, batch)
        for i, state in enumerate(sample):
            alone = fold(term, Bits(universe, state, event.parameters))
            row = tuple(_at(v, i) for v in together) if isinstance(together, tuple) else _at(together, i)
            if alone != row:
                return Disagreement(event.label(universe), part, alone, row)
    return None


def _at(value: Any, i: int) -> Any:
    return value if np.ndim(value) == 0 else value[i].item()
