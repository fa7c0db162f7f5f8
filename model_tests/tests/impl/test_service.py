"""The controller as real processes: what is promised of it survives SIGKILL at any moment [0008-0009] [0048-0049]."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mirrorspec.impl.service import recovery
from mirrorspec.impl.service.config import load
from mirrorspec.impl.service.endpoint import ask
from mirrorspec.impl.service.party import folder_of
from mirrorspec.model_tests.running import BLOCK_BYTES, TRACK_BYTES, TRACKS, TRANSFER_SECONDS, Processes, Writer, judged
from mirrorspec.oracle.cut.history import SECOND
from mirrorspec.spec.recovery import Action
from mirrorspec.spec.verdict import Verdict


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    found = Processes(tmp_path)
    try:
        yield found
    finally:
        found.close()


PHASES = ("starting", "running", "flashing", "committing")


def in_phase(phase: str, status: dict[str, Any]) -> bool:
    """Whether a session is in that phase."""
    return bool(status["phase"] == phase)


def kill_and_recover(processes: Processes, history: Path, cycles: int, seed: int) -> int:
    """Kill everything at some moment of some phase, judge what recovery makes of it, start again; how many writes were
    acknowledged."""
    chance = random.Random(seed)
    acknowledged = earlier = 0
    for cycle in range(cycles):
        processes.start()
        writer = Writer(processes, history)
        processes.wait_formed(2)
        asked = time.monotonic()
        point = processes.wait("session:home", lambda s: s["recovery_point"]["age_seconds"] is not None)
        promised = asked - point["recovery_point"]["age_seconds"]
        phase = chance.choice(PHASES)
        processes.wait("session:home", partial(in_phase, phase))
        processes.kill()
        writer.stop()
        acknowledged += writer.acknowledged
        found = judged(history, processes.recovered(processes.folder / f"recovered-{cycle}"))
        assert found.verdict is Verdict.EXHAUSTED, (cycle, found.findings, found.reason, found.witness)
        assert found.judgement.low >= earlier, f"cycle {cycle}: the recovered cut has gone back"
        assert found.judgement.ranges[-1][1] >= promised * SECOND, f"cycle {cycle}: a formed increment is lost"
        earlier = found.judgement.low
    return acknowledged


def test_ten_kills_of_everything_each_leave_a_consistent_cut_that_never_goes_back(
    processes: Processes, tmp_path: Path
) -> None:
    assert kill_and_recover(processes, tmp_path / "history.jsonl", 10, seed=1) > 100


@pytest.mark.nightly
def test_a_hundred_kills_of_everything_each_leave_a_consistent_cut(processes: Processes, tmp_path: Path) -> None:
    assert kill_and_recover(processes, tmp_path / "history.jsonl", 100, seed=2) > 1000


def test_images_of_two_different_moments_are_seen_to_be_torn(processes: Processes, tmp_path: Path) -> None:
    """What makes the checks above fail: unit a as recovered from one moment, unit b as from a later one."""
    history = tmp_path / "history.jsonl"
    processes.start()
    writer = Writer(processes, history)
    processes.wait_formed(2)
    processes.kill()
    early = processes.recovered(tmp_path / "early")
    processes.start()
    processes.wait_formed(3)
    processes.kill()
    writer.stop()
    late = processes.recovered(tmp_path / "late")
    assert judged(history, late).verdict is Verdict.EXHAUSTED
    assert judged(history, {"a": early["a"], "b": late["b"]}).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("killed", ["primary:a", "secondary:b", "session:home"])
def test_a_party_that_was_killed_resumes_when_it_is_started_again(processes: Processes, killed: str) -> None:
    """Of each kind one: increments are formed again, under higher numbers, and nothing that was acknowledged is lost."""
    processes.start()
    processes.wait_formed(1)
    data = {block: bytes([block + 1]) * BLOCK_BYTES for block in range(TRACKS * TRACK_BYTES // BLOCK_BYTES)}
    with processes.client("a") as client:
        for block, content in data.items():
            client.write("a", block * BLOCK_BYTES, content)
        processes.kill(killed)
    before = processes.wait("secondary:a", lambda s: True)["formed"]
    processes.start(killed)
    processes.wait("secondary:a", lambda s: bool(s["formed"] > before + 1))
    processes.wait("primary:a", lambda s: s["out_of_sync"] == 0 and s["connected"])
    with processes.client("a") as client:
        assert client.read("a", 0, TRACKS * TRACK_BYTES) == b"".join(data.values())


def test_a_session_that_is_superseded_stands_by_and_two_places_do_not_duel(tmp_path: Path) -> None:
    """FACTS: one session leads; who is refused for a higher number leaves the units alone until a person starts it again."""
    text = tmp_path / "installation.toml"
    processes = Processes(tmp_path)
    try:
        text.write_text(
            text.read_text(encoding="utf-8").replace(
                'folder = "session"}', 'folder = "session"}, {name = "away", folder = "session-away"}'
            ),
            encoding="utf-8",
        )
        processes.installation = load(text)
        processes.start("primary:a", "secondary:a", "primary:b", "secondary:b", "session:home")
        home = processes.wait("session:home", lambda s: s["formed"] >= 1)
        processes.start("session:away")
        away = processes.wait("session:away", lambda s: s["formed"] >= 1)
        processes.wait("session:home", lambda s: s["superseded"])
        assert away["number"] > home["number"]
        later = processes.wait("session:away", lambda s: s["formed"] >= away["formed"] + 5)
        assert later["number"] == away["number"]
        assert not later["superseded"]
        assert processes.status("session:home")["number"] == home["number"]
    finally:
        processes.close()


def test_a_session_pauses_and_goes_on_when_it_is_asked_to(processes: Processes) -> None:
    """FACTS section 2: pausing the session does not stop the copying."""
    processes.start()
    processes.wait_formed(1)
    ask(folder_of(processes.installation, "session:home"), "pause")
    paused = processes.wait("session:home", lambda s: s["paused"] and s["remaining"] == [0, 0])
    with processes.client("a") as client:
        client.write("a", 0, b"x" * TRACK_BYTES)
    processes.wait("primary:a", lambda s: s["out_of_sync"] == 0 and s["change_recording"] == 0)
    assert processes.status("session:home")["formed"] - paused["formed"] <= 1
    ask(folder_of(processes.installation, "session:home"), "resume")
    processes.wait_formed(paused["formed"] + 3)


def test_a_recovered_secondary_takes_nothing_more_also_after_a_restart(processes: Processes, tmp_path: Path) -> None:
    """[0048] The fence: the image that was handed out stays what the site holds."""
    processes.start()
    processes.wait_formed(1)
    processes.kill("secondary:a", "secondary:b")
    images = [tmp_path / "before.img", tmp_path / "after.img"]
    with recovery.opened(processes.installation) as site:
        site.act(site.decide())
        formed = site.decide().number
        site.export(site.volumes[0], images[0])
    processes.start()
    with processes.client("a") as client:
        client.write("a", 0, b"y" * TRACK_BYTES)
    found = processes.wait("secondary:a", lambda s: s["connected"])
    assert (found["recovered"], found["formed"]) == (True, formed)
    processes.wait("primary:a", lambda s: s["out_of_sync"] + s["change_recording"] > 0)
    time.sleep(3 * TRANSFER_SECONDS)
    processes.kill()
    with recovery.opened(processes.installation) as site:
        assert (site.decide().action, site.decide().number) == (Action.NOTHING, formed)
        site.export(site.volumes[0], images[1])
    assert images[0].read_bytes() == images[1].read_bytes()
