"""Imports run one way: the rule in `pyproject.toml` holds here, and is seen to fail where it is broken.

The second half matters: over a namespace package on several roots a linter can easily look at nothing and pass.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOTS = ["spec", "proofs", "impl", "oracle", "model_tests"]
FOLDERS = {
    "spec": "spec/mirrorspec/spec",
    "proofs": "proofs/mirrorspec/proofs",
    "impl": "impl/mirrorspec/impl",
    "oracle": "oracle/mirrorspec/oracle",
    "model_tests": "model_tests/mirrorspec/model_tests",
    "cli": "oracle/mirrorspec/cli",
}


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on *tree*, whose own modules come before the installed ones."""
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as go; go()", "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(tree / root) for root in ROOTS)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """A tree of the same shape with empty portions under the same rule."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in FOLDERS.values():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    return tmp_path


def test_this_tree_obeys() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_the_namespace_has_no_init_file() -> None:
    assert [root for root in ROOTS if (ROOT / root / "mirrorspec" / "__init__.py").exists()] == []


def test_what_is_allowed_passes(skeleton: Path) -> None:
    for portion in ("proofs", "impl", "oracle"):
        (skeleton / FOLDERS[portion] / "user.py").write_text("import mirrorspec.spec\n")
    (skeleton / FOLDERS["cli"] / "user.py").write_text(
        "import mirrorspec.proofs, mirrorspec.impl, mirrorspec.model_tests"
    )
    done = lint(skeleton)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("portion", "imported"),
    [
        ("spec", "mirrorspec.oracle"),
        ("spec", "click"),
        ("impl", "mirrorspec.proofs"),
        ("oracle", "mirrorspec.impl"),
        ("proofs", "mirrorspec.model_tests"),
        ("model_tests", "mirrorspec.cli"),
    ],
)
def test_what_is_forbidden_fails_even_inside_a_function(skeleton: Path, portion: str, imported: str) -> None:
    (skeleton / FOLDERS[portion] / "culprit.py").write_text(f"def late():\n    import {imported}\n")
    done = lint(skeleton)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"mirrorspec.{portion}.culprit -> {imported}" in done.stdout.replace("\n", " ")
