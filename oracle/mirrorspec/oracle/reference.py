"""The reference, read out of the specification: what `mirrorspec list` prints and the pages in docs/reference are made of.

Each function gives the rows of one table as plain objects, each with a `name`. Nothing here is written by hand twice: what
a step needs, changes and refuses comes from the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.clauses import CLAUSES
from mirrorspec.spec.configuration import CONFIGURATIONS
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import ENVIRONMENTS, FAULTS
from mirrorspec.spec.errors import unknown_name
from mirrorspec.spec.guards import GUARDS
from mirrorspec.spec.properties import PROPERTIES
from mirrorspec.spec.reorderings import REORDERINGS
from mirrorspec.spec.state import field_table, symbolic_state
from mirrorspec.spec.step import Step
from mirrorspec.spec.steps import STEPS
from mirrorspec.spec.variants import combinations, fault

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the reference: its title, its rows, and which of a row's entries people see, under which heading."""

    title: str
    items: Callable[[], list[Item]]
    columns: dict[str, str]

    def rows(self) -> list[list[str]]:
        """The cells that people see."""
        return [[_cell(item[name]) for name in self.columns] for item in self.items()]


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def steps() -> list[Item]:
    """Every step, in reading order."""
    return [
        {
            "name": step.name,
            "about": [f"{name}: {sort}" for name, sort in step.parameters],
            "cites": step.cites,
            "meaning": step.meaning,
            "fault": step.fault,
            "only": step.only,
            "guards": _staged(step, 0),
            "changes": _staged(step, 1),
        }
        for step in STEPS.values()
    ]


def _staged(step: Step, part: int) -> list[str]:
    """The names of a step's guards (0) or changed fields (1), in any configuration that has it."""
    names: dict[str, None] = {}
    for options in CONFIGURATIONS.values():
        if step.applies(options):
            names |= dict.fromkeys(step.stage(symbolic_state(), options)[part])
    return list(names)


def properties() -> list[Item]:
    """Every property."""
    return [
        {"name": p.name, "kind": str(p.kind), "cites": p.cites, "meaning": p.meaning, "of_step": p.of_step}
        for p in PROPERTIES.values()
    ]


def deviations() -> list[Item]:
    """Every deviation; `harmless` is the reason why it breaks nothing, empty for one that must be caught."""
    return [
        {
            "name": d.name,
            "fault": d.fault,
            "harmless": d.harmless,
            "configuration": d.configuration.name,
            "environment": d.environment,
            "bounds": d.bounds,
            "drops": list(d.drops),
            "forgets": list(d.forgets),
            "puts": [step.name for step in d.puts],
            "without": list(d.without),
        }
        for d in DEVIATIONS.values()
    ]


def bounds() -> list[Item]:
    """Every named bound of exhaustive search."""
    return [{"name": b.name, "words": b.words, "reason": b.reason, "layout": b.layout} for b in BOUNDS.values()]


def environments() -> list[Item]:
    """Every named environment, with its switches in the order of `environment.FAULTS`."""
    return [
        {
            "name": e.name,
            "reason": e.reason,
            "switches": [switch for switch in FAULTS if switch in e.faults],
            "sessions": e.sessions,
        }
        for e in ENVIRONMENTS.values()
    ]


def clauses() -> list[Item]:
    """Every paragraph and block of the seed that must show up somewhere."""
    return [
        {
            "name": c.name,
            "words": c.words,
            "standing": str(c.standing),
            "carriers": list(c.carriers),
            "awaits": c.awaits,
            "where": "; ".join(part for part in (", ".join(c.carriers), c.awaits and f"to come: {c.awaits}") if part),
        }
        for c in CLAUSES.values()
    ]


def guards() -> list[Item]:
    """Every guard, with the words for its refusal and the steps that have it."""
    users: dict[str, list[str]] = {}
    for step in steps():
        for guard in step["guards"]:
            users.setdefault(guard, []).append(step["name"])
    return [{"name": name, "refused": words, "steps": users.get(name, [])} for name, words in GUARDS.items()]


def variants() -> list[Item]:
    """Every combination of the seed's alternatives, and whether it is safe."""
    return [
        {
            "name": name,
            "hold": str(options.hold),
            "collision": str(options.collision),
            "switch": str(options.switch),
            "safe": not fault(options),
            "fault": fault(options),
            "verdict": f"unsafe: {fault(options)}" if fault(options) else "safe",
        }
        for name, options in combinations().items()
    ]


def reorderings() -> list[Item]:
    """Every order that the seed lets be changed, whether that is safe, and how it is decided."""
    return [
        {
            "name": r.name,
            "cites": r.cites,
            "words": r.words,
            "safe": r.safe,
            "decision": type(r.decision).__name__.lower(),
            "verdict": r.verdict,
            "because": r.because,
        }
        for r in REORDERINGS.values()
    ]


def fields() -> list[Item]:
    """Every field of the state."""
    return [
        {"name": f.name, "sort": str(f.sort), "meaning": f.meaning, "ghost": f.ghost} for f in field_table().values()
    ]


TABLES: dict[str, Table] = {
    "steps": Table(
        "Steps", steps, {"name": "step", "about": "about", "cites": "seed", "fault": "fault", "meaning": "what happens"}
    ),
    "fields": Table("Fields of the state", fields, {"name": "field", "sort": "a set of", "meaning": "meaning"}),
    "guards": Table("Guards", guards, {"name": "guard", "refused": "refused, because", "steps": "in steps"}),
    "properties": Table(
        "Properties", properties, {"name": "property", "kind": "kind", "cites": "seed", "meaning": "meaning"}
    ),
    "deviations": Table(
        "Deviations",
        deviations,
        {"name": "deviation", "environment": "environment", "bounds": "bounds", "fault": "what is wrong",
         "harmless": "harmless, because"},
    ),
    "variants": Table("Variants", variants, {"name": "hold + collision + switch", "verdict": "verdict"}),
    "reorderings": Table(
        "Reorderings and parallel executions",
        reorderings,
        {"name": "order", "cites": "seed", "words": "what is done otherwise", "verdict": "verdict", "because": "because"},
    ),
    "environments": Table(
        "Environments", environments, {"name": "environment", "switches": "faults", "reason": "what it is for"}
    ),
    "bounds": Table("Bounds", bounds, {"name": "bounds", "words": "how many", "reason": "why"}),
    "clauses": Table(
        "Clauses of the seed", clauses, {"name": "clause", "words": "says", "standing": "standing", "where": "where"}
    ),
}  # fmt: skip
"""Every table by the name that `mirrorspec list` knows it by."""


def table(name: str) -> Table:
    """The table of that name. Raises `BadInputError` with the near names."""
    if name not in TABLES:
        raise unknown_name("list", name, TABLES)
    return TABLES[name]
