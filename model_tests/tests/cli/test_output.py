"""Results are written whole or not at all, and plainly where no terminal is."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from mirrorspec.cli import output
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Verdict


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The time it was set to."""
        return self.now


def test_json_is_written_and_replaced_without_leftovers(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    output.write_json(file, {"verdict": Verdict.PROVED})
    output.write_json(file, {"verdict": Verdict.VIOLATED, "image": "π"})
    assert json.loads(file.read_text(encoding="utf-8")) == {"verdict": "violated", "image": "π"}
    assert list(tmp_path.iterdir()) == [file]


def test_json_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    output.write_json(file, [1])
    with pytest.raises(TypeError):
        output.write_json(file, [object()])
    assert json.loads(file.read_text()) == [1]
    assert list(tmp_path.iterdir()) == [file]


def test_json_follows_a_link_and_keeps_a_device(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    output.write_json(link, [2])
    assert link.is_symlink()
    assert json.loads(real.read_text()) == [2]
    output.write_json(os.devnull, [3])
    assert not Path(os.devnull).is_file()


def test_json_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    output.write_json("-", {"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_json_into_no_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    worked = False

    @click.command
    @output.json_option
    def verb(json_path: str | None) -> None:
        nonlocal worked
        worked = True

    missing = str(tmp_path / "none" / "result.json")
    result = CliRunner().invoke(verb, ["--json", missing])
    assert isinstance(result.exception, BadInputError)
    assert "does not exist" in str(result.exception)
    assert not worked
    with pytest.raises(BadInputError, match="it is a folder"):
        output.write_json(tmp_path, {})


def test_an_input_is_no_target_under_any_name(tmp_path: Path) -> None:
    source, hard = tmp_path / "in.json", tmp_path / "hard.json"
    source.write_text("[]")
    os.link(source, hard)
    for target in (source, hard):
        with pytest.raises(BadInputError, match=r"it is the input .*in\.json"):
            output.refuse_overwrite(str(target), ["-", str(tmp_path / "missing"), str(source)])
    for harmless in (None, "-", os.devnull, str(tmp_path / "new.json")):
        output.refuse_overwrite(harmless, [str(source), os.devnull, "-"])


def test_a_piped_table_is_aligned_plain_text_of_any_width(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    output.table(output.console(), ["step", "n"], [["[bold] start [0047]", 3], ["x" * 200, 12]], title="Steps")
    assert stream.getvalue().splitlines() == [
        "Steps",
        "step" + " " * 198 + "n",
        "[bold] start [0047]" + " " * 183 + "3",
        "x" * 200 + "  12",
    ]


def test_a_table_on_a_terminal_shows_every_cell_as_it_is() -> None:
    stream = Terminal()
    on = Console(file=stream, force_terminal=True, width=60, markup=False, color_system=None)
    output.table(on, ["step"], [["[bold] start"]])
    assert "[bold] start" in stream.getvalue()


def test_text_leaves_standard_output_to_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.console(json_path="-").print("text")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "text\n")


def test_piped_progress_is_one_line_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    with output.Progress("check", stream=stream, clock=clock) as progress:
        for second in range(25):
            clock.now = second
            progress.update(f"{second} levels")
    assert stream.getvalue() == "check: 10 levels (10 s)\ncheck: 20 levels (20 s)\n"


def test_live_progress_is_gone_at_the_end_even_when_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    progress = output.Progress("check", stream=stream, clock=clock)
    progress.update("1 level")
    progress.update("too soon to be shown")
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    assert stream.getvalue() == "\r\x1b[2Kcheck: 1 level (0 s)\r\x1b[2K"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_progress_says_nothing(stream: io.StringIO) -> None:
    clock = Clock()
    with output.Progress("check", quiet=True, stream=stream, clock=clock) as progress:
        clock.now = 100
        progress.update("1 level")
    assert stream.getvalue() == ""
