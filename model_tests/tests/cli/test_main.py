"""However a verb ends, the user gets the exit code of the table and plain words; nothing heavy is imported for help.

The verbs here are stand-ins: what the real ones decide is tested elsewhere, how they end is the same for all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mirrorspec.cli import main as cli

STANDINS = """
import sys, time, types
from importlib.machinery import ModuleSpec
import click
from mirrorspec.cli import main
from mirrorspec.spec.errors import BadInputError, MissingToolError
from mirrorspec.spec.verdict import Exit, Verdict

def verb(name, body):
    module = types.ModuleType(f"mirrorspec.cli.{name}")
    module.__spec__ = ModuleSpec(module.__name__, None)
    module.command = click.command(name)(click.option("--bound", type=int)(body))
    sys.modules[module.__name__] = module
    main.VERBS[name] = (name, f"Ends in one way: {name}.")

def fails(error):
    def body(bound):
        raise error
    return body

def waits(bound):
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        if bound is None:
            raise
        print("still here", flush=True)
        time.sleep(60)

def talks(bound):
    for _ in range(100_000):
        click.echo("word")

main.VERBS.clear()
verb("plain", lambda bound: None)
verb("proved", lambda bound: Verdict.PROVED)
verb("violated", lambda bound: Verdict.VIOLATED)
verb("inconclusive", lambda bound: Verdict.INCONCLUSIVE)
verb("usage", lambda bound: Exit.USAGE)
verb("number", lambda bound: 1)
verb("bad", fails(BadInputError("line 3 of x.json: no field 'step'")))
verb("missing", fails(MissingToolError("spin is not installed")))
verb("module", fails(ModuleNotFoundError("No module named 'numba'", name="numba")))
verb("own", fails(ModuleNotFoundError("No module named 'mirrorspec.gone'", name="mirrorspec.gone")))
verb("memory", fails(MemoryError()))
verb("broken", fails(ZeroDivisionError("bang")))
verb("waits", waits)
verb("talks", talks)
main.main()
"""


def start(*args: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command line with the stand-in verbs."""
    return subprocess.Popen(
        [sys.executable, "-c", STANDINS, *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **environment},
    )


def end(*args: str, **environment: str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of one whole run."""
    with start(*args, **environment) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("verb", "code"),
    [("plain", 0), ("proved", 0), ("violated", 1), ("inconclusive", 3), ("usage", 2), ("number", 1)],
)
def test_what_a_verb_returns_is_the_exit_code(verb: str, code: int) -> None:
    assert end(verb) == (code, "", "")


@pytest.mark.parametrize(
    ("verb", "code", "line"),
    [
        ("bad", 2, "mirrorspec: line 3 of x.json: no field 'step'\n"),
        ("missing", 3, "mirrorspec: spin is not installed\n"),
        ("module", 3, "mirrorspec: this needs the Python package 'numba', which is not installed\n"),
        ("memory", 3, "mirrorspec: out of memory: nothing is claimed; smaller bounds may fit\n"),
    ],
)
def test_an_expected_error_is_one_line(verb: str, code: int, line: str) -> None:
    assert end(verb) == (code, "", line)


@pytest.mark.parametrize("verb", ["broken", "own"])
def test_a_fault_of_ours_is_4_and_leaves_the_traceback_in_a_file(verb: str, tmp_path: Path) -> None:
    code, out, err = end(verb, TMPDIR=str(tmp_path), MIRRORSPEC_DEBUG="0")
    assert (code, out) == (4, "")
    assert "Traceback" not in err
    (file,) = tmp_path.iterdir()
    assert str(file) in err
    assert "Traceback" in file.read_text()


def test_debugging_shows_the_traceback_at_once() -> None:
    code, _, err = end("broken", MIRRORSPEC_DEBUG="1")
    assert code == 4
    assert "ZeroDivisionError: bang" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["viloated"], "Did you mean violated?"),
        (["zzz"], "There are: plain, proved,"),
        (["plain", "--bond", "3"], "--bound"),
        (["plain", "--bound", "three"], "'three' is not a valid integer"),
        (["plain", "surplus"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_2_and_names_what_is_near(args: list[str], hint: str) -> None:
    code, out, err = end(*args)
    assert (code, out) == (2, "")
    assert hint in err


def test_no_verb_at_all_prints_the_help() -> None:
    code, _, err = end()
    assert code == 2
    assert "Ends in one way: proved." in err


def test_version() -> None:
    code, out, _ = end("--version")
    assert code == 0
    assert out.startswith("mirrorspec ")


def test_the_first_interrupt_ends_in_order() -> None:
    with start("waits") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "mirrorspec: interrupted: nothing is claimed\n"


def test_the_second_interrupt_kills_at_once() -> None:
    with start("waits", "--bound", "1") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "still here\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT


def test_a_closed_pipe_is_quiet_and_no_verdict() -> None:
    with start("talks") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == cli.PIPE_CLOSED


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['mirrorspec', '--help']\n"
        "from mirrorspec.cli.main import run\n"
        "assert run(['--help']) == 0 and run(['--version']) == 0 and run(['no-such-verb']) == 2\n"
        "heavy = {'numpy', 'z3', 'numba', 'rich', 'statemachine', 'hypothesis', 'crosshair', 'cvc5'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_verb_that_is_there_has_a_command() -> None:
    context = cli.cli.make_context("mirrorspec", [], resilient_parsing=True)
    assert isinstance(cli.cli, cli.Verbs)
    for verb in cli.cli.list_commands(context):
        command = cli.cli.get_command(context, verb)
        assert command is not None
        assert command.help, f"{verb} does not say what it does"
