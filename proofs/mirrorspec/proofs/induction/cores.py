"""Which conjuncts and guards carry the proof, and which nothing needs.

Every obligation has a core: hypotheses that suffice and of which none can be spared. A conjunct that is in no core, but
perhaps of its own being kept, can be left out; a guard that is in no core can be dropped without harm to
the promises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mirrorspec.proofs.induction.plan import Plan
from mirrorspec.proofs.induction.prover import Line

CONJUNCT, GUARD = "conjunct ", "guard "


@dataclass(frozen=True, slots=True)
class Use:
    """What one step's obligations, or the promises themselves, rest on."""

    of: str
    conjuncts: tuple[str, ...]
    guards: tuple[str, ...]


def uses(plan: Plan, lines: Iterable[Line]) -> tuple[Use, ...]:
    """For each step, and for what concerns no step, the conjuncts and guards in the cores of its obligations."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for line in lines:
        obligation = plan.question(line.place).obligation
        of = obligation.step.name if obligation.step else str(obligation.stage)
        conjuncts, guards = found.setdefault(of, (set(), set()))
        core = line.core or ()
        conjuncts.update(n.removeprefix(CONJUNCT) for n in core if n.startswith(CONJUNCT))
        guards.update(n.removeprefix(GUARD) for n in core if n.startswith(GUARD))
    return tuple(Use(of, tuple(sorted(c)), tuple(sorted(g))) for of, (c, g) in found.items())


def idle_conjuncts(plan: Plan, lines: Sequence[Line]) -> tuple[str, ...]:
    """The conjuncts that only their own being kept needs."""
    carried = {
        name.removeprefix(CONJUNCT)
        for line in lines
        for name in line.core or ()
        if name.startswith(CONJUNCT) and name.removeprefix(CONJUNCT) != plan.question(line.place).obligation.claim
    }
    known = dict.fromkeys(c.name for task in plan.tasks for c in task.invariant)
    return tuple(name for name in known if name not in carried)


def idle_guards(plan: Plan, lines: Iterable[Line]) -> tuple[str, ...]:
    """The guards, as ``step.guard``, that no obligation of their step needs."""
    known: dict[str, None] = {}
    carried: set[str] = set()
    for line in lines:
        step = plan.question(line.place).obligation.step
        if step is not None:
            known |= dict.fromkeys(f"{step.name}.{name}" for name in step.guards)
            carried |= {f"{step.name}.{n.removeprefix(GUARD)}" for n in line.core or () if n.startswith(GUARD)}
    return tuple(name for name in known if name not in carried)
