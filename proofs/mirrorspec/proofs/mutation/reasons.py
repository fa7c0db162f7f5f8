"""Why a mutant that breaks nothing breaks nothing: one sentence each, by ``step.part``."""

from __future__ import annotations

REASONS: dict[str, str] = {}

GHOST = "no step and no promise reads this field: it is there for the proof, and for whoever reads a trace"
"""Of a change of a ghost field: the protocol is the same without it, and only the proof would lose sight of something."""
