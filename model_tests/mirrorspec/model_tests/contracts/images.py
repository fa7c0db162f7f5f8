"""Every state of two flash relations, recovered twice: by the algebra, and by the rows that a site would hold.

`spec.recovery` has two texts, and this compares them on *all* states of two volumes, reachable or not (random walks through
reachable states of two units are in the tests of `spec.recovery`): which volumes are flashed or committed, and what the targets
hold now and held before. The image after the rows' decision has to be the one that the algebra says recovery yields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from mirrorspec.model_tests.contracts.steps import Case
from mirrorspec.spec import recovery
from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.recovery import Action, Row
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.universe import Universe

TWO_VOLUMES = Universe.of((((1,), (1,)),))
"""One track with one write on each volume, so that a word of writes has the bits of a word of volumes."""
EVERY_WORD = range(4)
NUMBERS = (1, 2, 7)
"""Numbers of the increment under way: the first, whose revert restores the initial copy, and later ones."""


def rows_of(flashed: int, committed: int, number: int) -> list[Row]:
    """What the secondary site holds of the increment of that number under way."""

    def row(v: int) -> Row:
        if flashed >> v & 1:
            return Row(f"V{v}", True, number, number - 1)
        return Row(f"V{v}", False, number if committed >> v & 1 else number - 1)

    return [row(v) for v in range(2)]


def image_of(before: list[Row], after: list[Row], number: int, target: int, previous: int) -> int | str:
    """What the targets hold once each relation is settled; words where one is not, or holds what no target can."""
    image = 0
    for v, (old, new) in enumerate(zip(before, after, strict=True)):
        if new.revertible or new.number not in (number, number - 1):
            return f"{new} is left"
        if not old.revertible and new != old:
            return f"{old} is settled, and made {new}"
        source = previous if old.revertible and new.number == number - 1 else target
        image |= source & (1 << v)
    return image


def recoveries(options: Configuration) -> Iterator[Case]:
    """Every state, for both choices that recovery leaves. A state that no increment can leave behind has to be refused."""
    reading = BitsReading(build(options, ENVIRONMENTS["standard"], complete=True, kinds=()), TWO_VOLUMES)
    s = symbolic_state()
    images = {False: recovery.recovered(s, options), True: recovery.committed_image(s, options)}
    for flashed, committed, target, previous in product(EVERY_WORD, repeat=4):
        if flashed & committed:
            continue
        words = {"flashed": flashed, "committed": committed, "target": target, "previous": previous}
        state = reading.initial() | words
        torn = committed and (flashed | committed) != 3
        for number, commit in product(NUMBERS, (False, True)):
            before = rows_of(flashed, committed, number)
            d = recovery.decide(before, [r.volume for r in before], commit=commit)
            after = recovery.apply(before, d)
            image = image_of(before, after, number, target, previous)
            decided: Mapping[str, object] = {"image": image} if d.number is not None else {"refused": d.action}
            specified: Mapping[str, object] = {"image": reading.value(images[commit], state)}
            if torn:  # some volumes are committed and others were never flashed: the algebra has no image for that
                decided, specified = {"refused": d.action}, {"refused": Action.REFUSE}
            yield Case("recovery", f"{words}, number {number}, commit {commit}", decided, specified)
