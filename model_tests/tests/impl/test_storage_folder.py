"""Units in a folder on disk: killed in the midst of work, and refused where the folder is not theirs any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Image, Put, Receive, Relate, Write
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.folder import open_primary, open_secondary
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.naive_storage import NaivePrimary, NaiveSecondary, PrimaryRig, SecondaryRig
from mirrorspec.spec.errors import BadInputError

SHAPE = UnitShape((3, 2), 512)
UNIT = """
import sys
from pathlib import Path
from random import Random
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Put
from mirrorspec.impl.storage.bitmaps import Placement
from mirrorspec.impl.storage.folder import open_primary, open_secondary
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.naive_storage import PrimaryRig, SecondaryRig
shape = UnitShape((3, 2), 512)
kind, variant, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if kind == "primary":
    storage = open_primary(folder, shape, placement=Placement(variant))
    acts, make = (storage.destage, storage.sweep), PrimaryRig(shape, Placement.NVS, True, Random(0))
else:
    storage = open_secondary(folder, shape, method=Method(variant), background=True)
    acts, make = (storage.destage, storage.sweep, storage.copy_some), SecondaryRig(shape, Method.COPY, True, Random(0))
number = storage.load().epoch
while True:
    number += 1
    random = Random(number)
    storage.commit([make.change(random), make.change(random), Put("epoch", number)])
    print(number, flush=True)
    random.choice(acts)(2)
"""


@pytest.mark.parametrize(
    ("kind", "variant"),
    [*(("primary", placement.value) for placement in Placement), *(("secondary", method.value) for method in Method)],
)
def test_a_unit_that_is_killed_finds_all_that_it_had_committed(tmp_path: Path, kind: str, variant: str) -> None:
    """SIGKILL again and again, amid commits, destaging, copying and sweeping; record and images are those of full copies."""
    done = 0
    model: NaivePrimary | NaiveSecondary
    maker: PrimaryRig | SecondaryRig
    if kind == "primary":
        model, maker = NaivePrimary(SHAPE, True), PrimaryRig(SHAPE, Placement.NVS, True, Random(0))
    else:
        model, maker = NaiveSecondary(SHAPE), SecondaryRig(SHAPE, Method.COPY, True, Random(0))
    for life in range(6):
        running = subprocess.Popen(
            [sys.executable, "-c", UNIT, kind, variant, str(tmp_path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert running.stdout is not None
        reported = [running.stdout.readline() for _ in range(7 + 5 * life)]
        running.send_signal(signal.SIGKILL)
        reported += running.stdout.readlines()
        running.wait()
        running.stdout.close()
        last = int([line for line in reported if line.endswith(b"\n")][-1])
        storage = (
            open_primary(tmp_path, SHAPE, placement=Placement(variant))
            if kind == "primary"
            else open_secondary(tmp_path, SHAPE, method=Method(variant), background=True)
        )
        found = storage.load()
        assert found.epoch in {last, last + 1}
        for number in range(done + 1, found.epoch + 1):
            random = Random(number)
            model.apply([maker.change(random), maker.change(random), Put("epoch", number)])
        done = found.epoch
        assert found == model.record
        images = (Image.CACHE,) if isinstance(model, NaivePrimary) else (Image.MIRROR, Image.TARGET)
        wanted = (model.cache,) if isinstance(model, NaivePrimary) else (model.mirror, model.target)
        for image, contents in zip(images, wanted, strict=True):
            assert [storage.read(image, track) for track in range(SHAPE.tracks)] == contents
        if isinstance(model, NaivePrimary):
            assert {track: storage.read(Image.PRESERVED, track) for track in model.preserved} == model.preserved
        storage.close()


@pytest.mark.parametrize("kind", ["primary", "secondary"])
def test_a_volume_that_is_missing_is_not_made_anew(tmp_path: Path, kind: str) -> None:
    """Zeros in its place would hide that contents were lost; and whatever was opened before is closed again."""

    def opened() -> None:
        (open_primary if kind == "primary" else open_secondary)(tmp_path, SHAPE).close()

    opened()
    (tmp_path / "volume-1").unlink()
    for _ in range(2):
        with pytest.raises(BadInputError, match="volume-1: No such file"):
            opened()
    assert not (tmp_path / "volume-1").exists()


def test_a_folder_is_open_once(tmp_path: Path) -> None:
    """The second is refused before it touches a file."""
    held = open_primary(tmp_path, SHAPE)
    with pytest.raises(BadInputError, match="in use by another process"):
        open_primary(tmp_path, SHAPE)
    held.close()
    with pytest.raises(BadInputError, match="of a primary"):
        open_secondary(tmp_path, SHAPE)


def test_what_is_destaged_stands_in_the_volumes_file(tmp_path: Path) -> None:
    """Track n at n times the bytes of a track, for any tool to read."""
    primary = open_primary(tmp_path, SHAPE)
    primary.commit([Write(Image.CACHE, 4, 2, b"new")])
    assert (tmp_path / "volume-1").read_bytes() == bytes(1024)
    assert primary.destage(8) == [4]
    assert (tmp_path / "volume-1").read_bytes() == bytes(514) + b"new" + bytes(507)
    primary.close()


@pytest.mark.parametrize(("method", "contents"), [(Method.COPY, b"new"), (Method.REDIRECT, b"old")])
def test_a_target_keeps_its_contents_in_either_way(tmp_path: Path, method: Method, contents: bytes) -> None:
    """[0021] the old contents have been copied away, [0020] the new ones have gone elsewhere: so the volume's file differs."""
    storage = open_secondary(tmp_path, SHAPE, method=method)
    storage.commit([Receive(0, 1, 1, b"old".ljust(512)), Relate(0, "flash", 1, 1)])
    storage.commit([Receive(0, 1, 2, b"new".ljust(512))])
    storage.destage(8)
    assert storage.read(Image.MIRROR, 0)[:3] == b"new"
    assert storage.read(Image.TARGET, 0)[:3] == b"old"
    assert (tmp_path / "volume-0").read_bytes()[:3] == contents
    storage.close()
