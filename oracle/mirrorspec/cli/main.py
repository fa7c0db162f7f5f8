"""`mirrorspec`: finds the verb, runs it, and turns however it ended into an exit code and at most a few plain lines.

A verb is a module of this package that exposes a click command called `command`. What the command returns is the exit
code: a `Verdict`, an `Exit`, a number, or nothing for 0. A verb raises `BadInputError` for input that cannot be used
and `MissingToolError` for what is not installed; it prints neither, and never calls `sys.exit`.

Rule: importing this module, `--help`, `--version` and a mistyped verb import nothing heavy. A verb's module is imported
when that verb is run or its own help is asked for.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO, cast

import click
from click.shell_completion import shell_complete

from mirrorspec.spec.errors import BadInputError, MissingToolError
from mirrorspec.spec.verdict import Exit, Verdict

PROGRAM = "mirrorspec"

PIPE_CLOSED = 128 + 13
"""What a shell shows for a program whose reader went away: no verdict may be read from it, so it is none of `Exit`."""

VERBS: dict[str, tuple[str, str]] = {
    # verb: (module in this package, help line); in the order of the help, the main job first
    "verify": ("verify", "The main job: every engine on the protocol and recorded histories."),
    "check": ("check", "Search every state within named bounds; --deviate breaks one thing first."),
    "prove": ("prove", "Prove the protocol for every size by induction."),
    "mutate": ("mutate", "Drop every guard and every effect in turn: is it noticed?"),
    "simulate": ("simulate", "Run the reference controller under seeded faults."),
    "serve": ("serve", "Run the reference controller for real."),
    "status": ("status", "Show what a running reference controller is doing."),
    "recover": ("recover", "Recover a running reference controller's secondary site."),
    "cut": ("cut", "Is a recovered image a consistent cut of a recorded history?"),
    "trace": ("trace", "Does a log follow the specification?"),
    "drive": ("drive", "Drive another implementation and judge it."),
    "decide": ("decide", "The recovery decision table, for given rows."),
    "explore": ("explore", "Look at a counterexample step by step."),
    "list": ("listing", "Name the steps, properties, deviations, bounds or clauses."),
}


class Verbs(click.Group):
    """The verbs of `VERBS` whose module is there, each imported only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs there are, in the order of the table."""
        return [verb for verb, (module, _) in VERBS.items() if find_spec(f"mirrorspec.cli.{module}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's own command, imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"mirrorspec.cli.{VERBS[cmd_name][0]}")
        return cast(click.Command, module.command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb *args* begin with; for an unknown one an error that names the near ones, or all."""
        verbs = self.list_commands(ctx)
        verb = args[0]
        if verb not in verbs and not verb.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(verb, verbs, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(verbs)}."
            raise click.UsageError(f"No such verb {verb!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with their help lines, from the table: the modules stay unimported."""
        if lines := [(verb, VERBS[verb][1]) for verb in self.list_commands(ctx)]:
            with formatter.section("Verbs"):
                formatter.write_dl(lines)


@click.command(
    cls=Verbs,
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit codes: 0 no violation, 1 violated, 2 usage or unreadable input, 3 inconclusive, "
    "4 internal error, 130 interrupted.",
)
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """A consistency group protocol, written once: run it, search it, prove it, and judge others by it."""


class CannotWriteError(OSError):
    """Standard output or standard error does not take what is written to it, for another reason than a closed pipe."""


class TerminatedError(KeyboardInterrupt):
    """The process was asked to end by a signal; like Ctrl-C it passes every `except Exception`."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


class _Stream(io.TextIOWrapper):
    """A standard stream that escapes what its encoding cannot carry, and says of an error that it was its own."""

    def __init__(self, stream: TextIO, called: str) -> None:
        lines = stream.isatty() or called == "standard error"
        encoding = stream.encoding
        super().__init__(cast(io.TextIOWrapper, stream).detach(), encoding, "backslashreplace", line_buffering=lines)
        self.called = called

    def write(self, text: str, /) -> int:
        """Write *text*; an error but a closed pipe becomes `CannotWriteError`."""
        with self._telling():
            return super().write(text)

    def flush(self) -> None:
        """Flush; an error but a closed pipe becomes `CannotWriteError`."""
        with self._telling():
            super().flush()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CannotWriteError(error.errno, f"cannot write {self.called}: {error.strerror}") from error


def main(args: Sequence[str] | None = None) -> NoReturn:
    """The entry point: run *args* (by default the process's own) and exit."""
    _end_in_order()
    if not _open_streams():
        sys.exit(_say("cannot write standard output: it is closed", Exit.USAGE))
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: Sequence[str]) -> int:
    """Run the command line *args* and return its exit code; whatever goes wrong is said on standard error."""
    try:
        return _run(args)
    except BrokenPipeError:
        _discard_what_is_left()
        return PIPE_CLOSED
    except CannotWriteError as error:
        with suppress(OSError):
            _say(str(error.strerror), Exit.USAGE)
        _discard_what_is_left()
        return Exit.USAGE


def _run(args: Sequence[str]) -> int:
    try:
        code = _invoke(list(args))
        sys.stdout.flush()
        return code
    except (BrokenPipeError, CannotWriteError):
        raise
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else PROGRAM
        return _say(" ".join(error.format_message().split()), Exit.USAGE, where)
    except click.ClickException as error:
        return _say(error.format_message(), Exit.USAGE)
    except BadInputError as error:
        return _say(str(error), Exit.USAGE)
    except MissingToolError as error:
        return _say(str(error), Exit.INCONCLUSIVE)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == PROGRAM:
            return _internal(error)
        return _say(f"this needs the Python package {error.name!r}, which is not installed", Exit.INCONCLUSIVE)
    except MemoryError:
        return _out_of_memory()
    except TerminatedError as error:
        _say("terminated: nothing is claimed", Exit.INTERRUPTED)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted: nothing is claimed", Exit.INTERRUPTED)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return _out_of_memory()
        return _internal(error)


def _out_of_memory() -> Exit:
    return _say("out of memory: nothing is claimed; smaller bounds may fit", Exit.INCONCLUSIVE)


def _open_streams() -> bool:
    """Make the standard streams fit to be written to whatever is said; False where there is no standard output.

    What the encoding cannot carry is escaped, an error is told apart from those of other files, and a closed standard
    error swallows what it is given.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (open until the process ends)
    if sys.stdout is None:
        return False
    sys.stdout, sys.stderr = _Stream(sys.stdout, "standard output"), _Stream(sys.stderr, "standard error")
    return True


def _discard_what_is_left() -> None:
    """What is still buffered can go nowhere; without this the interpreter complains about it when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _invoke(args: list[str]) -> int:
    """Let click parse *args* and run the verb, but not by `cli.main`: on a closed pipe it exits with 1, *violated*."""
    completion = os.environ.get("_MIRRORSPEC_COMPLETE")
    if completion:
        return shell_complete(cli, {}, PROGRAM, "_MIRRORSPEC_COMPLETE", completion)
    try:
        with cli.make_context(PROGRAM, args) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as finished:
        return finished.exit_code
    if isinstance(result, Verdict):
        return result.exit_code
    return Exit.OK if result is None else int(result)


def _say(line: str, code: Exit, where: str = PROGRAM) -> Exit:
    """Print *line* on standard error under the program's name and return *code*."""
    click.echo(f"{where}: {line}", err=True)
    return code


def _internal(error: Exception) -> Exit:
    """Say plainly that this program is at fault; the traceback goes to a file, or is shown when debugging."""
    text = "".join(traceback.format_exception(error))
    what = f"internal error: {type(error).__name__}: {error}"
    if os.environ.get("MIRRORSPEC_DEBUG") == "1":
        return _say(f"{what}\n{text.rstrip()}", Exit.INTERNAL)
    try:
        with tempfile.NamedTemporaryFile("w", prefix=f"{PROGRAM}-", suffix=".txt", delete=False) as file:
            file.write(f"Python {sys.version}\n{sys.argv}\n{text}")
        where = f"The traceback is in {file.name}: please report it together with the command you gave."
    except OSError:
        where = "Run again with MIRRORSPEC_DEBUG=1 and please report what it prints."
    return _say(f"{what}\nThis is a fault of {PROGRAM}, not of your input. Nothing is claimed.\n{where}", Exit.INTERNAL)


def _end_in_order() -> None:
    """Let the first Ctrl-C or request to end finish the run in order, and the second one kill it at once."""
    owner = os.getpid()

    def first(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != owner:
            os._exit(128 + number)  # a forked worker, whose parent says what there is to say
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt if number == signal.SIGINT else TerminatedError(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell's background job ignores the terminal
            signal.signal(number, first)
