"""How a conjunct of the inductive invariant is written: a function from a state to a truth that always holds.

    @conjunct("modes", c=Sort.CHANNEL)
    def commits_only_what_is_flashed(s, c, given):
        '''One sentence: why a storage engineer would expect it.'''
        return ...

It is written in the algebra of the steps themselves, so every reading has it: it is proved as symbols, tested on reachable
states as bits, and printed as words. A parameter means "for every one". *given* says which configuration and environment
the proof is about, ordinary values that may be tested; a conjunct that they make pointless returns `TRUE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.environment import Environment
from mirrorspec.spec.model import Parameters
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.terms import TRUE, SetTerm, Truth, parameter


@dataclass(frozen=True, slots=True)
class Given:
    """What a proof is about."""

    options: Configuration
    environment: Environment

    @property
    def name(self) -> str:
        """The configuration, and the environment in which it is proved."""
        return f"{self.options.name} in {self.environment.name}"


@dataclass(frozen=True, slots=True)
class Conjunct:
    """A conjunct as it is written."""

    name: str
    group: str
    reason: str
    parameters: Parameters
    function: Callable[..., Truth]

    def stage(self, given: Given) -> StagedConjunct | None:
        """The conjunct as a term; None where it says nothing."""
        truth = self.function(symbolic_state(), *(parameter(n, sort) for n, sort in self.parameters), given)
        return None if truth is TRUE else StagedConjunct(self.name, self.parameters, truth, truth.leaves())


@dataclass(frozen=True, slots=True)
class StagedConjunct:
    """A conjunct as a term over the state and its parameters, for every choice of which it holds."""

    name: str
    parameters: Parameters
    truth: Truth
    reads: frozenset[str]
    """The fields that it speaks of."""


def conjunct(group: str, /, **parameters: Sort) -> Callable[[Callable[..., Truth]], Conjunct]:
    """Make a function a conjunct; its parameters are renamed so that no step has one of that name."""
    named = tuple((f"any_{sort}", sort) for sort in parameters.values())
    if len(set(named)) < len(named):
        raise TypeError("two parameters of one sort would be the same thing")

    def make(function: Callable[..., Truth]) -> Conjunct:
        reason = " ".join((function.__doc__ or "").split())
        return Conjunct(function.__name__, group, reason, named, function)

    return make


def same(a: SetTerm, b: SetTerm, where: SetTerm) -> Truth:
    """That two images agree on the writes *where*."""
    return ((a & where) <= b) & ((b & where) <= a)
