"""The words that every engine ends in, and the exit code that each word becomes.

A verdict is a claim, so each word is exact: *proved* is said only of all sizes, *exhausted* only together with the
bound that was searched to its end, *nothing found* only of samples. Whoever prints a verdict states its bound beside it.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """What an engine may claim."""

    PROVED = "proved"
    """No violation at any size."""
    EXHAUSTED = "exhausted"
    """No violation up to a stated bound, all of which was looked at."""
    NOTHING_FOUND = "nothing found"
    """No violation among the samples taken."""
    VIOLATED = "violated"
    """A counterexample exists and is given."""
    INCONCLUSIVE = "inconclusive"
    """The question could not be answered; the reason is given."""

    @property
    def exit_code(self) -> Exit:
        """The process exit code for a run that ends in this verdict."""
        if self is Verdict.VIOLATED:
            return Exit.VIOLATED
        if self is Verdict.INCONCLUSIVE:
            return Exit.INCONCLUSIVE
        return Exit.OK


class Exit(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    """No violation, as asked."""
    VIOLATED = 1
    """Violated, or not conforming."""
    USAGE = 2
    """Wrong options or input that cannot be read."""
    INCONCLUSIVE = 3
    """No answer: something needed is absent, or the question is unsound."""
    INTERNAL = 4
    """An error of this program."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C."""
