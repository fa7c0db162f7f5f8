"""What every verb prints with: a result as JSON, a table, a live line on long work.

Rules: results go to standard output, what only passes the time goes to standard error. On a terminal there may be
colour and a line that changes; piped, or with `NO_COLOR`, everything is plain text that `grep` can read. A JSON file is
there whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

import click

from mirrorspec.spec.errors import BadInputError

if TYPE_CHECKING:
    from rich.console import Console

PROGRAM = "mirrorspec"

PLAIN_PERIOD = 10.0
"""Seconds between two progress lines when nobody watches a terminal."""
LIVE_PERIOD = 0.1
"""Seconds between two changes of the live line; more often than that no one can read."""


def json_target(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """As the callback of an option: refuse what cannot be written before the work begins, not after ten minutes of it."""
    if value is not None:
        _check_target(value)
    return value


json_option = click.option(
    "--json",
    "json_path",
    metavar="FILE",
    callback=json_target,
    help="Write the result as JSON; - is standard output, and the text then goes to standard error.",
)
"""The `--json FILE` of every verb; the command receives `json_path: str | None`."""

quiet_option = click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
"""The `--quiet` of every verb with long work; the command receives `quiet: bool`."""


def write_json(path: str | os.PathLike[str], data: object) -> None:
    """Write *data* to *path* as JSON, whole or not at all; `-` is standard output."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if not _can_carry(sys.stdout.encoding if str(path) == "-" else "utf-8", text):
        text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    target = _check_target(path)
    try:
        _write(path, target, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInputError(f"cannot write {path}: {error.strerror}") from error


def _can_carry(encoding: str | None, text: str) -> bool:
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _write(path: str | os.PathLike[str], target: Path, text: str) -> None:
    descriptor = _descriptor(path)
    if descriptor is not None:
        sys.stdout.flush()  # what was printed before stands before
        with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as file:
            file.write(text)
    elif target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")  # a pipe or a device: replacing it would remove it
    else:
        part = target.with_name(f".{PROGRAM}-{os.getpid()}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def _descriptor(path: str | os.PathLike[str]) -> int | None:
    """The open file that *path* is another name of: opening it anew would truncate it, or fail for a pipe."""
    found = re.fullmatch(r"/dev/(std(?:in|out|err))|/(?:dev|proc/self)/fd/(\d{1,9})", str(path))
    if found is None:
        return None
    return int(found[2]) if found[2] else ("stdin", "stdout", "stderr").index(found[1])


def refuse_overwrite(json_path: str | None, inputs: Iterable[str]) -> None:
    """`BadInputError` where the JSON would replace one of *inputs*, by whatever name; `-` is never a file."""
    if json_path is None or json_path == "-":
        return
    try:
        target = Path(json_path).stat()
    except OSError:
        return  # nothing is there that could be lost
    if not stat.S_ISREG(target.st_mode):
        return  # a device or a pipe is written to, not replaced
    for name in inputs:
        try:
            same = name != "-" and os.path.samestat(target, Path(name).stat())
        except OSError:
            continue  # whoever reads the input says what is wrong with it
        if same:
            raise BadInputError(f"cannot write {json_path}: it is the input {name}")


def _check_target(path: str | os.PathLike[str]) -> Path:
    """The file that *path* means, links followed; `BadInputError` where none can be made."""
    if str(path) == "-":
        return Path(path)
    try:
        descriptor = _descriptor(path)
        if descriptor is not None:
            os.fstat(descriptor)
            return Path(path)
        target = Path(path).resolve()
        if target.is_dir():
            raise BadInputError(f"cannot write {path}: it is a folder")
        if not target.parent.is_dir():
            raise BadInputError(f"cannot write {path}: the folder {target.parent} does not exist")
        there = target.exists()
        if there and not os.access(target, os.W_OK):
            raise BadInputError(f"cannot write {path}: permission denied")
        if not (there and not target.is_file()) and not os.access(target.parent, os.W_OK):
            raise BadInputError(f"cannot write {path}: no file can be made in the folder {target.parent}")
    except OSError as error:
        raise BadInputError(f"cannot write {path}: {error.strerror}") from None
    except RuntimeError:
        raise BadInputError(f"cannot write {path}: its links lead in a circle") from None
    return target


@cache
def _console_class() -> type[Console]:
    from rich.console import Console

    class Piped(Console):
        """A console that leaves a closed pipe to `main`: rich ends the program with 1, which here is *violated*."""

        def on_broken_pipe(self) -> None:
            """Say what happened instead of ending the program."""
            raise BrokenPipeError

    return Piped


def console(*, json_path: str | None = None) -> Console:
    """Where a verb prints its text: standard output, or standard error when the JSON goes to standard output.

    Text is printed as it is: `[0047]` is a paragraph, not markup. Style what matters with `style=`.
    """
    make = _console_class()
    stream = sys.stderr if json_path == "-" else sys.stdout
    made = make(file=stream, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        # Plain text is wrapped by whoever shows it; rich would cut it at 80 columns.
        return make(file=stream, markup=False, highlight=False, emoji=False, color_system=None, width=10_000)
    return made


def table(on: Console, columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print *rows* under *columns* on the console *on*; piped, as aligned text without rules or trailing blanks."""
    cells = [[str(cell) for cell in row] for row in rows]
    if not on.is_terminal:
        lines = [list(columns), *cells]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        text = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
        on.print("\n".join(line.rstrip() for line in ([title] if title else []) + list(text)), soft_wrap=True)
        return
    from rich import box
    from rich.table import Table

    drawn = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for row in cells:
        drawn.add_row(*row)
    on.print(drawn)


class Progress:
    """One line that says how far long work has come.

    On a terminal the line is redrawn in place and gone at the end. Piped, a line is printed now and then, the first one
    only after a while, so that short work prints none. With *quiet* nothing is ever printed. It writes to standard
    error, so a result that is piped away stays clean.
    """

    def __init__(
        self,
        label: str,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label = label
        self.quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began = clock()
        self._next = self._began if self._live else self._began + PLAIN_PERIOD
        self._drawn = False

    def __enter__(self) -> Self:
        """Begin to count the time."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no half line behind, also when interrupted."""
        self.clear()

    def update(self, text: str) -> None:
        """Say *text* now, or not at all when the last line is too recent: call it as often as is convenient."""
        now = self._clock()
        if self.quiet or now < self._next:
            return
        line = f"{self.label}: {text} ({now - self._began:.0f} s)"
        if self._live:
            self._next = now + LIVE_PERIOD
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[2K{line[:width]}")
            self._drawn = True
        else:
            self._next = now + PLAIN_PERIOD
            self._stream.write(f"{line}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the live line away, as before other text is printed; the next update draws it again."""
        if self._drawn:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._drawn = False
