"""The whole controller on a simulated clock, network and storage: every step one of the specification, every image a cut."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirrorspec.impl.core import decisions
from mirrorspec.model_tests.crashing_storage import Happening
from mirrorspec.model_tests.simulation.coverage import DURABLE
from mirrorspec.model_tests.simulation.judging import TornImageError
from mirrorspec.model_tests.simulation.runs import Totals, one, shortened, simulate
from mirrorspec.model_tests.simulation.scenario import FAULTS, Action, Schedule, draw, scenario
from mirrorspec.model_tests.simulation.shrink import parse, read, to_json
from mirrorspec.model_tests.simulation.world import World
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Verdict

RUNS = {"reliable": 15, "links": 25, "crashes": 25, "takeover": 25, "all": 80}
FLOORS = {
    "a flash is committed": 80,
    "a flash must be reverted": 15,
    "a takeover commits": 15,
    "a takeover reverts": 10,
    "a write collides": 40,
    "writes are recorded": 70,
}
"""In at least so many of the runs with all faults each of these is reached; seeds 0 and following."""


def silent(_: Totals) -> None:
    """Nobody is told how far it is."""


@pytest.mark.parametrize("faults", RUNS)
def test_runs_with_seeded_faults_refine_the_specification_and_always_recover_a_cut(faults: str) -> None:
    """[0046-0049]: after every event the refinement mapping holds, after every crash recovery yields a consistent cut."""
    totals = simulate(range(RUNS[faults]), faults, silent)
    assert totals.verdict is Verdict.NOTHING_FOUND, totals.failure
    assert totals.runs == RUNS[faults]
    if faults == "all":
        assert not totals.missing
        for name, floor in FLOORS.items():
            assert totals.reached[name] >= floor, (name, totals.reached)


@pytest.mark.nightly
def test_ten_thousand_kills_lose_nothing_that_was_promised() -> None:
    """Every kill is followed by a judged recovery of the secondary site and by a restart."""
    totals = Totals()
    seed = 1_000_000
    while sum(n for name, n in totals.counts.items() if name.startswith("crash ")) < 10_000:
        faults = ("crashes", "all")[seed % 2]
        s = scenario(seed, faults)
        assert one(s, draw(s, seed), totals) is None, f"mirrorspec simulate --faults {faults} --seed {seed} --runs 1"
        seed += 1


@pytest.mark.parametrize(
    ("role", "act", "happening"),
    [
        (role, act, happening)
        for role, acts in DURABLE.items()
        for act in acts
        for happening in (Happening.BEFORE, Happening.AFTER)
    ],
)
def test_a_crash_at_each_persist_point_is_recovered_from(role: str, act: str, happening: Happening) -> None:
    """[0017] [0031]: every durable act of every kind of party, with a crash right before and right after it."""
    name = f"crash {happening} {role} {act}"
    totals = Totals()
    for seed in range(60):
        s = replace(scenario(seed, "all"), units=2)
        schedule = draw(s, seed)
        at = 0.0 if act in ("establish", "restart_primary") else 0.1
        crash = Action(at, "crash", f"{role}:{seed % 2}", seconds=0.05, happening=happening.value, act=act)
        failure = one(s, Schedule(seed, (crash, *schedule.actions)), totals)
        assert failure is None, failure
        if totals.counts[name]:
            return
    pytest.fail(f"no run had a {name}")


def forgetful(in_flight: bool, same: bool, rewritten: bool) -> decisions.HardenedDecision:
    """An acknowledgement clears the out-of-sync bit even if the track was written since: DRBD a2172bc7e."""
    return decisions.HardenedDecision(synchronised=True) if same else decisions.HardenedDecision(refused="in_flight")


class TestAFaultyController:
    """The simulation can fail."""

    def test_is_caught_by_the_refinement_and_its_schedule_made_short(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(decisions, "hardened", forgetful)
        totals = simulate(range(200), "links", silent, shorten=False)
        assert totals.failure is not None
        assert totals.failure.kind == "NotRefinedError"
        short = shortened(totals.failure)
        assert 2 <= len(short.schedule.actions) < len(totals.failure.schedule.actions)
        for place in range(len(short.schedule.actions)):
            rest = short.schedule.actions[:place] + short.schedule.actions[place + 1 :]
            again = one(short.scenario, Schedule(short.schedule.seed, rest))
            assert again is None or again.kind != short.kind
        path = tmp_path / "schedule.json"
        path.write_text(json.dumps(to_json(short.scenario, short.schedule)), encoding="utf-8")
        repeated = one(*read(str(path)))
        assert repeated is not None
        assert (repeated.kind, repeated.words, repeated.steps) == (short.kind, short.words, short.steps)

    def test_is_caught_by_the_judge_of_images_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decisions, "hardened", forgetful)

        def unrefined() -> None:
            for seed in range(200):
                s = scenario(seed, "links")
                World(s, draw(s, seed), refined=False).run()

        with pytest.raises(TornImageError):
            unrefined()


def test_a_run_is_repeated_by_its_seed() -> None:
    counts: list[Counter[str]] = []
    for _ in range(2):
        s = scenario(7, "all")
        world = World(s, draw(s, 7))
        world.run()
        counts.append(world.counts)
    assert counts[0] == counts[1]


def test_every_option_of_the_controller_is_drawn() -> None:
    drawn = [scenario(seed, "takeover") for seed in range(400)]
    for option in ("drained", "processes", "window", "placement", "method", "background", "place", "shape", "units"):
        assert len({str(getattr(s, option)) for s in drawn}) > 1, option
    assert len({s.configuration.name for s in drawn}) > 10
    assert {"reliable", "all"} <= FAULTS.keys()


class TestAScheduleFile:
    """Bad input gets one line, and nothing is run."""

    @pytest.fixture
    def good(self) -> dict[str, object]:
        s = scenario(3, "all")
        return to_json(s, draw(s, 3))

    def refused(self, tmp_path: Path, data: object) -> str:
        path = tmp_path / "s.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        with pytest.raises(BadInputError) as caught:
            read(str(path))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_is_read_as_it_was_written(self, good: dict[str, object], tmp_path: Path) -> None:
        path = tmp_path / "s.json"
        path.write_text(json.dumps(good), encoding="utf-8")
        assert to_json(*read(str(path))) == good

    def test_of_another_format_is_refused(self, tmp_path: Path) -> None:
        assert "format" in self.refused(tmp_path, {"format": "else"})
        assert "no schedule" in self.refused(tmp_path, [1])

    def test_beyond_bounds_is_refused(self, good: dict[str, object], tmp_path: Path) -> None:
        scenario_data = good["scenario"]
        assert isinstance(scenario_data, dict)
        assert "at most" in self.refused(tmp_path, {**good, "scenario": {**scenario_data, "units": 10**9}})

    def test_with_an_unknown_kind_is_refused(self, good: dict[str, object], tmp_path: Path) -> None:
        actions = good["actions"]
        assert isinstance(actions, list)
        assert "explode" in self.refused(tmp_path, {**good, "actions": [{**actions[0], "kind": "explode"}]})

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(
        data=st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
        )
    )
    def test_of_any_content_is_refused_in_one_line(self, data: object) -> None:
        for content in (data, {"format": "mirrorspec-schedule-1", "scenario": data, "seed": 1, "actions": []}):
            with pytest.raises(BadInputError) as caught:
                parse("s.json", json.dumps(content).encode())
            assert "\n" not in str(caught.value)
