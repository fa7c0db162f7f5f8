"""How much the suite tries, and what it may leave out.

Profiles (`MIRRORSPEC_PROFILE`): *quick*, the default, and *ci* try the same examples on every run, so that a failure
belongs to the change that made it; *nightly* looks where nobody has looked yet, under a seed it prints, and is the only
one that runs the tests marked `nightly`. The profile is always loaded by name, since Hypothesis would otherwise load
one of its own wherever `CI` is set, without saying so.

A test marked `needs("spin")` is skipped without that program, by name; where `MIRRORSPEC_REQUIRE` lists the program,
its absence fails the test.
"""

from __future__ import annotations

import os
import random
import shutil

import pytest
from hypothesis import HealthCheck, settings

PROFILE = os.environ.get("MIRRORSPEC_PROFILE", "quick")
REQUIRED = os.environ.get("MIRRORSPEC_REQUIRE", "").split()

# Deadlines are off: one example may build a solver or compile a search, and a slow machine is not a failure.
# A fixed set of examples has no use for a database of earlier failures, which would make two machines differ.
settings.register_profile("quick", derandomize=True, database=None, deadline=None, max_examples=50)
settings.register_profile("ci", derandomize=True, database=None, deadline=None, max_examples=300)
settings.register_profile(
    "nightly",
    deadline=None,
    max_examples=5_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the profile by name, and fix the seed before Hypothesis's own plugin reads it."""
    try:
        settings.load_profile(PROFILE)
    except Exception as error:
        raise pytest.UsageError(f"MIRRORSPEC_PROFILE={PROFILE!r}: there are quick, ci and nightly") from error
    if PROFILE == "nightly" and config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


def pytest_report_header(config: pytest.Config) -> str:
    """The line that lets another machine repeat this run."""
    seed = config.option.hypothesis_seed
    how = "the same examples on every run" if settings().derandomize else f"repeat it with --hypothesis-seed={seed}"
    return f"mirrorspec: profile {PROFILE}, {settings().max_examples} examples a test, {how}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the nightly tests out, visibly as deselected, unless the profile or `-m` asks for them."""
    if PROFILE == "nightly" or config.option.markexpr:
        return
    nightly = [item for item in items if item.get_closest_marker("nightly")]
    if nightly:
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or where it is required fail, a test whose program is not installed."""
    for mark in item.iter_markers("needs"):
        program = str(mark.args[0])
        if shutil.which(program):
            continue
        if program in REQUIRED:
            pytest.fail(f"{program} is required here and not installed", pytrace=False)
        pytest.skip(f"LEFT OUT: {program} is not installed")
