"""The project's own recording: two volumes under many outstanding requests, one pair of images a cut and one torn.

The verdict is in the images' names. It is checked twice, from nbdkit's log and from what the client saw, and the witness
is checked against the history without the judge.
"""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mirrorspec.cli.cut import command
from mirrorspec.cli.main import run
from mirrorspec.oracle.cut.history import NEVER
from mirrorspec.oracle.cut.jsonl import read_json_lines
from mirrorspec.oracle.cut.judge import judge
from mirrorspec.oracle.cut.nbdkit import read_nbdkit_log
from mirrorspec.oracle.cut.question import Answer, Question, answer
from mirrorspec.spec.verdict import Exit, Verdict

CORPUS = Path(__file__).parents[2] / "mirrorspec" / "model_tests" / "corpus" / "cuts"
HISTORIES = ("nbdkit.log.gz", "client.jsonl.gz")


def ask(history: str, name: str, **options: Any) -> Answer:
    shown = {volume: str(CORPUS / f"{volume}.{name}.img.gz") for volume in "AB"}
    path = str(CORPUS / history)
    return answer(Question(path, shown, {"A": "zero", "B": "zero"}, block_bytes=512, **options))


def arguments(history: str, name: str) -> list[str]:
    found = [str(CORPUS / history), "--block-bytes", "512"]
    for volume in "AB":
        found += ["--image", f"{volume}={CORPUS / f'{volume}.{name}.img.gz'}", "--initial", f"{volume}=zero"]
    return found


def test_the_recording_is_large_enough_and_small_enough() -> None:
    log = read_nbdkit_log(str(CORPUS / "nbdkit.log.gz"), block_bytes=512)
    client = read_json_lines(str(CORPUS / "client.jsonl.gz"))
    assert set(log.volumes) == set(client.volumes) == {"A", "B"}
    assert min(log.requests, client.requests) >= 10_000
    for index in range(2):
        mine = log.volume == index
        issue, ack = log.issue[mine], np.sort(log.acknowledgement[mine])
        outstanding = np.arange(1, len(issue) + 1) - np.searchsorted(ack, np.sort(issue))
        assert np.median(outstanding) >= 8, "several requests are outstanding most of the time"
    assert (log.acknowledgement == NEVER).any()
    assert log.overlap is None
    assert sum(file.stat().st_size for file in CORPUS.iterdir() if file.is_file()) < 1_000_000


@pytest.mark.parametrize("history", HISTORIES)
def test_one_pair_is_a_cut_and_one_is_torn(history: str) -> None:
    assert ask(history, "cut").verdict is Verdict.EXHAUSTED
    torn = ask(history, "torn")
    assert (torn.verdict, torn.findings) == (Verdict.VIOLATED, ("torn",))
    assert not len(torn.judgement.foreign)


@pytest.mark.parametrize("history", HISTORIES)
def test_the_witness_stands_in_the_history(history: str) -> None:
    torn = ask(history, "torn")
    held, missing = torn.judged.history_row(torn.judgement.held), torn.judged.history_row(torn.judgement.missing)
    past = torn.history
    assert past.acknowledgement[missing] < past.issue[held]
    side, at = torn.judged.place(int(torn.judged.unit[held]))
    assert side.keys[at] == past.content[held]
    side, at = torn.judged.place(int(torn.judged.unit[missing]))
    same_block = (past.volume == past.volume[missing]) & (past.block == past.block[missing])
    shown = np.flatnonzero(same_block & (past.content == side.keys[at]))
    assert len(shown) == 1
    assert past.acknowledgement[shown[0]] < past.issue[missing], (
        "the image's content was complete before the missing write"
    )


def test_both_histories_tell_of_the_same_moment() -> None:
    """The client's times are taken outside the server's, so its ranges can only be wider."""
    (server,), (client,) = ask(HISTORIES[0], "cut").judgement.ranges, ask(HISTORIES[1], "cut").judgement.ranges
    assert client[0] <= server[1]
    assert server[0] <= client[1]


def test_a_clock_error_as_large_as_the_gap_hides_the_tear() -> None:
    assert ask("nbdkit.log.gz", "torn", clock_error_seconds=Decimal("0.001")).verdict is Verdict.VIOLATED
    assert ask("nbdkit.log.gz", "torn", clock_error_seconds=Decimal(1)).verdict is Verdict.EXHAUSTED


