"""Faulty controllers: each is the reference controller with one function replaced, and each must be caught.

A deviation of the specification that makes sense in code is here under the same name. `writes`, `increments`, `secondaries` and
`sessions` hold the faults, `catching` tries each in the simulation, once with the specification beside it and once with the
judge of images alone, and says after how many runs it was caught.
"""

from __future__ import annotations

from mirrorspec.model_tests.faulty import increments, secondaries, sessions, writes
from mirrorspec.model_tests.faulty.controller import FAULTY, Faulty

__all__ = ["FAULTY", "Faulty", "increments", "secondaries", "sessions", "writes"]
