"""The protocol with one order changed and nothing broken: every promise proved anew, for all safe combinations and all faults.

What is proved is all that is proved of the protocol itself, the refinement of the service included, by the invariant as it is
`amended`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mirrorspec.proofs.induction.cases import cases, model_of
from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.plan import Asked, promises
from mirrorspec.proofs.reorderings.amended import AMENDED, Amendment, invariant
from mirrorspec.spec.reordered import ALTERED


def givens(name: str) -> Iterator[Given]:
    """The cases in which the altered protocol of that name is proved, each named after both."""
    hold = AMENDED.get(name, Amendment()).hold
    for given in cases():
        if given.options.hardened and hold in (None, given.options.hold):
            yield replace(given, options=replace(given.options, name=f"{name}: {given.options.name}"))


def of(configuration: str) -> Iterator[tuple[Given, int, Iterator[Asked]]]:
    """For each altered protocol its case of that configuration, if it has one: the case, its conjuncts, what is to be asked."""
    for name, change in ALTERED.items():
        for given in givens(name):
            if given.options.name == f"{name}: {configuration}":
                model = model_of(given, change.alter(given.options, given.environment))
                known = invariant(name, given)
                yield given, len(known), promises(model, known)
