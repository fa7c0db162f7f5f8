"""Whatever is committed, in whatever order: record and images are those of full copies, also across restarts and failures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Bitmap, Image, Mark, Merge, Preserve, Receive, Relate, Write
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.layers import Layers
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.model_tests.crashing_storage import Happening
from mirrorspec.model_tests.naive_storage import PrimaryRig, Rig, SecondaryRig

SHAPE = UnitShape((3, 2), 4)
Make = Callable[[Random], Rig]
PRIMARIES: dict[str, Make] = {
    f"{placement}, {'durable' if durable else 'volatile'}": partial(PrimaryRig, SHAPE, placement, durable)
    for placement in Placement
    for durable in (True, False)
}
SECONDARIES: dict[str, Make] = {
    f"{method}, {'background' if background else 'no'} copy": partial(SecondaryRig, SHAPE, method, background)
    for method in Method
    for background in (True, False)
}
RIGS = {**PRIMARIES, **SECONDARIES}


@pytest.mark.parametrize("name", RIGS)
@given(random=st.randoms(use_true_random=False), length=st.integers(1, 60))
def test_every_sequence_gives_the_images_of_full_copies(name: str, random: Random, length: int) -> None:
    """[0017, 0020-0021, 0029-0034, 0044]: with closing and reopening anywhere."""
    rig = RIGS[name](random)
    for _ in range(length):
        rig.do(("restart", 0, ()) if not random.randrange(6) else rig.operation(random))
        rig.agree()


@pytest.mark.parametrize("name", RIGS)
@given(random=st.randoms(use_true_random=False), length=st.integers(1, 40))
def test_a_persist_that_fails_changes_nothing_and_a_later_one_works(name: str, random: Random, length: int) -> None:
    """A failure at any persist point: the operation has not happened, and succeeds when it is tried again."""
    rig = RIGS[name](random)
    for _ in range(length):
        operation = rig.operation(random)
        rig.points.arm(rig.points.passed + random.randrange(4), Happening.FAILURE)
        try:
            rig.do(operation)
        except StorageFailedError:
            rig.agree()
            rig.do(operation)
        rig.agree()
    rig.do(("restart", 0, ()))
    rig.agree()


@given(random=st.randoms(use_true_random=False), length=st.integers(1, 60))
def test_both_placements_are_equal_in_effect(random: Random, length: int) -> None:
    """[0033]: the same operations, restarts included, leave the same record and the same images."""
    one, other = (PrimaryRig(SHAPE, placement, True, Random(0)) for placement in Placement)
    for _ in range(length):
        operation = ("restart", 0, ()) if not random.randrange(8) else one.operation(random)
        one.do(operation)
        other.do(operation)
        assert one.seen() == other.seen()


@pytest.mark.parametrize("name", SECONDARIES)
def test_a_long_life_ends_with_nothing_left_over(name: str) -> None:
    """Thousands of flashes, withdrawals and transfers: places suffice, and once swept no layer is left unlisted."""
    random = Random(7)
    rig = SECONDARIES[name](random)
    assert isinstance(rig, SecondaryRig)
    for number in range(3000):
        rig.do(rig.operation(random))
        if number % 100 == 0:
            rig.agree()
    rig.do(("commit", 0, (Relate(0, "commit", 1), Relate(1, "commit", 1))))
    while rig.storage.sweep(3):
        rig.agree()
    while rig.storage.destage(3):
        rig.agree()
    rig.do(("restart", 0, ()))
    rig.agree()
    assert rig.storage.sweep(1000) == 0
    kept = rig.content.content()
    assert sum(key[:1] == b"L" for key in kept) <= SHAPE.tracks  # one layer a volume, at most one entry a track
    assert not any(key[:1] == b"J" for key in kept)


def test_a_withdrawal_that_does_not_go_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison with full copies can fail: here a withdrawal does not go the way back."""
    honest = Layers.relate

    def forgetful(self: Layers, volume: int, act: str, batch: dict[bytes, bytes | None]) -> None:
        honest(self, volume, "commit" if act == "withdraw" else act, batch)

    monkeypatch.setattr(Layers, "relate", forgetful)
    rig = SecondaryRig(SHAPE, Method.COPY, False, Random(0))
    rig.do(("commit", 0, (Receive(0, 1, 1, b"abcd"), Relate(0, "flash", 1))))
    rig.do(("commit", 0, (Relate(0, "withdraw", 1),)))
    with pytest.raises(AssertionError):
        rig.agree()


@pytest.mark.parametrize("method", Method)
def test_the_first_flash_ever_can_be_taken_back(method: Method) -> None:
    """Before it the target holds zeros, and afterwards again."""
    rig = SecondaryRig(SHAPE, method, False, Random(0))
    rig.do(("commit", 0, (Receive(0, 1, 1, b"abcd"),)))
    assert rig.storage.read(Image.TARGET, 0) == bytes(4)
    rig.do(("commit", 0, (Relate(0, "flash", 1, 1),)))
    assert rig.storage.read(Image.TARGET, 0) == b"abcd"
    rig.do(("commit", 0, (Receive(0, 1, 2, b"efgh"), Relate(0, "withdraw", 1))))
    assert rig.storage.read(Image.TARGET, 0) == bytes(4)
    rig.agree()


@pytest.mark.parametrize("method", Method)
def test_a_background_copy_ends_with_nothing_shared(method: Method) -> None:
    """[0020]: in certain implementations a physical copy is made."""
    rig = SecondaryRig(SHAPE, method, True, Random(0))
    rig.do(("commit", 0, (Receive(0, 1, 1, b"abcd"), Relate(0, "flash", 1, 1))))
    assert rig.storage.shared(0) == 3
    assert [rig.storage.copy_some(2) for _ in range(3)] == [2, 1, 0]
    assert rig.storage.shared(0) == 0
    rig.agree()


@pytest.mark.parametrize("factor", [2, 300])
def test_a_write_a_flash_and_a_merge_persist_as_much_at_every_size(factor: int) -> None:
    """[0020, 0033, 0048]: what is committed does not grow with the volume."""
    for make in (
        lambda shape: PrimaryRig(shape, Placement.NVS, True, Random(0)),
        lambda shape: PrimaryRig(shape, Placement.COPY_ON_DISK, True, Random(0)),
        lambda shape: SecondaryRig(shape, Method.COPY, False, Random(0)),
        lambda shape: SecondaryRig(shape, Method.REDIRECT, False, Random(0)),
    ):
        sizes = []
        for tracks in (4096, 4096 * factor):
            rig = make(UnitShape((tracks,), 16))
            counted = _commits(rig)
            if isinstance(rig, PrimaryRig):
                rig.storage.commit([Preserve(5), Write(Image.CACHE, 5, 0, b"x"), Mark(Bitmap.CHANGE_RECORDING, 5)])
                rig.storage.commit([Merge()])
            else:
                rig.storage.commit([Receive(5, 1, 1, bytes(16)), Relate(0, "flash", 1)])
                rig.storage.commit([Receive(5, 1, 2, bytes(16))])
                rig.storage.commit([Relate(0, "withdraw", 1)])
            sizes.append(counted)
        assert sizes[0] == sizes[1]
        assert len(sizes[0]) >= 2


def _commits(rig: PrimaryRig | SecondaryRig) -> list[int]:
    """The bytes of each commit from now on."""
    found: list[int] = []
    honest = rig.content.commit

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(rig.content, name)

        def commit(self, changes: dict[bytes, bytes | None]) -> None:
            found.append(sum(len(key) + len(value or b"") for key, value in changes.items()))
            honest(changes)

    rig.storage._store = Counting()  # type: ignore[assignment]
    return found
