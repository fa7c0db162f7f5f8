"""However a verb ends, the user gets the exit code of the table and plain words; nothing heavy is imported for help.

The verbs here are stand-ins: what the real ones decide is tested elsewhere, how they end is the same for all.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mirrorspec.cli import main as cli
from mirrorspec.spec.errors import unknown_name

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

def prints(bound):
    from mirrorspec.cli.output import console
    for _ in range(10_000):
        console().print("word " * 20)

def accent(bound):
    from mirrorspec.cli.output import console, write_json
    console().print("caf\\xe9 \\u2192")
    write_json("-", {"caf\\xe9": "\\udc80"})

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
verb("prints", prints)
verb("accent", accent)
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


def environment_here() -> dict[str, str]:
    """The environment in which a child finds the package where this process does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def real(*args: str, stdout: int = subprocess.DEVNULL) -> tuple[int, str]:
    """The exit code and standard error of a real verb that writes to the descriptor *stdout*."""
    done = subprocess.run(
        [sys.executable, "-m", "mirrorspec.cli", *args],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=environment_here(),
        check=False,
    )
    return done.returncode, done.stderr


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


@pytest.mark.parametrize("verb", ["talks", "prints"])
def test_a_closed_pipe_is_quiet_and_no_verdict(verb: str) -> None:
    with start(verb) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == cli.PIPE_CLOSED


@pytest.mark.parametrize(
    "args",
    [
        ["list", "steps"],
        ["check", "--bounds", "1u1t2w", "--configuration", "seed", "--environment", "reliable"],
        ["check", "--emit", "promela", "--bounds", "1u1t2w"],
        ["prove", "--configuration", "seed"],
        ["--help"],
    ],
)
def test_no_verb_takes_a_closed_pipe_for_a_verdict(args: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    assert real(*args, stdout=write) == (cli.PIPE_CLOSED, "")
    os.close(write)


@pytest.mark.parametrize("args", [["list", "steps"], ["list", "steps", "--json", "-"], ["--help"]])
def test_a_full_standard_output_is_one_line(args: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        assert real(*args, stdout=full.fileno()) == (
            2,
            "mirrorspec: cannot write standard output: No space left on device\n",
        )


def test_a_full_device_for_the_json_is_one_line() -> None:
    assert real("list", "steps", "--json", "/dev/full") == (
        2,
        "mirrorspec: cannot write /dev/full: No space left on device\n",
    )


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("list steps >&-", "mirrorspec: cannot write standard output: it is closed\n"),
        ("decide - <&-", "mirrorspec: standard input is closed\n"),
    ],
)
def test_a_closed_standard_stream_is_one_line(command: str, line: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m mirrorspec.cli {command}', sys.executable],
        stderr=subprocess.PIPE,
        text=True,
        env=environment_here(),
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, line)


def test_json_to_the_name_of_standard_output_goes_through_a_pipe() -> None:
    for name in ("/dev/stdout", "/dev/fd/1"):
        done = subprocess.run(
            [sys.executable, "-m", "mirrorspec.cli", "list", "bounds", "--json", name],
            capture_output=True,
            text=True,
            env=environment_here(),
            check=True,
        )
        assert json.JSONDecoder().raw_decode(done.stdout)[0]


def test_what_the_encoding_cannot_carry_is_escaped() -> None:
    code, out, err = end("accent", PYTHONIOENCODING="ascii")
    assert (code, err) == (0, "")
    text, _, written = out.partition("\n")
    assert text == "caf\\xe9 \\u2192"
    assert json.loads(written) == {"café": "\udc80"}


@pytest.mark.parametrize("args", [["plain", "--bond", "3"], ["plain", "surplus"], ["zzz"]])
def test_wrong_usage_is_one_line(args: list[str]) -> None:
    _, _, err = end(*args)
    assert err.startswith("mirrorspec plain: " if args[0] == "plain" else "mirrorspec: ")
    assert err.count("\n") == 1


def test_a_request_to_end_is_heeded_in_order() -> None:
    with start("waits") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "mirrorspec: terminated: nothing is claimed\n")


def test_an_unknown_name_lists_some_and_counts_the_rest() -> None:
    many = str(unknown_name("step", "???", [f"step_{n:02}" for n in range(50)]))
    assert many == f"unknown step '???': there are {', '.join(f'step_{n:02}' for n in range(8))} and 42 more"
    assert str(unknown_name("engine", "???", ["a", "b"])) == "unknown engine '???': did you mean a or b?"


def test_too_little_address_space_is_no_fault_of_ours() -> None:
    done = subprocess.run(
        ["sh", "-c", 'ulimit -v 3000000; "$0" -m mirrorspec.cli check --bounds 1u1t2w -q', sys.executable],
        capture_output=True,
        text=True,
        env=environment_here(),
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    assert done.stderr.count("\n") == (done.returncode == 3)


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
