"""Names from outside, as they are put into text: never too many, and never with a character that a terminal obeys."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 10
"""How many of a list are named; all are counted."""


MOST_CHARACTERS = 60
"""How much is shown of a text from outside."""


def shortened(text: str) -> str:
    """The beginning of *text*."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."


def enumerated(names: Sequence[str]) -> str:
    """The first `MOST` of *names* and how many more there are."""
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" … and {more} more" if more > 0 else "")


def escaped(text: str, encoding: str = "utf-8") -> str:
    """*text* with every character escaped that cannot be printed, or not in *encoding*: one line, whatever it holds."""
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return printable.encode(encoding, "backslashreplace").decode(encoding)
