"""What the runs have reached: a check that reaches nothing shows nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mirrorspec.model_tests.lockstep.system import System


@dataclass(slots=True)
class Reached:
    """Counted over many runs."""

    runs: int = 0
    drawn: int = 0
    """How many steps were chosen."""
    kinds: Counter[str] = field(default_factory=Counter)
    """How often each kind of step was chosen."""
    steps: Counter[str] = field(default_factory=Counter)
    """How often each step of the specification was taken."""
    happened: Counter[str] = field(default_factory=Counter)
    """Crashes, refusals by code, and what recovery would have done."""
    options: Counter[str] = field(default_factory=Counter)
    """How often each choice of a configuration was tried."""
    increments: int = 0
    """The highest increment of any run."""

    def add(self, system: System, used: Counter[str]) -> None:
        """Count one run that is over."""
        self.runs += 1
        self.drawn += round(system.now)
        self.kinds.update(used)
        self.steps.update(step for step, _ in system.refinement.steps)
        self.happened.update(system.counts)
        self.increments = max(self.increments, system.refinement.current)
        s, c = system.scenario, system.scenario.configuration
        self.options.update(map(str, (c.hold, c.collision, c.switch, c.restart, s.drained, s.processes, s.placement)))
        self.options[str(s.method)] += 1

    def lines(self) -> list[str]:
        """The vacuity report: what was reached how often, the rarest first."""

        def part(title: str, counts: Counter[str]) -> str:
            return f"{title}: " + ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda i: i[1]))

        return [
            f"{self.runs} runs, {self.drawn} steps chosen, {self.steps.total()} of the specification",
            f"highest increment: {self.increments}",
            part("chosen", self.kinds),
            part("steps", self.steps),
            part("happened", self.happened),
            part("options", self.options),
        ]
