"""A state in which the induction fails need not be reachable: the exhaustive search says whether one like it is."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.induction.cases import deviating, model_of, named
from mirrorspec.proofs.induction.discharge import Formulas
from mirrorspec.proofs.induction.failure import Failure, smallest
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.plan import Question, Task, plan
from mirrorspec.proofs.induction.reachable import Answer, Reachable, ask, of_case
from mirrorspec.spec.model import Model
from mirrorspec.spec.readings.bits import BitsReading


def failing(deviation: str, obligation: str) -> tuple[Failure, Task, Question, Model]:
    """The smallest failure of one obligation of a deviation, and what it is of."""
    given, model = deviating(deviation)
    for task in plan([(given, model, staged(given))]).tasks:
        for question in task.questions.values():
            if question.obligation.name == obligation:
                failure = smallest(task, question, Formulas())
                assert failure is not None
                return failure, task, question, model
    raise AssertionError(f"no obligation {obligation}")


def answered(deviation: str, obligation: str, **limits: float) -> Answer:
    """What the search says of it."""
    found = ask(*failing(deviation, obligation), **limits)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_real_fault_is_reachable_and_the_trace_replays() -> None:
    obligation = "flash keeps flashed_is_a_drained_members"
    failure, task, question, model = failing("old_flash_accepted", obligation)
    found = of_case(failure, task, question, "old_flash_accepted")
    assert found is not None
    assert found.reachable is Reachable.YES
    reading = BitsReading(model, found.universe)
    state = reading.initial()
    for label in found.labels:
        event = reading.by_label[label]
        assert reading.refusals(event, state) == []
        state = reading.after(event, state)
    (claim,) = (c for c in staged(question.cases[0]) if c.name == found.claim)
    assert not reading.truth(claim.truth, state)
    assert found.words()[0] == (
        f"reachable: flashed_is_a_drained_members does not hold after {len(found.labels)} steps "
        "(1 session, 1 unit, 1 volume, 1 track, 1 write):"
    )


def test_a_weak_invariant_shows_a_state_that_is_not_reachable() -> None:
    found = answered("two_sessions_obeyed", "flash keeps flashed_is_a_drained_members")
    assert found.reachable is Reachable.NO
    assert found.labels == ()
    (line,) = found.words()
    assert line.startswith("not reachable within these bounds: flashed_is_a_drained_members holds in all ")
    assert line.endswith(" states (1 session, 1 unit, 1 volume, 1 track, 1 write)")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"most_states": 100}, "the limit of states was reached"),
        ({"most_seconds": 0.0}, "the limit of 0 s was reached"),
    ],
    ids=["states", "seconds"],
)
def test_a_limit_that_is_reached_decides_nothing(limits: dict[str, float], words: str) -> None:
    found = answered("two_sessions_obeyed", "flash keeps flashed_is_a_drained_members", **limits)
    assert found.reachable is Reachable.NOT_DECIDED
    (line,) = found.words()
    assert line.startswith(f"whether it is reachable is not decided: {words}")


def test_the_protocol_as_it_is_reaches_no_such_state() -> None:
    """A conjunct left out makes the induction fail, and the search sees that nothing is wrong with the protocol."""
    given = named("seed")
    model = model_of(given)
    invariant = tuple(c for c in staged(given) if c.name != "cuts_fit_one_another")
    (task, question) = next(
        (task, question)
        for task in plan([(given, model, invariant)]).tasks
        for question in task.questions.values()
        if question.obligation.name == "safety consistent"
    )
    failure = smallest(task, question, Formulas())
    assert failure is not None
    found = ask(failure, task, question, model)
    assert found is not None
    assert found.reachable is Reachable.NO
