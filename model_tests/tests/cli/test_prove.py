"""`mirrorspec prove`: proved is said of a proof, inconclusive of everything else, and a failure can be read."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import z3

from mirrorspec.cli import prove
from mirrorspec.cli.main import PIPE_CLOSED, run
from mirrorspec.spec.verdict import Exit


def proved(tmp_path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON result."""
    result = tmp_path / "result.json"
    code = run(["prove", "--json", str(result), "--jobs", "1", *options])
    return code, json.loads(result.read_text(encoding="utf-8"))


def test_the_seed_is_proved_where_nothing_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = proved(tmp_path, "--configuration", "seed")
    lines = capsys.readouterr().out.splitlines()
    assert (code, result["verdict"]) == (Exit.OK, "proved")
    assert result["cases"] == ["seed in reliable"]
    asked = [line for line in lines if line.startswith("proved ")]
    assert len(asked) == len(result["asked"]) == result["obligations"] - result["evident"]
    assert lines[-1].startswith("proved: 1 case, ")


def test_several_processes_say_the_same(tmp_path: Path) -> None:
    one = proved(tmp_path, "--configuration", "seed")[1]
    two = proved(tmp_path, "--configuration", "seed", "--jobs", "2")[1]
    assert [(a["name"], a["answer"]) for a in one["asked"]] == [(a["name"], a["answer"]) for a in two["asked"]]


def test_seeds_repeat_the_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = proved(tmp_path, "--configuration", "seed", "--seeds", "3")
    assert code == Exit.OK
    assert {a["seed"] for a in result["asked"]} == {0, 1, 2}
    assert "under 3 seeds" in capsys.readouterr().out


def test_a_deviation_fails_at_a_named_obligation_with_a_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = proved(tmp_path, "--deviate", "old_flash_accepted")
    assert (code, result["verdict"]) == (Exit.INCONCLUSIVE, "inconclusive")
    assert "flash keeps one_flashes_when_all_have_drained" in result["words"] + str(result["failures"])
    out = capsys.readouterr().out
    assert "the invariant allows this state, reachable or not" in out
    assert "reachable: flashed_is_a_drained_members does not hold after 11 steps (1 session, 1 unit, " in out
    assert {failure["reachable"] for failure in result["failures"]} == {"yes"}
    assert all(failure["trace"] for failure in result["failures"])
    assert "`mirrorspec check --deviate old_flash_accepted` searches larger bounds" in out
    assert "  old_flash = S0-U0\nthen flash(S0-U0, V0)\n  flashed: nothing becomes V0\n" in out


def test_no_time_is_inconclusive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = proved(tmp_path, "--configuration", "seed", "--timeout", "0.001")
    if code == Exit.OK:
        pytest.skip("this machine proves every obligation within a millisecond")
    assert (code, result["verdict"]) == (Exit.INCONCLUSIVE, "inconclusive")
    unknown = [a["name"] for a in result["asked"] if a["answer"] == "unknown"]
    assert repr(unknown[0]) in result["words"]
    assert result["words"] in capsys.readouterr().out


def test_two_solvers_agree_and_the_export_can_be_checked_by_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "export"
    code, result = proved(tmp_path, "--configuration", "seed", "--solver", "both", "--export", str(folder))
    assert code == Exit.OK
    assert {a["cvc5"] for a in result["asked"]} == {"proved"}
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert len(listed) == len(result["asked"])
    assert {e["proof_holes"] for e in listed} == {0}
    for entry in listed:
        for file, digest in ((entry["file"], entry["sha256"]), (entry["proof"], entry["proof_sha256"])):
            assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    for entry in listed[::10]:
        solver = z3.Solver()
        solver.from_file(str(folder / entry["file"]))
        assert str(solver.check()) == entry["expected"] == "unsat"
    assert f"{len(listed)} of them without a hole" in capsys.readouterr().out


def test_an_export_goes_into_a_folder_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").touch()
    assert run(["prove", "--configuration", "seed", "--export", str(tmp_path)]) == Exit.USAGE
    assert "is not empty" in capsys.readouterr().err


def test_a_missing_second_solver_is_never_agreement(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cvc5", None)
    assert run(["prove", "--configuration", "seed", "--solver", "both"]) == Exit.INCONCLUSIVE
    assert "'cvc5', which is not installed" in capsys.readouterr().err


def test_cores_say_what_carries_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", "--configuration", "seed", "--cores", "--jobs", "1"]) == Exit.OK
    out = capsys.readouterr().out
    (acknowledged,) = (line for line in out.splitlines() if line.startswith("acknowledge_write "))
    assert "needed_is_acknowledged" in acknowledged
    assert "the promises do not need the guard deliver_track.once" in out
    assert "nothing needs the conjunct" not in out


def test_occasions_show_that_every_step_can_happen(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", "--configuration", "seed", "--occasions", "--jobs", "1"]) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert "occasion  flash(S0-U0, V0)  (seed in reliable)" in lines
    assert [line for line in lines if line.startswith("never")] == []


def test_quiet_leaves_what_fails_and_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", "--configuration", "seed", "--jobs", "1", "--quiet"]) == Exit.OK
    out = capsys.readouterr().out.splitlines()
    assert not [line for line in out if line.startswith("proved ")]
    assert out[-1].startswith("proved: 1 case, ")
    assert run(["prove", "--deviate", "old_flash_accepted", "--jobs", "1", "--quiet"]) == Exit.INCONCLUSIVE
    out = capsys.readouterr().out.splitlines()
    assert [line for line in out if line.startswith("refuted ")]
    assert not [line for line in out if line.startswith("proved ")]


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0", "1e300"])
def test_a_timeout_is_a_number_of_seconds(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", "--configuration", "seed", "--timeout", seconds]) == Exit.USAGE
    assert capsys.readouterr().err.startswith("mirrorspec prove: Invalid value for '--timeout'")


def test_the_json_is_there_when_the_text_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(prove, "_print_end", fails)
    result = tmp_path / "result.json"
    assert run(["prove", "--configuration", "seed", "--jobs", "1", "--json", str(result)]) == PIPE_CLOSED
    assert json.loads(result.read_text())["verdict"] == "proved"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads the children of a process from /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_no_worker_outlives_the_run(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "mirrorspec.cli", "prove", "--jobs", "2", "--timeout", "100"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(b"proved "):
            assert process.poll() is None
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(workers) >= 2
        process.send_signal(number)
        process.stdout.close()
        assert process.wait(timeout=30) == code
    until = time.monotonic() + 15
    while left := [pid for pid in workers if _runs(pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


def _runs(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("options", [["--configuration", "sead"], ["--deviate", "old_flush_accepted"]])
def test_an_unknown_name_is_bad_input(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", *options]) == Exit.USAGE
    assert "did you mean" in capsys.readouterr().err
