"""How a step is written: a function from a state and one thing to named guards and changed fields.

    @step("[0041] 550-554", c=Sort.CHANNEL)
    def run(s, c, options):
        '''One sentence that says what happens.'''
        mode = moves(PrimaryMode, "run", c.unit)
        return when(commanded=..., mode=mode.allowed), then(**mode.changes)

A step is enabled when all its guards hold; it then changes the fields that it names, all at once, and no others. *options*
is the configuration, an ordinary value that may be tested. Every guard's name has its plain words in `guards.GUARDS`.
A step that is a fault of the environment says which one (`environment`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import SetTerm, Term, Truth

Guards = dict[str, Truth]
Changes = dict[str, Term]
StepFunction = Callable[..., tuple[Guards, Changes]]


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it is written: its name, what it is about, where the seed says so, and its text."""

    name: str
    cites: str
    parameters: tuple[tuple[str, Sort], ...]
    function: StepFunction
    fault: str | None
    only: str | None

    @property
    def meaning(self) -> str:
        """The first sentence of the step's own text."""
        return " ".join((self.function.__doc__ or "").split("\n\n")[0].split())

    def applies(self, options: Configuration) -> bool:
        """Whether the configuration has this step at all."""
        return self.only is None or (self.only == "hardened") is options.hardened

    def stage(self, s: State, options: Configuration) -> tuple[Guards, Changes]:
        """The step's guards and changes as terms over *s* and its own parameters."""
        from mirrorspec.spec.terms import parameter

        guards, changes = self.function(s, *(parameter(n, sort) for n, sort in self.parameters), options)
        return guards, changes


def step(
    cites: str, /, *, fault: str | None = None, only: str | None = None, **parameters: Sort
) -> Callable[[StepFunction], Step]:
    """Make a function a step: *cites* is the seed's paragraph and block, *fault* the fault of the environment that it is,
    *only* the configuration (``seed`` or ``hardened``) that has it."""
    return lambda function: Step(function.__name__, cites, tuple(parameters.items()), function, fault, only)


def when(**guards: Truth | None) -> Guards:
    """The guards of a step, by name; one that this configuration does not have is given as None."""
    return {name: truth for name, truth in guards.items() if truth is not None}


def then(**changes: Term) -> Changes:
    """The fields that the step changes, with their new values in terms of the old state."""
    return changes


def members_of(channels: SetTerm, s: State) -> SetTerm:
    """Of these channels, those to units that belong to the session."""
    return channels & s.members.channels
