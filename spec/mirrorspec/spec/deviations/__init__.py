"""Ways to get the protocol wrong, each met in the field or found by proof: every one must be caught.

Each names the fault it stands for (docs/explanation/faults.md lists where each was seen), and the environment and smallest
bounds in which it shows. One that breaks nothing says why. How long the shortest trace of each is, is pinned by the stored
counterexamples (`model_tests.catalogue`).
"""

from __future__ import annotations

from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.deviations.bitmaps import BITMAPS
from mirrorspec.spec.deviations.copies import COPIES
from mirrorspec.spec.deviations.messages import MESSAGES
from mirrorspec.spec.deviations.restarts import RESTARTS
from mirrorspec.spec.deviations.sessions import SESSIONS
from mirrorspec.spec.errors import unknown_name
from mirrorspec.spec.reordered import ALTERED, REORDERED

DEVIATIONS: dict[str, Deviation] = {d.name: d for d in (*MESSAGES, *BITMAPS, *COPIES, *RESTARTS, *SESSIONS)}
"""Every deviation by its name, grouped as faults are."""


def deviation(name: str) -> Deviation:
    """The deviation of that name, or the protocol with one order changed. Raises `BadInputError` with the near names."""
    known = DEVIATIONS | REORDERED | ALTERED
    if name not in known:
        raise unknown_name("deviation", name, known)
    return known[name]
