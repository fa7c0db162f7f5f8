"""What a deviation is: the protocol with one thing wrong.

A deviation drops guards, forgets changes, leaves out a step, or exchanges or adds one (`steps.broken`); nothing else of the
specification moves. The table of them is `deviations`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mirrorspec.spec.configuration import HARDENED, Configuration
from mirrorspec.spec.environment import ENVIRONMENTS, Environment
from mirrorspec.spec.model import Model, StagedStep, build, stage
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.step import Step
from mirrorspec.spec.steps import STEPS


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing done wrong."""

    name: str
    fault: str
    """What goes wrong, in a sentence."""
    environment: str
    bounds: str
    drops: tuple[str, ...] = ()
    """Guards left out, as ``step.guard``; ``*.guard`` is that guard of every step."""
    forgets: tuple[str, ...] = ()
    """Changes left out, as ``step.field``."""
    puts: tuple[Step, ...] = ()
    """Steps that take the place of those of the same name, or come beside them."""
    without: tuple[str, ...] = ()
    """Steps left out."""
    configuration: Configuration = field(default=HARDENED)
    harmless: str = ""
    """Why it breaks nothing; empty for one that must be caught."""

    @property
    def right(self) -> Configuration:
        """The configuration without what the deviation changes in it."""
        return replace(self.configuration, recovery=HARDENED.recovery)

    def alter(self, options: Configuration, environment: Environment) -> list[StagedStep]:
        """The staged steps with this one thing wrong. Raises `KeyError` when a name does not exist."""
        put = {step.name: step for step in self.puts}
        texts = [put.pop(step.name, step) for step in STEPS.values() if step.name not in self.without]
        staged = stage(options, environment, [*texts, *put.values()])
        unused = {*self.drops, *self.forgets}
        result = []
        for step in staged:
            guards = {n: g for n, g in step.guards.items() if not _named(unused, self.drops, step.name, n)}
            changes = {n: c for n, c in step.changes.items() if not _named(unused, self.forgets, step.name, n)}
            result.append(StagedStep(step.name, step.parameters, guards, changes))
        if unused and environment.name == self.environment:
            raise KeyError(f"deviation {self.name} names what does not exist: {sorted(unused)}")
        return result

    def model(self, environment: Environment | None = None, *, complete: bool = False) -> Model:
        """The model in which it is caught, or the same in another environment.

        What a deviation makes readable again is not known, so nothing is emptied.
        """
        world = environment or ENVIRONMENTS[self.environment]
        return build(
            self.configuration,
            world,
            alter=self.alter(self.configuration, world),
            deviation=self.name,
            emptied=False,
            kinds=(Kind.SAFETY,),
            complete=complete,
        )


def _named(unused: set[str], patterns: tuple[str, ...], step: str, part: str) -> bool:
    hits = {f"{step}.{part}", f"*.{part}"} & set(patterns)
    unused -= hits
    return bool(hits)
