"""Steps that may be exchanged: wherever the invariant holds and both can be taken, either order leads to the same state.

Three obligations a pair: after the first the second can still be taken, after the second the first, and what both orders
change is the same. Then it makes no difference either whether they happen one after the other or at once, by one process or by
several [0053]. The pairs stand in `spec.reorderings`; a pair of which a case lacks a step says nothing of that case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorspec.proofs.induction.cases import model_of
from mirrorspec.proofs.induction.conjunct import Given, StagedConjunct
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.obligations import Obligation, Stage
from mirrorspec.proofs.induction.plan import Asked
from mirrorspec.proofs.pairs import both, changes_after, guards_after, other
from mirrorspec.spec.model import StagedStep
from mirrorspec.spec.reordering import Exchange, Pair
from mirrorspec.spec.reorderings import REORDERINGS
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import field_table
from mirrorspec.spec.terms import FALSE, TRUE, Relation, SetTerm, Term, Truth, all_of, parameter

WRITES = (("one_write", Sort.WRITE), ("another_write", Sort.WRITE))
"""The two writes of which the goal speaks where a relation must be the same."""


def exchanged() -> tuple[tuple[Pair, Sort | None], ...]:
    """Every pair to be shown, with what its things have to differ in; each once."""
    decisions = [row.decision for row in REORDERINGS.values() if isinstance(row.decision, Exchange)]
    return tuple(dict.fromkeys((pair, decision.apart) for decision in decisions for pair in decision.pairs))


def titles(pair: Pair, apart: Sort | None) -> tuple[str, str, str]:
    """What the three obligations of a pair are called."""
    first, second = pair
    about = f", of different {apart}s" if apart else ""
    return (
        f"{second} can follow {first}{about}",
        f"{first} can still follow {second}{about}",
        f"{first} and {second} lead to the same state in either order{about}",
    )


def asked(given: Given) -> Iterator[Asked]:
    """Every obligation of every pair whose steps the case has."""
    steps = {step.name: step for step in model_of(given).steps}
    for names, apart in exchanged():
        if all(name in steps for name in names):
            first, second = (steps[name] for name in names)
            yield from of_pair(first, second, apart, staged(given))


def of_pair(
    first: StagedStep, second: StagedStep, apart: Sort | None, invariant: tuple[StagedConjunct, ...]
) -> Iterator[Asked]:
    """The three obligations of two steps about things that differ as said."""
    named = titles((first.name, second.name), apart)
    second = other(second)
    guards = both(first, second)
    if apart is not None:
        guards = (*guards, (f"of different {apart}s", differ(first, second, apart)))
    goals = (
        all_of(guards_after(first, second).values()),
        all_of(guards_after(second, first).values()),
        same_end(first, second),
    )
    for title, goal in zip(named, goals, strict=True):
        # None counts as evident: a row of the table is decided by obligations that can be counted.
        yield (
            Obligation(Stage.STEP, first, "exchange", (*second.parameters, *WRITES), goal, False, title),
            invariant,
            guards,
        )


def same_end(first: StagedStep, second: StagedStep) -> Truth:
    """That both orders change every field to the same."""
    one, another = changes_after(first, second), changes_after(second, first)
    return all_of(_equal(one[name], another[name]) for name in field_table() if name in one)


def differ(first: StagedStep, second: StagedStep, sort: Sort) -> Truth:
    """That the two are about different things of that sort."""
    a, b = (_thing(step, sort) for step in (first, second))
    return ~(a <= b)


def _thing(step: StagedStep, sort: Sort) -> SetTerm:
    """The thing of that sort which a step is about, by its parameters or their owners. Raises `KeyError` if there is none."""
    for name, kind in reversed(step.parameters):  # a flash is about a volume before it is about a channel
        found: SetTerm = parameter(name, kind)
        for owner in _owners(kind):
            found = found if owner is found.sort else found.owner(owner)
            if found.sort is sort:
                return found
    raise KeyError(f"{step.name} is about no {sort}")


def _owners(kind: Sort) -> Iterable[Sort]:
    if kind is Sort.CHANNEL:
        return (Sort.CHANNEL, Sort.UNIT)
    chain = (Sort.WRITE, Sort.TRACK, Sort.VOLUME, Sort.UNIT)
    return chain[chain.index(kind) :] if kind in chain else (kind,)


def _equal(a: Term, b: Term) -> Truth:
    if a is b:
        return TRUE
    if isinstance(a, SetTerm) and isinstance(b, SetTerm):
        return (a <= b) & (b <= a)
    if isinstance(a, Relation) and isinstance(b, Relation):
        one, another = (parameter(name, sort) for name, sort in WRITES)
        x, y = (r.closes(one, one | another) for r in (a, b))  # that the one does not need the other
        return x.implies(y) & y.implies(x)
    return FALSE
