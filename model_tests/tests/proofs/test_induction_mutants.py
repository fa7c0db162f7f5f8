"""What is left out of a step is noticed by the induction, or shown not to matter for SAFETY."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.induction.cases import cases, model_of, named
from mirrorspec.proofs.induction.discharge import Formulas, Limits
from mirrorspec.proofs.induction.mutants import Fate, Mutant, Part, fates, mutants


def fate(step: str, part: Part, name: str, configuration: str | None = None) -> Fate:
    """What becomes of one mutant in all cases, or in that of a configuration."""
    givens = cases() if configuration is None else (named(configuration),)
    (found,) = fates(givens, [Mutant(step, part, name)], Formulas(), Limits(seconds=1))
    return found


@pytest.mark.parametrize(
    ("step", "part", "name", "obligation"),
    [
        ("flash", Part.GUARD, "untainted", "flash keeps target_is_the_cut"),
        ("commit", Part.GUARD, "obeyed", "commit keeps committed_means_committing"),
        ("acknowledge_write", Part.GUARD, "released", "acknowledge_write keeps held_write_is_not_acknowledged"),
        ("deliver_track", Part.CHANGE, "tainted", "deliver_track keeps drained_secondary_is_the_cut"),
        ("run_timeout", Part.CHANGE, "out_of_sync", "run_timeout keeps clean_track_is_in_sync"),
        ("answer", Part.CHANGE, "fenced", "answer keeps asked_unit_refuses_lower_sessions"),
    ],
)
def test_what_matters_is_noticed(step: str, part: Part, name: str, obligation: str) -> None:
    assert obligation in fate(step, part, name).failed


@pytest.mark.parametrize(
    ("step", "part", "name"),
    [
        ("deliver_track", Part.GUARD, "once"),
        ("abort", Part.GUARD, "mode"),
        ("abort", Part.CHANGE, "change_recording"),
    ],
)
def test_what_does_not_matter_is_shown_harmless(step: str, part: Part, name: str) -> None:
    assert fate(step, part, name).harmless


def test_what_matters_in_one_case_only_is_said_of_that_case() -> None:
    """Where held writes wait before the cache, acknowledging while pending is harmless; where they are cached, it is not."""
    part = (Part.GUARD, "released")
    assert fate("acknowledge_write", *part, configuration="hardened").harmless
    failed = fate("acknowledge_write", *part).failed["acknowledge_write keeps held_write_is_not_acknowledged"]
    assert all("in_cache" in name for name in failed)


def test_every_part_of_every_step_has_its_mutant() -> None:
    given = named("hardened")
    found = set(mutants([given]))
    for step in model_of(given).steps:
        assert {Mutant(step.name, Part.GUARD, name) for name in step.guards} <= found
        assert {Mutant(step.name, Part.CHANGE, name) for name in step.changes} <= found
