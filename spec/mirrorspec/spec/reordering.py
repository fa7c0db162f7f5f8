"""What a reordering is: something that the seed lets be done in another order or at once [0053], and how it is decided.

    Exchange   two steps of the protocol lead to the same state in either order, so they may also happen at once;
    Either     the protocol lets both orders happen; they lead to different states, and the proof covers both;
    Choice     the order is a choice of the configuration, and the proof covers these;
    Altered    the protocol with its steps taken apart and put together otherwise, proved anew;
    Wrong      a counterexample, of a deviation or of an unsafe variant.

The table of them is `reorderings`; that each is decided as it says is checked by `mirrorspec.proofs.reorderings`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec.sorts import Sort

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Either order of two steps leads to the same state, in every state of the invariant in which both can be taken."""

    pairs: tuple[Pair, ...]
    apart: Sort | None = None
    """The two are about different things of this sort; None: about any, the same or not."""


@dataclass(frozen=True, slots=True)
class Either:
    """Two steps that can both be taken in some state, in either order, and not to the same end."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Choices that the configuration has, by the names of their options; all safe combinations with them are proved."""

    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Altered:
    """The protocol with one order changed, by the name of its entry in `ALTERED`."""

    name: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """Deviations and unsafe variants of which each stored counterexample is one of this order."""

    cases: tuple[str, ...]


Decision = Exchange | Either | Choice | Altered | Wrong


@dataclass(frozen=True, slots=True)
class Reordering:
    """One thing that could be done in another order."""

    name: str
    cites: str
    words: str
    decision: Decision
    because: str

    @property
    def safe(self) -> bool:
        """Whether an implementation may do it."""
        return not isinstance(self.decision, Wrong)

    @property
    def verdict(self) -> str:
        """The verdict, and what decides it, for people."""
        d = self.decision
        if isinstance(d, Exchange):
            return "safe: either order leads to the same state" + (f", for different {d.apart}s" if d.apart else "")
        if isinstance(d, Either):
            return "safe: the proof covers both orders"
        if isinstance(d, Choice):
            return f"safe: proved for {', '.join(d.options)}"
        if isinstance(d, Altered):
            return f"safe: proved anew, as {d.name}"
        return f"unsafe: {', '.join(d.cases)}"
