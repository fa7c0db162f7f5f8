"""Input that cannot be used: one line that says what, where, and what would be right. The command line exits with 2."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NAMES = 8
"""So many names still make a line that is read."""


class BadInputError(Exception):
    """Input from outside that cannot be used; its text is the one line the user sees."""


class MissingToolError(Exception):
    """Something the question needs is not installed; the command line exits with 3."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> BadInputError:
    """The error for a *name* that no *kind* has, listing the near ones; where none is near, all or the first of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.5) or names
    if len(near) > MOST_NAMES:
        listed = ", ".join(near[:MOST_NAMES])
        return BadInputError(f"unknown {kind} {name!r}: there are {listed} and {len(near) - MOST_NAMES} more")
    return BadInputError(f"unknown {kind} {name!r}: did you mean {' or '.join(near)}?")
