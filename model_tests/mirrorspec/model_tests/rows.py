"""What a check of the main job yields: rows, each one question with the answer expected and the answer got.

A check that needs what is not installed yields one row that says so, and the job goes on with the others. What the project
needs (`NEEDED`) makes the job *inconclusive* by its absence; what is a second opinion is *left out*, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import cast

LEFT_OUT = "LEFT OUT"
ABSENT = "NOT INSTALLED"
NEEDED = {"z3": "z3-solver"}
"""Python packages that only some checks need, by the name that they are imported under; each with its distribution."""

Report = Callable[[str], None]
"""What a check calls with one line whenever it has come further."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question, the answer that is right, and the answer that was got."""

    check: str
    subject: str
    expected: str
    got: str
    figures: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the answer is the expected one, or was left out by name."""
        return self.got in (self.expected, LEFT_OUT)

    @property
    def absent(self) -> bool:
        """Whether there is no answer, since what it takes is not installed."""
        return self.got == ABSENT


Check = Callable[[bool, Report], Iterator[Row]]
"""Called with whether the full job is wanted, and with what reports progress."""


def needing(package: str, module: str, name: str) -> Check:
    """The check *name* of *module* (of `mirrorspec.model_tests`), imported when it is run, if *package* is installed."""

    def check(full: bool, report: Report) -> Iterator[Row]:
        if not installed(package):
            figures = f"needs the Python package {NEEDED[package]}, which is not installed"
            yield Row(name, "everything", "checked", ABSENT, figures, 0.0)
            return
        made = getattr(import_module(f"mirrorspec.model_tests.{module}"), name)
        yield from cast(Check, made)(full, report)

    check.__name__ = name
    return check


def installed(package: str) -> bool:
    """Whether a Python package can be imported; nothing is."""
    try:
        return find_spec(package) is not None
    except ValueError:  # it was made unimportable in this process
        return False
