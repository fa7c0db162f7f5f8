"""Where a mutant is looked for: small bounds first, and for each kind of fault the least in which such faults show.

A rung is one search. The low rungs take a fraction of a second each; then comes what must stay possible; the high rungs take
seconds. A mutant that reaches the top without being caught is not harmless by that: it is *open* until the induction, perhaps
with another strengthening, says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec.bounds import BOUNDS, Bounds
from mirrorspec.spec.configuration import (
    HARDENED,
    SEED,
    Collision,
    Configuration,
    Hold,
    Restart,
    Switch,
)
from mirrorspec.spec.environment import ENVIRONMENTS, Environment

MOST_STATES = 3_000_000
"""Of one search; the highest rungs are not exhausted within it, and a trace that is found is a trace all the same."""

LEAST = Bounds("1u1t1w", (((1,),),), "the least there is: what gets stuck, gets stuck here")
EMPTY_UNIT = Bounds("2u2t1w", (((1,),), ((0,),)), "a second unit, without writes: what waits for all units")
GRAPH_BOUNDS = {b.name: b for b in (LEAST, EMPTY_UNIT)} | BOUNDS
"""The named bounds, and those that are only of use for what must stay possible."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One search: the faults and the bounds; the configuration where it is not for the mutant to say."""

    environment: str
    bounds: str
    options: Configuration | None = None
    patient: bool = False
    """Whether nobody ever gives up (`possible.GIVING_UP`): then every increment must be able to complete."""

    @property
    def world(self) -> Environment:
        """The environment itself."""
        return ENVIRONMENTS[self.environment]

    @property
    def size(self) -> Bounds:
        """The bounds themselves."""
        return GRAPH_BOUNDS[self.bounds]


LOW = (
    Rung("reliable", "1u1t2w"),
    Rung("crashes", "1u1t2w"),
    Rung("membership", "1u1t2w"),
    Rung("reliable", "2u2t2w"),
    Rung("all", "1u1t1w"),
)
"""SAFETY at less than 100,000 states each."""

HIGH = (
    Rung("standard", "2u2t2w"),
    Rung("reliable", "1u2t3w"),
    Rung("failover", "1u1t2w"),
    Rung("all", "1u1t2w"),
    Rung("rivals", "2u2t2w"),
    Rung("crashes", "2u2t2w"),
    Rung("membership", "2u2t2w"),
    Rung("links", "1u2t3w"),
    Rung("crashes", "1u2t3w"),
    Rung("takeover", "2u2t2w"),
    Rung("reliable", "2u2t3w"),
    Rung("all", "2u2t2w"),
    Rung("standard", "2u2t3w"),
)
"""SAFETY at up to some millions of states."""

GRAPHS = (
    Rung("reliable", "1u1t2w", HARDENED),
    Rung("links", "1u1t1w", HARDENED, patient=True),
    Rung("crashes", "1u1t1w", HARDENED),
    Rung("membership", "1u1t1w", HARDENED),
    Rung("reliable", "2u2t1w", HARDENED),
    Rung("takeover", "1u1t1w", HARDENED),
    Rung("failover", "1u1t1w", HARDENED),
    Rung("rivals", "2u2t1w", HARDENED),
    Rung("reliable", "1u1t2w", HARDENED.with_options(hold=Hold.IN_CACHE)),
    Rung("reliable", "1u1t2w", HARDENED.with_options(collision=Collision.SEND_FIRST)),
    Rung("reliable", "1u1t2w", HARDENED.with_options(collision=Collision.SEND_COPY)),
    Rung("reliable", "1u1t2w", HARDENED.with_options(switch=Switch.BEFORE_START)),
    Rung("crashes", "1u1t1w", HARDENED.with_options(restart=Restart.LEAVE)),
    Rung("reliable", "1u1t2w", SEED),
)
"""What must stay possible, under every kind of fault and in every variant; variants only where they have the step otherwise."""
