"""Input that cannot be used: one line that says what, where, and what would be right. The command line exits with 2."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class BadInputError(Exception):
    """Input from outside that cannot be used; its text is the one line the user sees."""


class MissingToolError(Exception):
    """Something the question needs is not installed; the command line exits with 3."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> BadInputError:
    """The error for a *name* that no *kind* has, listing the near ones (all, where none is near)."""
    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.5) or names
    return BadInputError(f"unknown {kind} {name!r}: did you mean {' or '.join(near)}?")
