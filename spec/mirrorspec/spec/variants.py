"""Which combinations of the seed's alternatives are safe, and what is wrong with the others.

Safe was decided by exhaustive search and proof, not by this table: `model_tests` searches every combination, and stores the
counterexample of every unsafe one under its name. Only safe combinations may be built.
"""

from __future__ import annotations

from itertools import product

from mirrorspec.spec.configuration import HARDENED, Collision, Configuration, Hold, Switch

REQUESTS_UNTIL_RUN = (
    "takes in requests that arrive after another unit was let run, and so may depend on writes outside the cut"
)
OVERTAKEN_IN_CACHE = (
    "a newer write enters a track in cache before a caught one is completed, and the frozen track carries both"
)


def combinations() -> dict[str, Configuration]:
    """Every combination of hold, collision policy and switch, by name."""
    found = {}
    for hold, collision, switch in product(Hold, Collision, Switch):
        name = f"{hold}+{collision}+{switch}"
        found[name] = HARDENED.with_options(hold=hold, collision=collision, switch=switch)
    return found


def fault(options: Configuration) -> str:
    """What is wrong with a combination; empty for a safe one."""
    if options.switch is Switch.BEFORE_RUN:
        return REQUESTS_UNTIL_RUN
    if options.hold is Hold.IN_CACHE and options.switch is Switch.BEFORE_START:
        return OVERTAKEN_IN_CACHE
    return ""