def test_a_write_taken_out_of_the_image_is_noticed() -> None:
    """The cut with one old block in it is torn: the judge does not only look for large differences."""
    found = ask("nbdkit.log.gz", "cut")
    judged = found.judged
    rows = np.flatnonzero(judged.shown & (judged.acknowledgement < found.judgement.low - 10**8))
    unit = int(judged.unit[rows[-1]])
    judged.shown[judged.unit == unit] = False
    judged.initial[unit] = True
    assert judge(judged.unit, judged.issue, judged.acknowledgement, judged.shown, judged.initial).torn


@pytest.mark.parametrize(("name", "code"), [("cut", Exit.OK), ("torn", Exit.VIOLATED)])
@pytest.mark.parametrize("history", HISTORIES)
def test_the_command_says_so(
    history: str, name: str, code: Exit, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    assert run(["cut", *arguments(history, name), "--json", str(result)]) == code
    shown = capfd.readouterr().out
    data = json.loads(result.read_text())
    assert data["bound"] == "this history: 12000 writes on 2 volumes"
    assert f"{data['verdict']}: " in shown
    assert shown.index("recovery point") < shown.index("not covered"), "what was not covered comes last"


def test_bad_input_exits_with_2_and_writes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = tmp_path / "result.json"
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"volume": "A"}\n')
    image = f"A={CORPUS / 'A.cut.img.gz'}"
    for given in (
        [str(bad), "--image", image],
        [str(CORPUS / HISTORIES[0]), "--image", image],
        [str(CORPUS / HISTORIES[0]), "--image", "A"],
        [str(CORPUS / HISTORIES[0]), "--image", image, "--image", image],
        [str(CORPUS / HISTORIES[0]), "--image", image, "--clock-error", "-1"],
        [str(CORPUS / HISTORIES[0]), "--image", image, "--clock-error", "soon"],
        [str(CORPUS / HISTORIES[1]), "--image", image, "--block-bytes", "4096"],
        [str(CORPUS / "record.py"), "--image", image],
        [str(CORPUS / HISTORIES[0])],
    ):
        assert run(["cut", *given, "--json", str(result)]) == Exit.USAGE, given
        error = capfd.readouterr().err
        assert "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]


def test_the_bad_line_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"volume": "A"}\n')
    assert run(["cut", str(bad), "--image", f"A={CORPUS / 'A.cut.img.gz'}"]) == Exit.USAGE
    assert f"{bad}:1: 'block' is missing" in capfd.readouterr().err


def test_the_help_stands_on_its_own() -> None:
    shown = CliRunner().invoke(command, ["--help"])
    assert shown.exit_code == 0
    assert "--clock-error" in shown.output


@pytest.mark.parametrize("name", ["cut", "torn"])
def test_the_how_to_shows_what_is_printed(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "check-two-images-and-a-log.md"
    monkeypatch.chdir(CORPUS)
    shown = page.read_text().replace("\\\n", " ")
    given = next(
        line for line in shown.splitlines() if line.startswith("$ mirrorspec cut nbdkit") and f".{name}." in line
    )
    run(given.removeprefix("$ mirrorspec ").split())
    assert capfd.readouterr().out in shown


@pytest.mark.nightly
@pytest.mark.needs("nbdkit")
def test_the_recorder_records_again(tmp_path: Path) -> None:
    pythons = [python for python in (sys.executable, "/usr/bin/python3") if has_libnbd(python)]
    if not pythons:
        pytest.skip("LEFT OUT: libnbd's Python module is not installed")
    subprocess.run([pythons[0], str(CORPUS / "record.py"), str(tmp_path)], check=True, timeout=120)
    for history in HISTORIES:
        for name, verdict in (("cut", Verdict.EXHAUSTED), ("torn", Verdict.VIOLATED)):
            shown = {volume: str(tmp_path / f"{volume}.{name}.img.gz") for volume in "AB"}
            found = answer(Question(str(tmp_path / history), shown, {"A": "zero", "B": "zero"}, block_bytes=512))
            assert found.verdict is verdict
            assert found.lines >= 11_900, "the server may not have seen the last few requests"


def has_libnbd(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", "import nbd"], capture_output=True).returncode == 0
    except OSError:
        return False
