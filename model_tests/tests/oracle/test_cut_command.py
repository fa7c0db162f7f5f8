"""`mirrorspec cut` beside what may be thrown at it: pipes and devices, huge requests, odd names, its own input as output."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from mirrorspec.cli.main import run
from mirrorspec.oracle.cut.named import enumerated, escaped
from mirrorspec.spec.verdict import Exit

KEY = "00112233445566ff"
HEADER = '{"history": 1, "block_bytes": 32}\n'


def line(volume: str = "A", block: int = 0, issue: str = "1", more: str = "") -> str:
    name = json.dumps(volume)
    return f'{{"volume": {name}, "block": {block}, "issue": {issue}, "acknowledgement": 2, "content": "zero"{more}}}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h.jsonl").write_text(HEADER + line())
    (tmp_path / "A.img").write_bytes(bytes(128))
    return tmp_path


def refused(capfd: pytest.CaptureFixture[str], *given: str) -> str:
    """The one line with which these arguments are refused."""
    capfd.readouterr()
    assert run(["cut", *given]) == Exit.USAGE
    error = capfd.readouterr().err
    assert error.count("\n") == 1, error
    assert len(error) < 600
    return error


def program(*given: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "mirrorspec.cli", "cut", *given]
    return subprocess.run(command, capture_output=True, timeout=60, env={**os.environ, **environment})


@pytest.mark.parametrize("place", ["history", "--image", "--initial"])
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero"])
def test_what_is_no_regular_file_is_refused_at_once(
    place: str, kind: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if kind == "pipe":
        os.mkfifo(folder / kind)
    given = {"history": [kind, "--image", "A=A.img"], "--image": ["h.jsonl", "--image", f"A={kind}"]}
    error = refused(capfd, *given.get(place, ["h.jsonl", "--image", "A=A.img", "--initial", f"A={kind}"]))
    assert f"{kind}: cannot be read" in error
    assert "a regular file is needed" in error


def test_a_run_beyond_the_image_costs_no_memory(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "h.jsonl").write_text(HEADER + line(more=', "blocks": 30000000'))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = refused(capfd, "h.jsonl", "--image", "A=A.img")
    assert "h.jsonl:2: writes block 29999999 of volume A, but A.img holds at most 4 blocks" in error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes"


def test_a_log_beyond_the_image_is_refused_with_its_line(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begin = "2026-11-23 19:52:32.81508"
    (folder / "log").write_text(
        f"{begin}0 connection=1 Connect export=A tls=0\n"
        f"{begin}1 connection=1 Zero id=1 offset=0x0 count=0x70000000 fua=0 ...\n"
    )
    error = refused(capfd, "log", "--image", "A=A.img", "--block-bytes", "128")
    assert "log:2: writes block 14680063 of volume A, but A.img holds at most 1 blocks" in error


def test_long_runs_of_one_piece_are_added_up(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "h.jsonl").write_text(HEADER + line("B", more=', "blocks": 9000000') * 2)
    assert "h.jsonl:3: more than" in refused(capfd, "h.jsonl", "--image", "A=A.img")


def test_many_volumes_are_counted_and_not_listed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "h.jsonl").write_text(HEADER + line() + "".join(line(f"v{n}") for n in range(500)))
    assert run(["cut", "h.jsonl", "--image", "A=A.img", "--json", "r.json"]) == Exit.OK
    shown = capfd.readouterr().out
    assert "v9 … and 490 more" in shown
    assert "v10" not in shown
    (volumes,) = (i for i in json.loads((folder / "r.json").read_text())["not_covered"] if i["what"] == "volumes")
    assert (volumes["count"], len(volumes["names"])) == (500, 500)


def test_many_images_without_an_initial_are_not_listed_either(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = [f"v{n}" for n in range(30)]
    (folder / "h.jsonl").write_text(HEADER + "".join(line(name) for name in names))
    assert run(["cut", "h.jsonl", *(f"--image={name}=A.img" for name in names)]) == Exit.OK
    shown = capfd.readouterr().out
    assert "… and 20 more volumes" in shown
    assert "v10" not in shown


def test_lists_are_cut_after_ten() -> None:
    assert enumerated([str(n) for n in range(10)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert enumerated([str(n) for n in range(12)]).endswith("9 … and 2 more")


def test_what_cannot_be_printed_is_escaped() -> None:
    assert escaped("a\x1b[31m\nb\udcff\u202e\N{LATIN SMALL LETTER E WITH ACUTE}") == (
        "a\\x1b[31m\\nb\\udcff\\u202e\N{LATIN SMALL LETTER E WITH ACUTE}"
    )
    assert escaped("\N{LATIN SMALL LETTER E WITH ACUTE}…", "ascii") == "\\xe9\\u2026"


def test_odd_file_names_are_escaped(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    odd = "A\x1b[31m\udcff.img"
    (folder / odd).write_bytes(bytes(128))
    assert run(["cut", "h.jsonl", "--image", f"A={odd}", "--json", "r.json"]) == Exit.OK
    both = "".join(capfd.readouterr())
    assert "A\\x1b[31m\\udcff.img" in both
    assert "\x1b" not in both
    assert json.loads((folder / "r.json").read_text())["images"] == {"A": "A\x1b[31m\\udcff.img"}
    assert "\x1b" not in refused(capfd, "h.jsonl", "--image", "A=none\x1b[31m")


def test_an_ascii_terminal_gets_ascii(folder: Path) -> None:
    name = "B\N{LATIN SMALL LETTER E WITH ACUTE}"
    (folder / "h.jsonl").write_text(HEADER + line() + line(name))
    done = program("h.jsonl", "--image", "A=A.img", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (done.returncode, done.stderr) == (Exit.OK, b"")
    assert b"B\\xe9" in done.stdout


@pytest.mark.parametrize(
    "error", [" 1", "1_0", "1 ", "", ".", "1e", "+-1", "inf", "nan", "0x1", "1" * 41, "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_a_clock_error_is_a_plain_number(error: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "a number of seconds" in refused(capfd, "h.jsonl", "--image", "A=A.img", "--clock-error", error)


@pytest.mark.parametrize("error", ["1", "0.002", ".5", "1.", "2e-3"])
def test_a_plain_number_is_a_clock_error(error: str, folder: Path) -> None:
    assert run(["cut", "h.jsonl", "--image", "A=A.img", "--clock-error", error]) == Exit.OK


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'{{"history": {"1" * 900}}}\n', "version 111"),
        (f'{{"history": {"1" * 5000}}}\n', "at most 1000 digits"),
        (HEADER + line(issue="1" * 5000), "at most 1000 digits"),
        (HEADER + line(issue="1e-" + "9" * 30), "no vast exponent"),
        (HEADER + line(issue="3." + "1" * 900), "before its issue"),
        (HEADER + line(more=f', "{"x" * 900}": 1'), "unknown member"),
    ],
)
def test_numbers_are_not_repeated_in_full(
    text: str, reason: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "h.jsonl").write_text(text)
    error = refused(capfd, "h.jsonl", "--image", "A=A.img")
    assert reason in error
    assert "decimal" not in error
    assert "set_int_max_str_digits" not in error


@pytest.mark.parametrize("victim", ["h.jsonl", "A.img", "before.img", "link"])
def test_the_result_never_replaces_an_input(victim: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "before.img").write_bytes(bytes(128))
    os.link(folder / "A.img", folder / "link")
    held = (folder / victim).read_bytes()
    given = ["h.jsonl", "--image", "A=A.img", "--initial", "A=before.img", "--json", victim]
    assert "it is the input" in refused(capfd, *given)
    assert (folder / victim).read_bytes() == held
