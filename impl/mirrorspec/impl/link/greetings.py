"""What the two ends of a connection say to each other about the connection itself."""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.impl.core.options import UnitShape


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first frame between parties, in both directions: who speaks, to whom, and how it understands the installation."""

    sender: str
    to: str
    units: tuple[UnitShape, ...]


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing to say, but still there."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The last frame: why this end closes the connection, in words for a person."""

    reason: str
