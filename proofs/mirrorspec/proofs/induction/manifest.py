"""The list of what was exported: every file with its hash and the answer that a solver should give, for others to check."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from mirrorspec.proofs.induction.prover import Line
from mirrorspec.proofs.induction.smtlib import STATUS

MANIFEST = "manifest.json"


def manifest(folder: Path, lines: Iterable[Line]) -> dict[str, object]:
    """The list for a folder that the lines were exported to."""
    return {
        "format": 1,
        "logic": "UF",
        "files": [
            {
                "file": f"{line.file}.smt2",
                "sha256": _hash(folder / f"{line.file}.smt2"),
                "expected": STATUS[line.first],
                "obligation": line.name,
                "cases": list(line.cases),
                **_proof(folder, line),
            }
            for line in lines
        ],
    }


def _proof(folder: Path, line: Line) -> dict[str, object]:
    if line.second is None or not line.second.steps:
        return {}
    name = f"{line.file}.cpc"
    return {
        "proof": name,
        "proof_sha256": _hash(folder / name),
        "proof_steps": line.second.steps,
        "proof_holes": line.second.holes,
    }


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
