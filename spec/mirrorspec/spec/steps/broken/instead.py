"""How a step is done wrong: the right one, with some of its guards and changes computed from its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, Step
from mirrorspec.spec.terms import TRUE, SetTerm, Truth


def instead(
    right: Step,
    meaning: str,
    guards: dict[str, Callable[..., Truth]] | None = None,
    /,
    **changed: Callable[..., SetTerm],
) -> Step:
    """The step *right* with other *guards* and *changed* fields; a guard that it does not have is added.

    Each is a function of the state, the things that the step is about, and the right guard or change.
    """

    def text(s: State, *things: Any) -> tuple[Guards, Changes]:
        own, changes = right.function(s, *things)
        *about, _ = things
        for guard, wrong in (guards or {}).items():
            own[guard] = wrong(s, *about, own.get(guard, TRUE))
        for field, other in changed.items():
            changes[field] = other(s, *about, changes.get(field, getattr(s, field)))
        return own, changes

    text.__doc__ = meaning
    return replace(right, function=text)
