"""The running reading does what the bits reading does, on every event of random walks."""

from __future__ import annotations

import random

import pytest

from mirrorspec.spec.configuration import HARDENED, SEED, Configuration
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.readings.running import RunningReading
from mirrorspec.spec.universe import Universe

UNIVERSE = Universe.of((((2, 2), (1,)), ((2,),)), 3)


@pytest.mark.parametrize("options", [SEED, HARDENED], ids=lambda o: o.name)
def test_running_and_bits_agree_on_guards_and_on_what_changes(options: Configuration) -> None:
    model = build(options, ENVIRONMENTS["all"], complete=True, emptied=False, kinds=(Kind.SOMETIMES,))
    running, bits = RunningReading(model, UNIVERSE), BitsReading(model, UNIVERSE)
    tests = {p.name: (running.test(p.of_state), p.of_state) for p in model.properties}
    draw = random.Random(20261124)
    taken, reached = set(), set()
    for _ in range(12):
        state, words = bits.initial(), running.initial()
        for _ in range(60):
            for event in draw.sample(bits.events, 30):
                copy = dict(words)
                refused = running.take(event.step.name, event.things, copy)
                expected = bits.refusals(event, state)
                assert refused == (expected[0] if expected else None)
                if refused is not None:
                    assert copy == words, "a refused event changes nothing"
            event = draw.choice(list(bits.enabled(state)))
            state = bits.after(event, state)
            assert running.take(event.step.name, event.things, words) is None
            taken.add(event.step.name)
            assert words == {name: state[name] for name in words}
            for name, (test, truth) in tests.items():
                assert test(words) == bits.truth(truth, state)
                reached |= {name} if test(words) else set()
    assert len(taken) > 20
    assert reached, "no truth ever held"
