"""What a search answers, and what it says while it is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mirrorspec.spec.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come."""

    states: int
    frontier: int
    """States found whose steps have not been taken yet."""
    depth: int
    seconds: float
    bytes: int
    """What the stored states take, their index included."""
    doing: str = "searching"
    """Or compiling, or tracing: what takes the time just now."""

    def states_a_second(self) -> float:
        """The rate so far."""
        return self.states / self.seconds if self.seconds else 0.0


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The verdict of an exhaustive search, and how much was searched."""

    verdict: Verdict
    """EXHAUSTED, VIOLATED, or INCONCLUSIVE when a limit was reached."""
    states: int
    """Different states stored; with symmetry, one for all that are images of one another."""
    transitions: int
    depth: int
    """The number of steps in which every stored state can be reached; on violation, the length of the trace."""
    seconds: float
    """Of search; `compile_seconds` not included."""
    bytes_a_state: float
    """Keys and index together."""
    property: str | None
    """The property that is violated."""
    labels: tuple[str, ...]
    """The events that lead to the violation, by their labels: no trace is shorter."""
    fired: dict[str, int]
    """How often each step was taken."""
    sometimes: dict[str, bool]
    """Whether each SOMETIMES property was seen to hold."""
    engine: str
    """`batch` or `compiled`."""
    symmetry: bool
    reason: str
    """Why the search is inconclusive, and what limit would do; else what was searched."""
    compile_seconds: float = 0.0
    processor_seconds: float = 0.0
    """Of search, of all threads together: what a machine that does other work too can still compare."""
    threads: int = 1
    """How many took part: with two, one expands while the other stores."""

    def states_a_second(self) -> float:
        """States stored a second."""
        return self.states / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a search stops: a stored state that breaks a property, or a step from it that does."""

    property: str
    row: int
    """The state's place in the store."""
    event: int | None
    """For a property of steps, the index of the event that breaks it."""
