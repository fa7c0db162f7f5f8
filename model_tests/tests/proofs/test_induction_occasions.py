"""The proof is not empty: within the invariant every step can happen, and everything that must happen sometimes."""

from __future__ import annotations

import pytest

from mirrorspec.proofs.induction.cases import named
from mirrorspec.proofs.induction.discharge import Formulas
from mirrorspec.proofs.induction.occasions import NEVER, occasions
from mirrorspec.spec.properties import PROPERTIES, Kind
from mirrorspec.spec.steps import STEPS


@pytest.mark.parametrize("name", ["hardened", "hardened+in_cache+send_copy+leave", "hardened+send_first", "seed"])
def test_every_step_has_its_occasion(name: str) -> None:
    given = named(name)
    found = list(occasions(given, Formulas()))
    assert [o.name for o in found if not o.good] == []
    steps = {
        s.name
        for s in STEPS.values()
        if s.applies(given.options) and (s.fault or "") in given.environment.faults | {""}
    }
    assert steps <= {o.name for o in found}


def test_every_sometimes_has_its_occasion_in_the_hardened_protocol() -> None:
    found = {o.name for o in occasions(named("hardened"), Formulas()) if o.state is not None}
    assert {p.name for p in PROPERTIES.values() if p.kind is Kind.SOMETIMES} <= found
    assert not NEVER.keys() & found
