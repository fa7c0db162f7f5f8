"""Charts: the only place of mode transitions, and what the steps take from them."""

from __future__ import annotations

import pytest
from statemachine import StateMachine
from statemachine.exceptions import TransitionNotAllowed

from mirrorspec.spec import charts
from mirrorspec.spec.charts import CHARTS, FlashRelation, PrimaryMode, SessionPhase, arrows, events, moves
from mirrorspec.spec.configuration import HARDENED, SEED
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import field_table, symbolic_state
from mirrorspec.spec.steps import STEPS
from mirrorspec.spec.terms import TRUE, Truth, parameter

s = symbolic_state()
u = parameter("u", Sort.UNIT)


@pytest.mark.parametrize("chart", CHARTS)
def test_each_chart_state_but_the_initial_is_a_field(chart: type[StateMachine]) -> None:
    for state in chart.states:
        assert state.initial != (state.id in field_table()), state.id


def test_the_modes_are_those_of_the_seed() -> None:
    """[0036-0041]: normal, increment pending, consistency group in progress."""
    assert [state.name for state in PrimaryMode.states] == [
        "normal",
        "increment pending",
        "consistency group in progress",
    ]


def test_a_move_takes_source_and_target_from_the_chart() -> None:
    run = moves(PrimaryMode, "run", u)
    assert run.allowed is (u <= s.pending)
    assert run.changes == {"pending": s.pending & ~u, "in_progress": s.in_progress | u}


def test_a_move_from_the_initial_state_needs_all_others_empty() -> None:
    assert moves(PrimaryMode, "start_increment", u).allowed is u.outside(s.pending | s.in_progress)


def test_an_event_allowed_everywhere_has_no_guard() -> None:
    assert moves(PrimaryMode, "abort", u).allowed is TRUE


def test_an_unknown_event_is_an_error() -> None:
    with pytest.raises(KeyError, match="no event"):
        arrows(PrimaryMode, "explode")


def test_an_instance_refuses_what_the_chart_does_not_allow() -> None:
    machine = PrimaryMode()
    with pytest.raises(TransitionNotAllowed):
        machine.send("run")
    assert machine.current_state_value == "normal"


def test_every_event_of_every_chart_is_used_by_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[tuple[str, str]] = set()
    truth: list[Truth] = []

    def noted(chart: type[StateMachine], event: str, thing: object) -> charts.Move:
        used.add((chart.__name__, event))
        return moves(chart, event, thing)  # type: ignore[arg-type]

    for module in {step.function.__globals__["__name__"] for step in STEPS.values()}:
        if "moves" in vars(__import__(module, fromlist=["x"])):
            monkeypatch.setattr(f"{module}.moves", noted)
    for step in STEPS.values():
        for options in (SEED, HARDENED):
            if step.applies(options):
                truth += step.stage(s, options)[0].values()
    everything = {(chart.__name__, event) for chart in CHARTS for event in events(chart)}
    assert used == everything
    assert truth


def test_each_event_leads_to_one_state() -> None:
    """`moves` changes whole sets, so the target may not depend on the source."""
    for chart in (PrimaryMode, SessionPhase, FlashRelation):
        for event in events(chart):
            assert len({target for _, target in arrows(chart, event)}) == 1, event
