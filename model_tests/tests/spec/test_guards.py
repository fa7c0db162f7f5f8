"""Every guard of every step has its plain words, and no words are left over."""

from __future__ import annotations

from itertools import product

from mirrorspec.spec.configuration import HARDENED, SEED, Collision, Hold, Restart, Switch
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.guards import GUARDS, refusal
from mirrorspec.spec.model import stage


def of_steps() -> set[str]:
    """The names in the staged steps of every variant in every environment."""
    variants = [
        base.with_options(hold=hold, collision=collision, switch=switch, restart=restart)
        for base, hold, collision, switch, restart in product((SEED, HARDENED), Hold, Collision, Switch, Restart)
    ]
    return {
        guard
        for options, environment in product(variants, ENVIRONMENTS.values())
        for step in stage(options, environment)
        for guard in step.guards
    }


def of_deviations() -> set[str]:
    """The names in the steps as the deviations alter them."""
    return {
        guard
        for deviation in DEVIATIONS.values()
        for step in deviation.alter(deviation.configuration, ENVIRONMENTS[deviation.environment])
        for guard in step.guards
    }


def test_every_guard_has_words_and_none_is_stale() -> None:
    used = of_steps() | of_deviations()
    assert used - GUARDS.keys() == set(), "guards without words"
    assert GUARDS.keys() - used == set(), "words of guards that no step has"


def test_the_words_read_after_refused() -> None:
    for name, words in GUARDS.items():
        assert words == words.strip().rstrip("."), name
        assert words[0].islower(), name
        assert len(words) <= 100, name
    assert len(set(GUARDS.values())) == len(GUARDS), "two guards with the same words"


def test_several_refusals_are_one_line() -> None:
    assert refusal(["issued", "mode"]) == "no host has sent this write; the unit's mode does not allow it"
