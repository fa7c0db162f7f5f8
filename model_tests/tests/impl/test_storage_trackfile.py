"""Track files: what they hold, and that the one on disk is a plain file of the right size in its folder, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.impl.storage.trackfile import DiskTrackFile, MemoryTrackFile
from mirrorspec.spec.errors import BadInputError


@given(writes=st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=5, max_size=5)), max_size=10))
def test_both_hold_what_was_last_written(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, bytes]]
) -> None:
    """Zeros where nothing was; the one on disk also when it is opened again."""
    folder = tmp_path_factory.mktemp("volumes")
    memory, disk = MemoryTrackFile(4, 5), DiskTrackFile(folder, "volume", 4, 5)
    plain = [bytes(5)] * 4
    for track, data in writes:
        memory.write(track, data)
        disk.write(track, data)
        plain[track] = data
    disk.flush()
    disk.close()
    again = DiskTrackFile(folder, "volume", 4, 5)
    assert [memory.read(n) for n in range(4)] == [again.read(n) for n in range(4)] == plain
    again.close()
    assert (folder / "volume").read_bytes() == b"".join(plain)


def test_a_new_file_is_sparse_and_has_its_exact_size(tmp_path: Path) -> None:
    """A terabyte takes no room; only its owner may read it."""
    DiskTrackFile(tmp_path, "volume", 1 << 24, 1 << 16).close()
    found = (tmp_path / "volume").stat()
    assert found.st_size == 1 << 40
    assert found.st_blocks < 100
    assert found.st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["volume"]


def test_a_crash_while_a_file_is_made_leaves_no_short_one(tmp_path: Path) -> None:
    """The remains of the making are taken away."""
    (tmp_path / ".volume.making").write_bytes(b"123")
    DiskTrackFile(tmp_path, "volume", 2, 4).close()
    assert [path.name for path in tmp_path.iterdir()] == ["volume"]


@pytest.mark.parametrize(
    "kind", ["link", "broken link", "pipe", "folder", "short", "long", "nowhere", "outside", "nothing"]
)
def test_anything_else_is_refused(tmp_path: Path, kind: str) -> None:
    """One line each: never followed, never waited for, never cut or grown to fit."""
    folder, name = tmp_path / "folder", "volume"
    folder.mkdir()
    path = folder / name
    (tmp_path / "outside").write_bytes(bytes(8))
    if kind == "link":
        path.symlink_to(tmp_path / "outside")
    elif kind == "broken link":
        path.symlink_to(tmp_path / "absent")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind in {"short", "long"}:
        path.write_bytes(bytes(7 if kind == "short" else 9))
    elif kind == "nowhere":
        folder = tmp_path / "absent"
    else:
        name = "../outside" if kind == "outside" else ""
    with pytest.raises(BadInputError) as error:
        DiskTrackFile(folder, name, 2, 4)
    words = {
        "link": "a link, not a plain file",
        "broken link": "a link, not a plain file",
        "pipe": "not a plain file",
        "folder": "Is a directory",
        "short": "has 7 bytes, and 2 tracks have 8",
        "long": "has 9 bytes, and 2 tracks have 8",
        "nowhere": "No such file or directory",
    }
    assert words.get(kind, "is not the name of a file") in str(error.value)
    assert not (tmp_path / "absent").exists()
    assert (tmp_path / "outside").read_bytes() == bytes(8)


@pytest.mark.parametrize(("track", "length"), [(2, 4), (-1, 4), (0, 3), (0, 5)])
def test_what_does_not_fit_is_a_mistake(tmp_path: Path, track: int, length: int) -> None:
    """Nothing is written beyond a track."""
    disk = DiskTrackFile(tmp_path, "volume", 2, 4)
    for file in (disk, MemoryTrackFile(2, 4)):
        with pytest.raises(ValueError):
            file.write(track, bytes(length))
    disk.close()


def test_whatever_the_system_reports_is_a_failure_of_storage(tmp_path: Path) -> None:
    """The file is cut by somebody else, and then taken away from below."""
    file = DiskTrackFile(tmp_path, "volume", 2, 4)
    os.truncate(tmp_path / "volume", 6)
    with pytest.raises(StorageFailedError, match="ends within track 1"):
        file.read(1)
    file.close()
    for act in (lambda: file.read(0), lambda: file.write(0, bytes(4)), file.flush):
        with pytest.raises(StorageFailedError):
            act()
