"""Every state that can be reached, breadth first, with the way to it: for machines of any kind, on small bounds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

S = TypeVar("S", bound=Hashable)

View = tuple[Any, ...]
"""A state of a model: the value of each field, in the order of the model."""


def reached(
    start: S, moves: Callable[[S], Iterator[tuple[str, S]]], most: int | None = None
) -> dict[S, tuple[S, str] | None]:
    """Every state that can be reached from *start*, or no new ones after the level in which there are *most*.

    With each state comes the one from which it was reached first, and how.
    """
    came: dict[S, tuple[S, str] | None] = {start: None}
    level = [start]
    while level and (most is None or len(came) < most):
        following = []
        for s in level:
            for label, after in moves(s):
                if after not in came:
                    came[after] = s, label
                    following.append(after)
        level = following
    return came


def way(came: Mapping[S, tuple[S, str] | None], s: S) -> tuple[str, ...]:
    """The labels that lead from the start to a state."""
    labels: list[str] = []
    while step := came[s]:
        s, label = step
        labels.append(label)
    return tuple(labels[::-1])


def changed(view: View, changes: Any) -> View:
    """The view with the values at some places exchanged."""
    values = list(view)
    for place, value in changes:
        values[place] = value
    return tuple(values)
