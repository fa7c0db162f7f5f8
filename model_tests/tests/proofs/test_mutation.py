"""The mutation score: what is caught replays, what is harmless has a reason, and neither can be said of the wrong mutant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirrorspec.model_tests import mutants as table
from mirrorspec.proofs.induction.discharge import Formulas, Limits
from mirrorspec.proofs.induction.mutants import Mutant, Part
from mirrorspec.proofs.mutation import judge as judging
from mirrorspec.proofs.mutation.judge import DEVIATION, Fate, Outcome, altered, judge, judge_deviation, replays
from mirrorspec.proofs.mutation.ladder import GRAPHS, Rung
from mirrorspec.proofs.mutation.possible import DEPENDS, GOALS, PATIENTLY, possible
from mirrorspec.proofs.mutation.reasons import GHOST, REASONS
from mirrorspec.proofs.mutation.scenarios import SCENARIOS
from mirrorspec.proofs.mutation.strengthening import STRENGTHENINGS, Strengthening, failures
from mirrorspec.proofs.mutation.table import score, subjects
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import HARDENED, SEED
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.model import build, stage
from mirrorspec.spec.verdict import Verdict


def named(name: str) -> Mutant:
    """The mutant of that name."""
    return table.by_name()[name]


class TestTheStoredTable:
    def test_holds_every_mutant_and_deviation_and_its_traces_replay(self) -> None:
        assert table.stale() == []
        assert [o.name for o in table.stored() if o.part == DEVIATION] == list(DEVIATIONS)

    def test_has_no_open_row_and_no_stale_reason(self) -> None:
        found = score(table.stored())
        assert (found.open, found.stale) == ((), ())
        assert found.verdict is Verdict.EXHAUSTED
        assert found.caught > 200

    def test_every_harmless_row_says_why(self) -> None:
        harmless = {o.name: o for o in table.stored() if o.fate is Fate.HARMLESS and o.part != DEVIATION}
        assert REASONS.keys() <= harmless.keys()
        assert {n for n, o in harmless.items() if n not in REASONS} == {
            n for n, o in harmless.items() if o.reason == GHOST
        }
        assert all(o.obligation == "" or o.strengthening or o.reason == GHOST for o in harmless.values())

    def test_a_guard_that_is_caught_breaks_the_promise_only_without_it(self) -> None:
        outcome = next(o for o in table.stored() if o.name == "flash without guard untainted")
        assert replays(named("flash without guard untainted"), outcome)
        assert not replays(named("flash without guard relation"), outcome)


class TestTheScore:
    CAUGHT = Outcome("a", "guard", Fate.CAUGHT)
    OPEN = Outcome("b", "guard", Fate.OPEN)

    def test_an_open_mutant_makes_it_inconclusive(self) -> None:
        assert score([self.CAUGHT], whole=False).verdict is Verdict.EXHAUSTED
        assert score([self.CAUGHT, self.OPEN], whole=False).verdict is Verdict.INCONCLUSIVE

    def test_a_reason_for_what_is_caught_is_stale(self) -> None:
        name = "deliver_track without guard once"
        found = score([replace(self.CAUGHT, name=name)], whole=False)
        assert found.stale == (name,)
        assert found.verdict is Verdict.INCONCLUSIVE

    def test_a_reason_for_what_does_not_exist_is_stale(self) -> None:
        assert set(score([self.CAUGHT]).stale) == REASONS.keys()

    def test_nothing_shows_nothing(self) -> None:
        assert score([], whole=False).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("name", "fate", "by"),
    [
        ("report_drained without guard synchronised", Fate.CAUGHT, "promised_writes_held"),
        ("all_joined without change run_sent", Fate.CAUGHT, GOALS[0].name),
        ("issue_write without change needs", Fate.CAUGHT, f"never: {DEPENDS}"),
        ("establish without change fenced", Fate.CAUGHT, "consistent"),
        ("dismiss without guard obeyed", Fate.CAUGHT, GOALS[0].name),
        ("deliver_track without guard once", Fate.HARMLESS, ""),
        ("run without change ran", Fate.HARMLESS, ""),
    ],
)
def test_a_mutant_is_judged(name: str, fate: Fate, by: str) -> None:
    found = judge(named(name))
    assert (found.fate, found.by) == (fate, by)
    if fate is Fate.CAUGHT:
        assert replays(named(name), found)


def test_a_mutant_without_a_reason_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "REASONS", {})
    found = judge(named("deliver_track without guard once"))
    assert (found.fate, found.reason) == (Fate.OPEN, "every promise is kept; why, nobody says")


def test_a_deviation_is_judged_by_its_shortest_trace() -> None:
    found = judge_deviation("drained_with_bits_set")
    assert (found.fate, len(found.labels)) == (Fate.CAUGHT, 11)


def test_a_harmless_deviation_is_proved() -> None:
    found = judge_deviation("restart_drops_hold")
    assert (found.fate, found.obligation) == (Fate.HARMLESS, "")
    assert found.strengthening


class TestStrengthenings:
    def test_are_only_for_what_exists(self) -> None:
        assert STRENGTHENINGS.keys() <= {*table.by_name(), *DEVIATIONS}
        assert SCENARIOS.keys() <= table.by_name().keys()

    def test_are_proved_and_needed(self) -> None:
        name = "send_track without guard idle"
        assert failures(named(name), STRENGTHENINGS[name], Formulas(), Limits(2)) == []
        weaker = Strengthening(STRENGTHENINGS[name].without)
        assert failures(named(name), weaker, Formulas(), Limits(2)) != []


class TestWhatMustStayPossible:
    @pytest.mark.parametrize("rung", GRAPHS, ids=lambda r: f"{r.options.name}, {r.environment}, {r.bounds}")
    def test_is_possible_where_nothing_is_left_out(self, rung: Rung) -> None:
        options = rung.options
        assert options is not None
        found = judging.graph(options, rung, list(stage(options, rung.world)))
        assert (found.lost, found.complete) == ("", True)

    def test_is_lost_to_the_seed_after_a_timeout(self) -> None:
        world = ENVIRONMENTS["timer"]
        steps = list(stage(SEED, world))
        found = possible(SEED, build(SEED, world, emptied=False), steps, BOUNDS["1u1t2w"].universe(world))
        assert found.lost == GOALS[0].name
        assert found.labels[-1].startswith("increment_timeout")

    def test_an_increment_lost_for_nothing_counts(self) -> None:
        """A taint that outlives its increment has the next one abandoned, again and again where nobody gives up."""
        mutant = Mutant("all_committed", Part.CHANGE, "tainted")
        steps = altered(mutant, HARDENED, GRAPHS[0].world)
        assert steps is not None
        assert judging.graph(HARDENED, GRAPHS[0], steps).lost == PATIENTLY.name

    def test_a_graph_that_has_no_end_claims_nothing(self) -> None:
        world = ENVIRONMENTS["standard"]
        steps = list(stage(HARDENED, world))
        model = build(HARDENED, world, emptied=False)
        found = possible(HARDENED, model, steps, BOUNDS["1u1t2w"].universe(world), most=100)
        assert not found.complete
        assert found.lost == ""


def test_an_unknown_step_is_bad_input() -> None:
    with pytest.raises(BadInputError, match="did you mean flash"):
        subjects("flush")
