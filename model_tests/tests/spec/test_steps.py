"""Steps: each is cited, named and possible."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.search import search
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import CONFIGURATIONS, HARDENED
from mirrorspec.spec.environment import ENVIRONMENTS, FAULTS
from mirrorspec.spec.model import build, initial_state, stage
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import field_table, symbolic_state
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.steps import STEPS


@pytest.mark.parametrize("name", STEPS)
def test_every_step_says_what_it_does_and_where_the_seed_says_so(name: str) -> None:
    text = STEPS[name]
    assert text.meaning.endswith(".")
    assert text.cites
    assert text.fault is None or text.fault in FAULTS


def test_every_switch_allows_some_step() -> None:
    assert {step.fault for step in STEPS.values()} - {None} == set(FAULTS)


def test_every_field_is_changed_by_some_step() -> None:
    changed = {name for c in CONFIGURATIONS.values() for s in stage(c, ENVIRONMENTS["all"]) for name in s.changes}
    assert changed == set(field_table())


def test_a_ghost_is_read_by_no_step() -> None:
    for step_ in stage(HARDENED, ENVIRONMENTS["all"]):
        for name, term in [*step_.guards.items(), *step_.changes.items()]:
            ghosts = {f for f in term.leaves() if field_table()[f].ghost}
            assert ghosts <= {name}, (step_.name, name)


def test_a_step_that_changes_an_unknown_field_is_refused() -> None:
    @step("nowhere", u=Sort.UNIT)
    def odd(s: object, u: object, options: object) -> tuple[Guards, Changes]:
        """Nothing good."""
        return when(), then(no_such_field=symbolic_state().pending)

    with pytest.raises(KeyError, match="no_such_field"):
        stage(HARDENED, ENVIRONMENTS["reliable"], [odd])


def test_every_step_of_the_hardened_protocol_can_happen() -> None:
    """Not vacuous: together these searches take every step that is not refused by design."""
    taken: set[str] = set()
    for environment, bounds in (
        ("standard", "1u1t2w"),
        ("membership", "1u1t2w"),
        ("crashes", "1u1t2w"),
        ("takeover", "1u1t2w"),
    ):
        world = ENVIRONMENTS[environment]
        result = search(build(HARDENED, world), BOUNDS[bounds].universe(world), engine="batch")
        taken |= {name for name, times in result.fired.items() if times}
    refused_by_design = {"linger_track", "deliver_lingering"} | {n for n in STEPS if n.startswith("linger_")}
    of_ghosts = {s.name for s in stage(HARDENED, ENVIRONMENTS["all"]) if all(field_table()[f].ghost for f in s.changes)}
    assert of_ghosts == {"receive_track", "copy_track"}, "no search can see a step that changes ghosts alone"
    assert taken == set(STEPS) - refused_by_design - of_ghosts


def test_without_members_nothing_is_promised() -> None:
    """Before the first commit the answer is "no consistent image yet"."""
    begins = initial_state(ENVIRONMENTS["membership"])
    assert begins["members"].kind == begins["covered"].kind == "empty"
    assert initial_state(ENVIRONMENTS["standard"])["covered"].kind == "full"
