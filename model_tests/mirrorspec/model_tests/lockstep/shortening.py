"""A list of steps made shorter: runs of steps are left out, longest first, as long as what remains still fails.

A step that is no longer enabled because of what was left out is left out too. Labels number messages by kind, sender and
receiver, so most of them mean the same when others are gone. Hypothesis shrinks what it draws; this needs only the labels.
"""

from __future__ import annotations

from collections.abc import Sequence

from mirrorspec.model_tests.lockstep.choosing import ENABLED
from mirrorspec.model_tests.lockstep.system import System
from mirrorspec.model_tests.simulation.scenario import Scenario


def replay(one: Scenario, labels: Sequence[str]) -> tuple[list[str], Exception | None]:
    """Take those of the steps that are enabled in turn: the labels taken, and the error in which the last one ends, if any."""
    taken: list[str] = []
    try:
        system = System(one)
        for label in labels:
            act = next((acts[label] for found in ENABLED.values() if label in (acts := dict(found(system)))), None)
            if act is not None:
                taken.append(label)
                system.now += 1
                act()
    except Exception as error:
        return taken, error
    return taken, None


def shorten(one: Scenario, labels: Sequence[str]) -> list[str]:
    """A list of steps that fails with an error of the same type, of which no step and no run of steps can be left out.

    Raises `ValueError` where the whole list does not fail.
    """
    best, error = replay(one, labels)
    if error is None:
        raise ValueError("these steps do not fail")
    size = max(1, len(best) // 2)
    while size:
        start = 0
        while start < len(best):
            shorter, other = replay(one, best[:start] + best[start + size :])
            if type(other) is type(error) and len(shorter) < len(best):
                best = shorter
            else:
                start += size
        size //= 2
    return best
