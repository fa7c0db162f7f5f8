"""The protocol with increment numbers takes only steps that the specification has; each reason given for that is needed.

Where something that the argument rests on is left out, the same check finds the way on which it fails. Bounds are written as
in `universe`; hosts that are idle issue no write, which leaves the messages alone and so reaches further.
"""

from __future__ import annotations

import pytest

from mirrorspec.proofs.numbered import Findings, NumberedProtocol, Simulation, exhaust, model_for, wander
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.universe import Layout, Universe

ONE: Layout = (((1,),),)
TWO: Layout = (((1,),), ((1,),))
COLLIDING: Layout = (((2,),), ((1,),))
MOST_STATES = 1_000_000
HOW = {"the same step", "heard of first", "not seen"}
COMMANDS = ("start_increment", "run", "increment_complete", "abort", "flash", "commit", "withdraw")


def changed(environment: str, *, idle: bool = False, drops: tuple[str, ...] = ()) -> Deviation:
    """The protocol with guards dropped, or with hosts that issue no write."""
    return Deviation("changed", "", environment, "", drops=drops, without=("issue_write",) if idle else ())


def protocol(environment: str, layout: Layout, sessions: int, deviation: Deviation | None = None) -> NumberedProtocol:
    """The numbered protocol with all that guards read."""
    return NumberedProtocol(model_for(ENVIRONMENTS[environment], deviation), Universe.of(layout, sessions))


def broken(found: Findings) -> str:
    """Where a simulation fails, as it is printed."""
    assert found.broken
    return str(found.broken)


class TestEveryTransitionIsAStepOfTheSpecification:
    @pytest.mark.parametrize(
        ("environment", "layout", "sessions", "numbers", "idle"),
        [
            ("standard", ONE, 1, 2, False),
            ("standard", TWO, 1, 2, True),
            ("membership", ONE, 1, 2, True),
            ("failover", ONE, 2, 2, True),
            ("rivals", ONE, 2, 3, True),
            ("rivals", ONE, 3, 2, True),
            pytest.param("standard", ONE, 1, 3, False, marks=pytest.mark.nightly),
            pytest.param("standard", TWO, 1, 3, True, marks=pytest.mark.nightly),
            pytest.param("takeover", ONE, 2, 2, False, marks=pytest.mark.nightly),
            pytest.param("rivals", TWO, 2, 2, True, marks=pytest.mark.nightly),
            pytest.param("rivals", TWO, 2, 3, True, marks=pytest.mark.nightly),
        ],
    )
    def test_in_every_state_within_bounds(
        self, environment: str, layout: Layout, sessions: int, numbers: int, idle: bool
    ) -> None:
        made = protocol(environment, layout, sessions, changed(environment, idle=idle))
        found = exhaust(Simulation(made), numbers, MOST_STATES)
        assert found.broken is None, str(found.broken)
        assert found.complete
        assert set(found.how) == HOW
        assert set(found.numbers) == set(range(1, numbers + 1))
        assert set(found.steps) >= {"start_increment", "run", "flash", "commit", "increment_complete", "withdraw"}

    @pytest.mark.parametrize("environment", ["standard", "failover", "takeover"])
    def test_on_walks_with_every_field(self, environment: str) -> None:
        model = model_for(ENVIRONMENTS[environment], complete=True)
        made = NumberedProtocol(model, Universe.of(COLLIDING, ENVIRONMENTS[environment].sessions))
        found = wander(Simulation(made), 5, seed=1, walks=20, length=200)
        assert found.broken is None, str(found.broken)
        assert found.transitions > 5_000
        assert set(found.how) == HOW

    def test_no_field_of_an_increment_is_shared(self) -> None:
        made = NumberedProtocol(model_for(ENVIRONMENTS["takeover"], kinds=(Kind.SAFETY,)), Universe.of(ONE, 2))
        s = made.initial()
        shared = set(made.names[: len(s.shared)])
        assert shared.isdisjoint({"joined", "left", "flashed", "committed", "begun", "run_sent", "saw_committed"})
        assert shared >= {"pending", "in_progress", "out_of_sync", "target", "fenced"}


class TestTheRuleThatLowerNumbersAreRefused:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_is_needed_where_only_the_mode_would_refuse(self, command: str) -> None:
        model = model_for(ENVIRONMENTS["reliable"], changed("reliable", idle=True))
        made = NumberedProtocol(model, Universe.of(ONE), forgetful=[command])
        found = exhaust(Simulation(made), 3, MOST_STATES)
        assert (found.broken is not None) == (command in ("run", "increment_complete"))

    def test_failing_is_told_by_the_shortest_way(self) -> None:
        made = NumberedProtocol(model_for(ENVIRONMENTS["reliable"]), Universe.of(ONE), forgetful=COMMANDS)
        words = broken(exhaust(Simulation(made), 2, MOST_STATES)).splitlines()
        assert words[-3:] == [
            "start_increment(S0-U0) at 2",
            "run(S0-U0) at 1",
            "but the specification has no such step: run(S0-U0) at 1 is refused: the message is of an older increment",
        ]


class TestAnIncrementEndsWhenEveryMemberHasRecordedIt:
    @pytest.mark.parametrize(
        "drops",
        [
            ("all_aborted.ended",),
            ("all_aborted.withdrawn",),
            ("all_committed.ended",),
            ("all_committed.replied", "all_committed.current"),
        ],
        ids=lambda drops: drops[0],
    )
    def test_or_an_older_number_has_an_effect(self, drops: tuple[str, ...]) -> None:
        made = protocol("reliable", TWO, 1, changed("reliable", drops=drops, idle=True))
        found = exhaust(Simulation(made), 3, MOST_STATES)
        assert "but the specification has no such step" in broken(found)

    def test_the_reason_names_what_differs(self) -> None:
        made = protocol("reliable", ONE, 1, changed("reliable", drops=("all_aborted.ended",)))
        words = broken(exhaust(Simulation(made), 2, MOST_STATES))
        assert "start_increment(S0-U0) at 1 has another effect: joined is {}, not {U0}" in words


class TestTakeover:
    @pytest.mark.parametrize("half", [0, 1], ids=["primary", "secondary"])
    def test_needs_the_number_of_both_halves_of_a_unit(self, half: int) -> None:
        """Told by one half only, a new session ends an increment that the other half has left behind."""

        class OneHalf(NumberedProtocol):
            def answering(self, unit: int) -> list[int]:
                return [super(OneHalf, self).answering(unit)[half]]

        model = model_for(ENVIRONMENTS["rivals"], changed("rivals", idle=True))
        found = exhaust(Simulation(OneHalf(model, Universe.of(ONE, 2))), 3, MOST_STATES)
        assert "at 3 is refused: the message is of an older increment" in broken(found)

    def test_needs_units_that_refuse_the_older_session(self) -> None:
        drops = ("start_increment.obeyed", "run.obeyed", "abort.obeyed", "withdraw.obeyed")
        made = protocol("rivals", ONE, 2, changed("rivals", drops=drops, idle=True))
        assert broken(exhaust(Simulation(made), 2, MOST_STATES))
