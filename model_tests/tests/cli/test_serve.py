"""`mirrorspec serve`, `status` and `recover`: what they print, their exit codes, and how processes end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirrorspec.cli.main import run
from mirrorspec.impl.core.outcome import Relate
from mirrorspec.impl.storage.folder import open_secondary
from mirrorspec.model_tests.running import PATIENCE_SECONDS, Processes, config, free_ports

ROOT = Path(__file__).parents[3]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    found = Processes(tmp_path)
    try:
        yield found
    finally:
        found.close()


def served(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`mirrorspec serve` over a new installation in that folder."""
    (folder / "installation.toml").write_text(config(["a"]), encoding="utf-8")
    command = [sys.executable, "-m", "mirrorspec.cli", "serve", "installation.toml", *arguments]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ready(process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    """The first so many lines that say that a party is ready."""
    assert process.stdout is not None
    found: list[dict[str, Any]] = []
    while len(found) < count:
        line = json.loads(process.stdout.readline())
        if "ready" in line:
            found.append(line)
    return found


def lives(pid: int) -> bool:
    """Whether there is a process of that number that has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ended(pids: list[int]) -> bool:
    """Whether all these processes have ended, after some patience."""
    end = time.monotonic() + PATIENCE_SECONDS
    while any(map(lives, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(lives, pids))


def test_without_a_party_each_has_a_process_and_all_end_in_order(tmp_path: Path) -> None:
    process = served(tmp_path, "--json-lines")
    lines = ready(process, 3)
    assert {line["party"] for line in lines} == {"primary:a", "secondary:a", "session:home"}
    assert len({line["pid"] for line in lines} | {process.pid}) == 4
    process.terminate()
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, errors) == (0, "")
    assert ended([line["pid"] for line in lines])
    assert not list(tmp_path.glob("*/endpoint")), "a party has not ended in order"


def test_a_party_that_is_killed_is_started_again_and_all_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    process = served(tmp_path, "--json-lines")
    first = {line["party"]: line["pid"] for line in ready(process, 3)}
    os.kill(first["primary:a"], signal.SIGKILL)
    (again,) = ready(process, 1)
    assert again["party"] == "primary:a"
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert ended([again["pid"], *first.values()])


def test_several_parties_share_a_process_and_say_in_words_when_they_are_ready(tmp_path: Path) -> None:
    process = served(tmp_path, "--party", "secondary:a", "--party", "primary:a", "--party", "session:home")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert [line.split(" is ready: ")[0] for line in lines] == ["secondary:a", "primary:a", "session:home"]
    assert ", hosts 127.0.0.1:" in lines[1]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0


def test_a_party_that_there_is_not_is_2_and_says_which_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "installation.toml"
    file.write_text(config(["a"]), encoding="utf-8")
    assert run(["serve", str(file), "--party", "primary:b"]) == 2
    assert capsys.readouterr().err == (
        "mirrorspec: --party primary:b: there is no such party; there are secondary:a, primary:a, session:home\n"
    )


def test_a_port_that_is_taken_is_2_for_the_parent_too_and_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "installation.toml").write_text(config(["a"]), encoding="utf-8")
    text = (tmp_path / "installation.toml").read_text(encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        before, after = text.split('hosts = "127.0.0.1:')
        (tmp_path / "taken.toml").write_text(f'{before}hosts = "127.0.0.1:{port}{after[after.index(chr(34)) :]}')
        found = subprocess.run(
            [sys.executable, "-m", "mirrorspec.cli", "serve", str(tmp_path / "taken.toml")],
            capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
    assert found.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in found.stderr
    assert "Traceback" not in found.stderr


def test_status_shows_every_party_and_says_which_does_not_answer(
    processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    processes.start()
    processes.wait_formed(2)
    result = tmp_path / "status.json"
    assert run(["status", str(processes.file), "--json", str(result)]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line] == [
        "party", "session:home", "party", "primary:a", "primary:b", "party", "secondary:a", "secondary:b",
    ]  # fmt: skip
    found = json.loads(result.read_text())["parties"]
    assert found["session:home"]["recovery_point"]["increment"] >= 2
    assert found["session:home"]["recovery_point"]["age_seconds"] < PATIENCE_SECONDS
    assert found["primary:a"]["mode"] in ("normal", "pending", "in_progress")
    processes.kill("primary:b")
    assert run(["status", str(processes.file)]) == 3
    assert "primary:b does not answer: it is not running: nobody answers at its port" in capsys.readouterr().out


def test_status_asks_the_session_to_pause_and_to_resume(processes: Processes) -> None:
    processes.start()
    processes.wait_formed(1)
    assert run(["status", str(processes.file), "--pause"]) == 0
    processes.wait("session:home", lambda s: bool(s["paused"]))
    assert run(["status", str(processes.file), "--resume"]) == 0
    processes.wait("session:home", lambda s: not s["paused"])


def test_recover_refuses_while_a_secondary_runs_and_else_writes_what_the_site_holds(
    processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    processes.start()
    processes.wait_formed(2)
    images = tmp_path / "images"
    arguments = ["recover", str(processes.file), "--output", str(images), "--yes"]
    assert run(arguments) == 2
    assert "secondary-a/store: in use by another process" in capsys.readouterr().err
    assert not images.exists()
    processes.kill()
    result = tmp_path / "result.json"
    assert run([*arguments, "--json", str(result)]) == 0
    found = json.loads(result.read_text())
    assert {path.name for path in images.iterdir()} == {"a.img", "b.img"}
    assert found["number"] >= 2
    assert f"2 of 2 volumes then hold increment {found['number']}" in capsys.readouterr().out
    assert run(arguments) == 0, "recovering again is as good as once"


def test_recover_asks_and_a_no_changes_nothing(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    processes.start()
    processes.wait_formed(1)
    processes.kill()
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    assert run(["recover", str(processes.file), "--output", str(tmp_path / "images")]) == 130
    assert "interrupted" in capsys.readouterr().err
    processes.start()
    processes.wait_formed(2)
    assert not processes.status("secondary:a")["recovered"]


def stored(folder: Path, *formed: int) -> Path:
    """A secondary site where the units have formed so many increments each."""
    file = folder / "installation.toml"
    file.write_text(config(["a", "b"][: len(formed)]), encoding="utf-8")
    from mirrorspec.impl.service.config import load

    for unit, count in zip(load(file).units, formed, strict=True):
        unit.secondary.folder.mkdir()
        storage = open_secondary(unit.secondary.folder, unit.shape)
        for n in range(1, count + 1):
            settle = (Relate(0, "settle", n),) if n > 1 else ()
            storage.commit((*settle, Relate(0, "flash", n, n), Relate(0, "commit", n)))
        storage.close()
    return file


def test_recover_is_3_before_the_first_commit_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recover", str(stored(tmp_path, 0, 0)), "--output", str(tmp_path / "images")]) == 3
    assert "no consistent image yet: no increment has ever been committed" in capsys.readouterr().out
    assert not (tmp_path / "images").exists()


def test_recover_is_1_where_the_rows_cannot_be_and_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["recover", str(stored(tmp_path, 3, 1)), "--output", str(tmp_path / "images")]) == 1
    out = capsys.readouterr().out
    assert out.count("disagrees") == 2
    assert "refuse: the mechanism is corrupted" in out
    assert not (tmp_path / "images").exists()


def test_the_commands_of_the_how_to_do_what_it_says(tmp_path: Path) -> None:
    """Every command of its shell blocks in their order, on ports that are free here; `serve` runs until the disaster."""
    page = (ROOT / "docs" / "how-to" / "run-the-reference-controller.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```shell\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    commands = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    example = "examples/installations/two-units.toml"
    text = (ROOT / example).read_text(encoding="utf-8")
    for port, free in zip(sorted(set(re.findall(r":(7\d{3})\b", text))), free_ports(6), strict=True):
        text = text.replace(f":{port}", f":{free}")
    (tmp_path / example).parent.mkdir(parents=True)
    (tmp_path / example).write_text(text, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    for name, arguments in (("mirrorspec", " -m mirrorspec.cli"), ("python", "")):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    serving: subprocess.Popen[str] | None = None
    outputs: list[str] = []
    try:
        for command in commands:
            if " serve " in command:
                serving = subprocess.Popen(
                    ["sh", "-c", f"exec {command}"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
                    start_new_session=True,
                )  # fmt: skip
                assert serving.stdout is not None
                assert all(" is ready: " in serving.stdout.readline() for _ in range(5))
                continue
            if " recover " in command and serving is not None:
                time.sleep(3)  # the interval of the example is a second: let it form increments with what was written
                serving.terminate()
                serving.communicate(timeout=PATIENCE_SECONDS)
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            outputs.append(done.stdout)
    finally:
        if serving is not None and serving.poll() is None:
            serving.kill()
            serving.communicate()
    with (tmp_path / "try" / "images" / "accounts.img").open("rb") as image:
        recovered = image.read(8192)
    assert any(hashlib.sha256(recovered).hexdigest() in output for output in outputs), (
        "what was read is what was recovered"
    )
    assert any(recovered), "and it is not what the volume held before"
    shutil.rmtree(tmp_path / "try")
