"""What is proved: every safe combination of the seed's alternatives, hardened, and the seed itself where nothing fails."""

from __future__ import annotations

from mirrorspec.proofs.induction.conjunct import Given
from mirrorspec.proofs.induction.obligations import PROMISES
from mirrorspec.spec.configuration import SEED, Restart
from mirrorspec.spec.deviations import deviation
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import unknown_name
from mirrorspec.spec.model import Model, StagedStep, build
from mirrorspec.spec.variants import combinations, fault


def cases() -> tuple[Given, ...]:
    """Every case of the proof."""
    safe = [options for options in combinations().values() if not fault(options)]
    hardened = [Given(o.with_options(restart=r), ENVIRONMENTS["all"]) for o in safe for r in Restart]
    return (*hardened, Given(SEED, ENVIRONMENTS["reliable"]))


def model_of(given: Given, alter: list[StagedStep] | None = None) -> Model:
    """The complete model of a case; *alter* are its steps where they are changed."""
    return build(given.options, given.environment, alter=alter, kinds=PROMISES, complete=True)


def named(name: str) -> Given:
    """The case of a configuration. Raises `BadInputError` with the near names."""
    known = {given.options.name: given for given in cases()}
    if name not in known:
        raise unknown_name("configuration", name, known)
    return known[name]


def deviating(name: str) -> tuple[Given, Model]:
    """The case in which the deviation of that name is tried, and its model."""
    wrong = deviation(name)
    given = Given(wrong.configuration, ENVIRONMENTS[wrong.environment])
    return given, model_of(given, wrong.alter(given.options, given.environment))
