"""What a store promises, of the one in memory and the one on disk; and that the one on disk keeps to itself."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Bitmap, Image, Mark, Put, Receive, Relate, Write
from mirrorspec.impl.storage.primary import PrimaryStorage
from mirrorspec.impl.storage.secondary import SecondaryStorage, target_tracks
from mirrorspec.impl.storage.sqlite import MOST_ROWS, SqliteStore
from mirrorspec.impl.storage.store import MemoryStore, StorageFailedError, Store
from mirrorspec.impl.storage.trackfile import MemoryTrackFile
from mirrorspec.spec.errors import BadInputError

KEYS = st.binary(min_size=1, max_size=3)
BATCHES = st.lists(st.dictionaries(KEYS, st.none() | st.binary(max_size=5), max_size=5), max_size=6)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each of the two."""
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "store")
    yield made
    made.close()


@given(batches=BATCHES, prefix=st.binary(max_size=2), reopened=st.booleans())
def test_both_stores_are_a_dictionary(batches: list[dict[bytes, bytes | None]], prefix: bytes, reopened: bool) -> None:
    """After any batches, and for the one on disk after a restart too."""
    with tempfile.TemporaryDirectory() as folder:
        stores: list[Store] = [MemoryStore(), SqliteStore(Path(folder) / "store")]
        plain: dict[bytes, bytes] = {}
        for batch in batches:
            for one in stores:
                one.commit(batch)
            plain.update({key: value for key, value in batch.items() if value is not None})
            plain = {key: value for key, value in plain.items() if batch.get(key, b"") is not None}
        if reopened:
            stores[1].close()
            stores[1] = SqliteStore(Path(folder) / "store")
        wanted = sorted((key, value) for key, value in plain.items() if key.startswith(prefix))
        for one in stores:
            assert list(one.items(prefix)) == wanted
            assert list(one.keys(prefix)) == [key for key, _ in wanted]
            assert all(one.get(key) == value for key, value in wanted)
            assert one.get(b"four") is None
            one.close()


def test_a_range_longer_than_one_portion_is_read_whole(store: Store) -> None:
    """Rows are fetched in portions."""
    many = {b"k" + number.to_bytes(4, "big"): b"v" for number in range(3 * MOST_ROWS)}
    store.commit({**many, b"j": b"", b"l": b""})
    assert list(store.keys(b"k")) == sorted(many)
    assert dict(store.items(b"k")) == many


@pytest.mark.parametrize("when", ["in the batch", "at the end"])
def test_a_commit_that_fails_changes_nothing_and_a_later_one_works(tmp_path: Path, when: str) -> None:
    """No room: SQLite is told so by its own limit in the batch, by the system's limit on files at the end."""
    program = f"""
import resource, signal, sqlite3, sys
from pathlib import Path
from mirrorspec.impl.storage.sqlite import SqliteStore
from mirrorspec.impl.storage.store import StorageFailedError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(Path(sys.argv[1]))
store.commit({{b"a": b"old", b"b": b"kept"}})
if {when!r} == "in the batch":
    store._connection.execute("PRAGMA max_page_count = 10")
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
try:
    store.commit({{b"a": bytes(100_000), b"c": b"new", b"b": None}})
except StorageFailedError as error:
    print("refused")
print(store.get(b"a"), store.get(b"b"), store.get(b"c"))
if {when!r} == "in the batch":
    store._connection.execute("PRAGMA max_page_count = 1000000")
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.commit({{b"c": b"later"}})
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["refused", "b'old' b'kept' None"]
    found = SqliteStore(tmp_path / "store")
    assert [found.get(key) for key in (b"a", b"b", b"c")] == [b"old", b"kept", b"later"]
    found.close()


def test_what_was_committed_outlives_a_kill(tmp_path: Path) -> None:
    """SIGKILL in the midst of commits: every batch that was reported is there, and none in part."""
    program = """
import sys
from pathlib import Path
from mirrorspec.impl.storage.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
first = int.from_bytes(store.get(b"n") or b"", "big")
for number in range(first + 1, 1_000_000):
    value = number.to_bytes(4, "big")
    store.commit({b"n": value, b"m": value, b"large": value * 2000})
    print(number, flush=True)
