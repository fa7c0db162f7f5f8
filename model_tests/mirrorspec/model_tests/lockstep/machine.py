"""The machine with which Hypothesis drives the controller beside the specification, and shrinks what it finds.

It has one rule, which draws among the enabled steps, so nothing that is drawn is thrown away. Shrinking takes steps away and
draws earlier ones instead, until a short list of labels is left; the error that is raised carries that list.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mirrorspec.impl.core.options import Drained, Processes
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.lockstep.choosing import CONFIGURATIONS, scenario, step
from mirrorspec.model_tests.lockstep.reached import Reached
from mirrorspec.model_tests.lockstep.system import System
from mirrorspec.spec.configuration import Configuration

PREFIX = "steps: "
"""How the note of an error begins that says which steps were taken, one a line after it."""


class Lockstep(RuleBasedStateMachine):
    """One run: a configuration, and steps chosen one by one. What was reached is added to the class's *reached*."""

    reached = Reached()
    last: System | None = None
    """The system of the last run; when the machine has failed, of the run that is reported."""

    def __init__(self) -> None:
        super().__init__()
        self.system: System | None = None
        self.used: Counter[str] = Counter()
        self.labels: list[str] = []

    @initialize(
        configuration=st.sampled_from(CONFIGURATIONS),
        drained=st.sampled_from(Drained),
        processes=st.sampled_from(Processes),
        placement=st.sampled_from(Placement),
        method=st.sampled_from(Method),
    )
    def begin(
        self, configuration: Configuration, drained: Drained, processes: Processes, placement: Placement, method: Method
    ) -> None:
        """Every party is begun."""
        type(self).last = self.system = System(scenario(configuration, drained, processes, placement, method))

    @rule(kind=st.integers(0, 255), which=st.integers(0, 63))
    def happen(self, kind: int, which: int) -> None:
        """One enabled step: of that kind among those that have one, and that one among its kind, counted round."""
        assert self.system is not None
        numbers = iter((kind, which))
        try:
            step(self.system, self.used, lambda choices: choices[next(numbers) % len(choices)], self.labels)
        except Exception as error:
            error.add_note(PREFIX + "\n".join(self.labels))
            raise

    def teardown(self) -> None:
        """What was reached is counted."""
        if self.system is not None and self.system.now:
            self.reached.add(self.system, self.used)


def shortest(error: BaseException) -> list[str]:
    """The labels of the steps that lead to the error, the last of which fails."""
    notes: list[str] = getattr(error, "__notes__", [])
    for note in reversed(notes):
        if note.startswith(PREFIX):
            return note.removeprefix(PREFIX).splitlines()
    raise ValueError("the error does not come from the machine")
