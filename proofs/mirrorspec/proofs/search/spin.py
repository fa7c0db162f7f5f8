"""SPIN beside our own search: an engine of another house must find the same number of states in the same model.

It is optional: `available` says whether SPIN and a C compiler are there. `run` works in a temporary folder and believes
nothing but a complete search: a refusal still prints a summary, so that "states, stored" has to be above 0.
"""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from mirrorspec.spec.errors import MissingToolError
from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.promela import emit
from mirrorspec.spec.universe import Universe

PROGRAMS = ("spin", "gcc")
COMPILE = ("gcc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c")
"""Neither liveness nor partial order reduction: every state is stored, as ours are."""


@dataclass(frozen=True, slots=True)
class SpinResult:
    """What SPIN found."""

    states: int
    transitions: int
    """Without the one that SPIN counts for the initial state."""
    seconds: float
    """Of the search alone, as the clock on the wall has it."""
    processor_seconds: float
    violated: bool
    """Whether the asserted property does not hold; then the search was not complete."""


def available() -> bool:
    """Whether SPIN and the C compiler it needs are installed."""
    return all(map(shutil.which, PROGRAMS))


def run(
    model: Model, universe: Universe, *, property: str | None = None, hash_bits: int = 24, depth: int = 1_000_000
) -> SpinResult:
    """Let SPIN search the model as Promela; with *property*, an assertion of it may end the search.

    Raises `MissingToolError` where SPIN is absent, and `RuntimeError` for a search that is not complete.
    """
    if not available():
        raise MissingToolError(f"this needs {' and '.join(PROGRAMS)}, which are not all installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.pml").write_text(emit(model, universe, property=property), encoding="utf-8")
        # -o2 keeps variables that are written only: a part of the state all the same.
        _call(("spin", "-o2", "-a", "model.pml"), folder)
        _call(COMPILE, folder)
        began, processor_began = time.perf_counter(), _processor_seconds()
        said = _call((str(folder / "pan"), f"-m{depth}", f"-w{hash_bits}"), folder)
        seconds, processor_seconds = time.perf_counter() - began, _processor_seconds() - processor_began
    stored = re.search(r"(\d+) states, stored", said)
    transitions = re.search(r"(\d+) transitions", said)
    errors = re.search(r"errors: (\d+)", said)
    violated = "assertion violated" in said
    complete = "max search depth too small" not in said and "Search not completed" not in said
    if not (stored and transitions and errors) or not int(stored[1]) or not (complete or violated):
        raise RuntimeError(f"SPIN did not search to the end:\n{said[:2000]}")
    if int(errors[1]) and not violated:
        raise RuntimeError(f"SPIN found an error of another kind:\n{said[:2000]}")
    return SpinResult(int(stored[1]), int(transitions[1]) - 1, seconds, processor_seconds, violated)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _call(command: tuple[str, ...], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[:1000]}{done.stderr[:1000]}")
    return done.stdout
