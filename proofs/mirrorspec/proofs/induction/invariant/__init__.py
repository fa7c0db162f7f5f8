"""The inductive invariant: everything that is always true and together is strong enough to prove itself and SAFETY.

Read it in this order: one unit, its images, the increment as a whole, the sessions. SAFETY is not among the conjuncts: it is
what they imply (`mirrorspec.spec.properties`).
"""

from __future__ import annotations

from mirrorspec.proofs.induction.conjunct import Conjunct, Given, StagedConjunct
from mirrorspec.proofs.induction.invariant import images, increment, sessions, units

INVARIANT: tuple[Conjunct, ...] = (
    *units.CONJUNCTS,
    *images.CONJUNCTS,
    *increment.CONJUNCTS,
    *sessions.CONJUNCTS,
)
"""Every conjunct, in reading order; its number is its place here, from 1."""


def staged(given: Given) -> tuple[StagedConjunct, ...]:
    """The conjuncts that say something in this configuration and environment."""
    return tuple(c for c in (conjunct.stage(given) for conjunct in INVARIANT) if c is not None)
