"""A crash at every persist point of a run: what is found again is what was committed, whole, and the run can go on.

Each run is first made without a crash, which counts its persist points. Then it is made anew for each point and each thing that
can happen there; what an unflushed write leaves is drawn anew too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Image, Receive, Relate, Write
from mirrorspec.impl.storage.bitmap_copy import CopyBitmaps
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.places import Places
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.model_tests.crashing_storage import CrashedError, CrashingTrackFile, Happening
from mirrorspec.model_tests.naive_storage import Operation, PrimaryRig, Rig, SecondaryRig
from mirrorspec.spec.errors import BadInputError

SHAPE = UnitShape((2, 2), 8)
OPERATIONS = 60
KINDS: dict[str, Callable[[Random], Rig]] = {
    "primary, bitmaps in NVS": partial(PrimaryRig, SHAPE, Placement.NVS, True),
    "primary, bitmaps with a copy on disk": partial(PrimaryRig, SHAPE, Placement.COPY_ON_DISK, True),
    "primary, preserved images in memory": partial(PrimaryRig, SHAPE, Placement.COPY_ON_DISK, False),
    "secondary, redirect": partial(SecondaryRig, SHAPE, Method.REDIRECT, False),
    "secondary, redirect and background": partial(SecondaryRig, SHAPE, Method.REDIRECT, True),
    "secondary, copy": partial(SecondaryRig, SHAPE, Method.COPY, False),
    "secondary, copy and background": partial(SecondaryRig, SHAPE, Method.COPY, True),
}


def operations(kind: str, seed: int) -> list[Operation]:
    """A run, the same for the same seed."""
    random = Random(seed)
    rig = KINDS[kind](random)
    return [rig.operation(random) for _ in range(OPERATIONS)]


def run(rig: Rig, todo: list[Operation]) -> int:
    """Carry out the operations, restarting after a crash and repeating after a failure; how often that was."""
    happened = 0
    for operation in todo:
        try:
            rig.do(operation)
        except CrashedError:
            happened += 1
            rig.restart()
            rig.agree()
        except StorageFailedError:
            happened += 1
            rig.agree()
            rig.do(operation)
    rig.agree()
    rig.restart()
    rig.agree()
    return happened


def crash_everywhere(kind: str, seed: int) -> int:
    """One run for each of its persist points and each thing that can happen there; how many runs."""
    todo = operations(kind, seed)
    calm = KINDS[kind](Random(seed))
    assert run(calm, todo) == 0
    runs = 0
    for point in range(calm.points.passed):
        for what in Happening:
            rig = KINDS[kind](Random(f"{seed} {point} {what}"))
            if point < rig.points.passed:
                continue  # it lies in the making of the storage, which has a test of its own
            rig.points.arm(point, what)
            assert run(rig, todo) == 1, f"persist point {point} of {kind} was not reached"
            runs += 1
    return runs


def crash_in_runs(kind: str, seeds: range) -> None:
    """Several runs."""
    for seed in seeds:
        crash_everywhere(kind, seed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_at_any_persist_point_loses_nothing_that_was_committed(kind: str, seed: int) -> None:
    """[0017]: all persist points of the run are tried, before, in the midst, after, and as a failure."""
    assert crash_everywhere(kind, seed) >= 100


@pytest.mark.parametrize("what", [Happening.BEFORE, Happening.AFTER])
@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_while_a_storage_is_first_made_leaves_one_that_can_be_made(kind: str, what: Happening) -> None:
    """The one persist point of a first opening: the store then is empty, or already says what it is of."""
    rig = KINDS[kind](Random(0))
    assert list(rig.content.keys(b"")) == [b"I"]
    rig.content.commit({b"I": None})
    rig.points.arm(rig.points.passed, what)
    with pytest.raises(CrashedError):
        rig.reopen()
    rig.reopen()
    rig.agree()


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3, 100))
@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_at_any_persist_point_of_many_runs(kind: str, seed: int) -> None:
    """The same for many more runs."""
    crash_everywhere(kind, seed)


class TestWrongStorageIsCaught:
    """The search above can fail: three ways to save a flush or an order, each found by it."""

    def caught(self, kind: str) -> None:
        """A wrong record or image is found, or storage that is refused as damaged."""
        with pytest.raises((AssertionError, BadInputError)):
            crash_in_runs(kind, range(5))

    @pytest.mark.parametrize("kind", ["primary, bitmaps in NVS", "secondary, redirect", "secondary, copy"])
    def test_destaging_without_a_flush(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The store's copy is dropped while the file's can still be lost."""
        monkeypatch.setattr(Places, "flush", lambda places: None)
        self.caught(kind)

    def test_overwriting_before_the_copy_is_hardened(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """[0021]: here the target's copy counts before it is on the medium."""
        honest = Places.flush

        def only_in_destage(places: Places) -> None:
            if places._dirty == {0} or places._dirty == {1}:
                honest(places)

        monkeypatch.setattr(Places, "flush", only_in_destage)
        self.caught("secondary, copy")

    def test_a_copy_of_the_bitmaps_that_counts_before_it_is_flushed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """[0033]: the changes are dropped while the copy that holds them can still be lost."""
        honest = CopyBitmaps.renew

        def hasty(bitmaps: CopyBitmaps) -> None:
            flush = CrashingTrackFile.flush
            monkeypatch.setattr(CrashingTrackFile, "flush", lambda file: None)
            try:
                honest(bitmaps)
            finally:
                monkeypatch.setattr(CrashingTrackFile, "flush", flush)

        monkeypatch.setattr(CopyBitmaps, "renew", hasty)
        self.caught("primary, bitmaps with a copy on disk")

    def test_overwriting_the_place_that_a_target_shares(self) -> None:
        """A crash model without a torn write would not see it: the target's old contents are the mirror's new ones in part."""
        rig = SecondaryRig(SHAPE, Method.REDIRECT, False, Random(1))
        rig.do(("commit", 0, (Receive(0, 1, 1, b"abcdefgh"), Relate(0, "flash", 1))))
        rig.do(("destage", 9, ()))
        rig.do(("commit", 0, (Receive(0, 1, 2, b"ijklmnop"),)))
        rig.storage._places.write(0, b"ijklmnop")
        with pytest.raises(AssertionError):
            rig.agree()


def test_a_write_is_destaged_in_the_background_and_stays_in_the_cache() -> None:
    """[0030]: destaged, not removed; demoted, and staged again when it is read."""
    rig = PrimaryRig(SHAPE, Placement.NVS, True, Random(0))
    rig.do(("commit", 0, (Write(Image.CACHE, 1, 2, b"xy"), Write(Image.CACHE, 3, 0, b"z"))))
    storage = rig.storage
    assert (storage.waiting, storage.cached) == (2, 2)
    assert storage.destage(1) == [1]
    assert (storage.waiting, storage.cached) == (1, 2)
    assert storage.demote(1)
    assert storage.demote(3)  # before it is destaged, too
    assert not storage.demote(3)
    assert storage.cached == 0
    rig.agree()
    assert storage.destage(9) == [3]
    assert storage.destage(9) == []
    rig.do(("restart", 0, ()))
    rig.agree()
    rig.storage.demote(1)
    rig.storage.promote(1)
    assert rig.storage.demote(1)
