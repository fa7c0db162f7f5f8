"""The set-up script on the machines it meets: no Python, an old one, one without ensurepip, a moved or broken .venv.

Each machine is a folder of links that is the whole PATH. The package that is set up is a stand-in which builds itself,
so nothing is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NEEDED = ["cat", "chmod", "cksum", "dirname", "grep", "mkdir", "mktemp", "rm", "sed", "sh", "tail"]

PYPROJECT = """
[build-system]
requires = [REQUIRES]
build-backend = "backend"
backend-path = ["."]
[project]
name = "mirrorspec"
version = "0"
"""
BACKEND = '''
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    """Write the smallest wheel that pip accepts."""
    name = "mirrorspec-0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        info = "mirrorspec-0.dist-info"
        wheel.writestr("standin.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: mirrorspec\\nVersion: 0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
'''

NO_ENSUREPIP = f"""#!/bin/sh
case "$*" in
    *_base_executable*) echo "$0"; exit ;;
    "-m venv .venv") mkdir -p .venv/bin; echo "not created: ensurepip is not available"; exit 1 ;;
    "-m venv --without-pip"*) [ -n "$BROKEN" ] && exit 1 ;;
    "-m pip --python .venv/bin/python install"*) exec .venv/bin/python -m ensurepip ;;
    "-m virtualenv"*) echo "No module named virtualenv"; exit 1 ;;
esac
exec "{sys.executable}" "$@"
"""


class Machine:
    """A clone of the project in a folder with a blank in its name, and a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.clone = folder / "bin", folder / "my clone"
        self.bin.mkdir()
        (self.clone / "tools").mkdir(parents=True)
        for name in NEEDED:
            found = shutil.which(name)
            assert found, name
            (self.bin / name).symlink_to(found)
        shutil.copy(ROOT / "tools" / "setup.sh", self.clone / "tools")
        self.declare("")
        (self.clone / "backend.py").write_text(BACKEND)

    def declare(self, requires: str, more: str = "") -> None:
        """Write the stand-in's declaration, whose build needs *requires*."""
        (self.clone / "pyproject.toml").write_text(PYPROJECT.replace("REQUIRES", requires) + more)

    def program(self, name: str, text: str) -> None:
        """Put a shell program on this machine's PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def real_python(self, name: str) -> None:
        """Put the Python that runs this test on this machine's PATH as *name*."""
        self.program(name, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')

    def setup(self, extra: str = "test", **environment: str) -> tuple[int, str]:
        """Run the script; its exit code and what it said."""
        done = subprocess.run(
            ["sh", "tools/setup.sh", extra],
            cwd=self.clone,
            env={"PATH": str(self.bin), "HOME": str(self.clone), "PIP_CONFIG_FILE": os.devnull, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr + done.stdout

    def works(self) -> bool:
        """Does .venv hold the package?"""
        python = self.clone / ".venv" / "bin" / "python"
        return subprocess.run([python, "-c", "import standin"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without any Python yet."""
    return Machine(tmp_path)


def test_no_python_at_all(machine: Machine) -> None:
    code, said = machine.setup()
    assert code == 1
    assert "Python 3.11 or newer is needed; here there is: no python3 that runs." in said
    assert not (machine.clone / ".venv").exists()


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.program("python3", '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.6 && exit\nexit 1\n')
    code, said = machine.setup()
    assert code == 1
    assert "here there is: Python 3.9.6." in said


def test_a_named_python_that_does_not_run(machine: Machine) -> None:
    machine.real_python("python3")
    code, said = machine.setup(PYTHON="/no/such/python")
    assert code == 1
    assert "PYTHON=/no/such/python does not run" in said


def test_from_nothing_and_again_and_after_every_kind_of_harm(machine: Machine, tmp_path: Path) -> None:
    machine.program("python3", "#!/bin/sh\nexit 127\n")  # a shim: found, but it refuses to run
    machine.program("uv", "#!/bin/sh\necho 'error: no route'\nexit 2\n")  # pip has to do the work
    machine.real_python("python3.12")
    half = machine.clone / ".venv" / "bin"
    half.mkdir(parents=True)

    assert machine.setup()[0] == 0, "a half-made .venv"
    assert machine.works()
    assert machine.setup() == (0, ""), "a second run has nothing to do or to say"
    assert machine.setup(PYTHON=sys.executable) == (0, ""), "the same Python by another name"

    (half / "python").unlink()
    assert machine.setup()[0] == 0, "a .venv whose Python is gone"
    assert machine.works()

    machine.declare("", 'description = "changed"')
    code, said = machine.setup("dev")
    assert (code, "installing mirrorspec[dev]" in said) == (0, True), "a changed declaration"
    assert machine.setup("test") == (0, ""), "dev holds test"

    machine.clone = machine.clone.rename(tmp_path / "moved")
    code, said = machine.setup()
    assert (code, "installing" in said) == (0, True), "a moved clone"
    assert machine.works()


def test_debian_without_ensurepip_uses_its_pip(machine: Machine) -> None:
    machine.program("python3", NO_ENSUREPIP)
    code, said = machine.setup(BROKEN="")
    assert code == 0, said
    assert machine.works()


def test_debian_without_ensurepip_and_without_pip_is_told_what_to_install(machine: Machine) -> None:
    machine.program("python3", NO_ENSUREPIP)
    code, said = machine.setup(BROKEN="1")
    assert code == 1
    assert "apt install python3-venv" in said
    assert not (machine.clone / ".venv").exists()


def test_no_network_is_said_plainly(machine: Machine) -> None:
    machine.real_python("python3")
    machine.declare('"hatchling"')
    code, said = machine.setup(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    assert code == 1
    assert "the packages could not be fetched" in said
    assert "PIP_INDEX_URL" in said
    assert "Traceback" not in said
    machine.declare("")
    assert machine.setup()[0] == 0, "and again, once it is mended"