"""
    path = tmp_path / "store"
    for _ in range(5):
        running = subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert running.stdout is not None
        reported = [running.stdout.readline() for _ in range(5)]
        running.send_signal(signal.SIGKILL)
        reported += running.stdout.readlines()
        running.wait()
        running.stdout.close()
        whole = [line for line in reported if line.endswith(b"\n")]
        store = SqliteStore(path)
        found = store.get(b"n")
        assert found is not None
        assert int.from_bytes(found, "big") >= int(whole[-1])
        assert (store.get(b"m"), store.get(b"large")) == (found, found * 2000)
        store.close()


def refused(path: Path) -> str:
    """The line with which a file is refused."""
    with pytest.raises(BadInputError) as error:
        SqliteStore(path)
    assert "\n" not in str(error.value)
    return str(error.value)


class TestAnotherFileIsRefused:
    """One clear line, and the file is as it was."""

    def test_open_elsewhere(self, tmp_path: Path) -> None:
        """A second process, or a second time in this one."""
        held = SqliteStore(tmp_path / "store")
        assert refused(tmp_path / "store").endswith("in use by another process")
        program = """
import sys
from pathlib import Path
from mirrorspec.impl.storage.sqlite import SqliteStore
SqliteStore(Path(sys.argv[1]))
"""
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "store")],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert "in use by another process" in done.stderr
        held.close()
        SqliteStore(tmp_path / "store").close()

    def test_not_an_sqlite_file(self, tmp_path: Path) -> None:
        """Text of some length."""
        path = tmp_path / "notes"
        path.write_bytes(b"no database " * 1000)
        assert "not an SQLite file" in refused(path)
        assert path.read_bytes() == b"no database " * 1000

    def test_the_database_of_something_else(self, tmp_path: Path) -> None:
        """It is not touched."""
        path = tmp_path / "other"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE kv (key, value)")
        other.close()
        before = path.read_bytes()
        assert "of something else" in refused(path)
        assert path.read_bytes() == before

    def test_another_format(self, tmp_path: Path) -> None:
        """The line says which format the file has, and which can be read."""
        path = tmp_path / "store"
        SqliteStore(path).close()
        other = sqlite3.connect(path)
        other.execute("PRAGMA user_version = 9")
        other.close()
        assert refused(path).endswith("has format 9, and this version reads format 1")

    def test_a_damaged_file(self, tmp_path: Path) -> None:
        """Its first pages are overwritten behind the header."""
        path = tmp_path / "store"
        store = SqliteStore(path)
        store.commit({bytes([n]): bytes(1000) for n in range(100)})
        store.close()
        content = bytearray(path.read_bytes())
        content[100:8192] = b"\xff" * 8092
        path.write_bytes(content)
        assert "damaged" in refused(path)

    @pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nowhere"])
    def test_not_a_plain_file(self, tmp_path: Path, kind: str) -> None:
        """None is followed, waited for, or made."""
        path = tmp_path / "store"
        if kind == "link":
            path.symlink_to(tmp_path / "elsewhere")
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path = tmp_path / "no" / "store"
        assert refused(path).endswith("no such folder" if kind == "nowhere" else "not a plain file")
        assert not (tmp_path / "elsewhere").exists()


SHAPE = UnitShape((2, 2), 16)


def primary(store: Store, **options: object) -> PrimaryStorage:
    """A primary over the store."""
    shape = options.pop("shape", SHAPE)
    assert isinstance(shape, UnitShape)
    files = [MemoryTrackFile(n, shape.track_bytes) for n in shape.volumes]
    return PrimaryStorage(shape, store, files, **options)  # type: ignore[arg-type]


def secondary(store: Store) -> SecondaryStorage:
    """A secondary over the store."""
    files = [MemoryTrackFile(n, 16) for n in SHAPE.volumes]
    return SecondaryStorage(SHAPE, store, files, [MemoryTrackFile(target_tracks(SHAPE, v), 16) for v in range(2)])


class TestAStoreOfAnotherUnitIsRefused:
    def test_another_kind_shape_or_option(self, store: Store) -> None:
        """The line says what the store is of, and what was asked for."""
        primary(store).commit([Mark(Bitmap.OUT_OF_SYNC, 3)])
        for make in (
            lambda: secondary(store),
            lambda: primary(store, shape=UnitShape((4,), 16)),
            lambda: primary(store, preserved_durable=False),
        ):
            with pytest.raises(BadInputError, match="it is of a primary format 1 tracks 2,2 of 16 bytes"):
                make()
        assert 3 in primary(store).load().bitmaps[Bitmap.OUT_OF_SYNC]

    def test_not_a_units(self, store: Store) -> None:
        """It holds something, and not what a unit puts there."""
        store.commit({b"x": b"y"})
        with pytest.raises(BadInputError, match="not that of a unit"):
            primary(store)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (b"Rmode", b"i5"),
            (b"Rnonsense", b"i5"),
            (b"Rsession", b"?"),
            (b"Rsession", b"ix"),
            (b"J\0", b""),
            (b"J\0\0\0\x04", bytes(16)),
            (b"B\0\0\0\0\0", b"\xff"),
            (b"B\0\0\0\0\0", b"\x01\x01"),
            (b"B\x07\0\0\0\0", b"\x01"),
            (b"P" + bytes(11), b""),
            (b"Q", b"1"),
        ],
    )
    def test_a_damaged_primary(self, store: Store, key: bytes, value: bytes) -> None:
        """Whatever no primary writes, by length, type or range."""
        primary(store)
        store.commit({key: value})
        with pytest.raises(BadInputError, match="damaged"):
            primary(store).load()

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (b"V\0\0\0\0", b"short"),
            (b"V\0\0\0\0", bytes(32) + b"lost"),
            (b"V\0\0\0\x09", bytes(32) + b"settled"),
            (b"N\0\0\0\0", b""),
            (b"N\0\0\0\x04", bytes(16)),
            (b"F\0\0\0\0", b""),
            (b"F\0\0\0\0", b"\0\0\0\x02" + bytes(8)),
            (b"F\0\0\0\x02", b"\0\0\0\x01" + bytes(8)),
            (b"M\0\0\0\0", b"\0\0\0\x01"),
            (b"L" + bytes(7) + b"\x01" + bytes(4), b"\0\0\x01\0"),
        ],
    )
    def test_a_damaged_secondary(self, store: Store, key: bytes, value: bytes) -> None:
        """Whatever no secondary writes, by length, type or range."""
        secondary(store)
        store.commit({key: value})
        with pytest.raises(BadInputError, match="damaged"):
            secondary(store)


class TestAChangeThatCannotBe:
    """A mistake in the program, and nothing is changed by it."""

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            (Write(Image.CACHE, 0, 10, b"1234567"), ValueError),
            (Write(Image.CACHE, 0, -1, b"1"), ValueError),
            (Write(Image.MIRROR, 0, 0, b"1"), ValueError),
            (Write(Image.CACHE, 4, 0, b"1"), IndexError),
            (Mark(Bitmap.OUT_OF_SYNC, -1), IndexError),
            (Put("bitmaps", 1), ValueError),
            (Put("mode", 1), ValueError),
            (Relate(0, "flash", 1), TypeError),
        ],
    )
    def test_of_a_primary(self, change: object, error: type[Exception]) -> None:
        """Beyond the unit, of another kind, or to a field that the record does not have."""
        storage = primary(MemoryStore())
        with pytest.raises(error):
            storage.commit([Put("session", 5), change])  # type: ignore[list-item]
        assert storage.load().session == 0

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            (Receive(0, 1, 1, b"short"), ValueError),
            (Receive(4, 1, 1, bytes(16)), IndexError),
            (Relate(2, "flash", 1), IndexError),
            (Relate(0, "dance", 1), KeyError),
            (Put("relations", 1), ValueError),
            (Mark(Bitmap.OUT_OF_SYNC, 0), TypeError),
        ],
    )
    def test_of_a_secondary(self, change: object, error: type[Exception]) -> None:
        """The same of a secondary."""
        storage = secondary(MemoryStore())
        with pytest.raises(error):
            storage.commit([Put("session", 5), Relate(0, "flash", 3), Receive(1, 1, 1, bytes(16)), change])  # type: ignore[list-item]
        assert storage.load().session == 0
        assert storage.load().relations[0].state == "settled"


def test_a_closed_store_fails_as_storage_does(tmp_path: Path) -> None:
    """Whatever SQLite raises, the unit sees one kind of failure."""
    store = SqliteStore(tmp_path / "store")
    store.close()
    for act in (lambda: store.get(b"a"), lambda: list(store.keys(b"")), lambda: store.commit({b"a": b""})):
        with pytest.raises(StorageFailedError):
            act()
