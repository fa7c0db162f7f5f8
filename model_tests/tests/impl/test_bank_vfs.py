"""A database on a device: whatever prefix of its writes the device holds, it opens, and has what was committed [0008-0009]."""

from __future__ import annotations

import apsw
import pytest

from mirrorspec.model_tests.bank.devices import DeviceError, MemoryDevice
from mirrorspec.model_tests.bank.files import DIRECTORY_BYTES, Files
from mirrorspec.model_tests.bank.vfs import Database

SIZE = 48 * DIRECTORY_BYTES
INSERT = "insert into t(words) values (?)"


class RecordingDevice(MemoryDevice):
    """Keeps every write, in order; fails after so many."""

    def __init__(self, size_bytes: int = SIZE, most: int = 2**63) -> None:
        super().__init__(size_bytes)
        self.writes: list[tuple[int, bytes]] = []
        self.most = most

    def write(self, offset: int, data: bytes) -> None:
        """Write, or fail as a device whose unit has gone."""
        if len(self.writes) >= self.most:
            raise DeviceError("gone")
        self.writes.append((offset, data))
        super().write(offset, data)


def replayed(writes: list[tuple[int, bytes]]) -> MemoryDevice:
    """A device that got these writes and no others."""
    device = MemoryDevice(SIZE)
    for offset, data in writes:
        device.write(offset, data)
    return device


def recorded(transactions: int = 6) -> tuple[RecordingDevice, list[int]]:
    """A device, and after how many writes each transaction was committed; the first one makes the table."""
    device, committed = RecordingDevice(), []
    database = Database(device)
    database.rows("create table t(number integer primary key, words text)")
    committed.append(len(device.writes))
    for n in range(transactions):
        database.rows(INSERT, f"{n}" * 3000)
        committed.append(len(device.writes))
    database.rows("delete from t")
    committed.append(len(device.writes))
    database.close()
    return device, committed


def test_what_is_committed_is_there_when_it_is_opened_again() -> None:
    device = MemoryDevice(SIZE)
    first = Database(device)
    assert first.rows("pragma journal_mode") == [("persist",)]
    assert first.rows("pragma synchronous") == [(2,)]
    first.rows("create table t(words text)")
    first.rows(INSERT, "kept")
    first.connection.execute("begin")
    first.rows(INSERT, "not committed")
    first.close()
    second = Database(device)
    assert second.rows("select words from t") == [("kept",)]
    assert second.check() == ""
    second.close()


def test_every_prefix_of_the_writes_opens_with_what_was_committed() -> None:
    device, committed = recorded()
    expected = [0, *range(7), 0]  # rows after so many transactions; the last one deletes them
    hot = 0
    for cut in range(len(device.writes) + 1):
        image = replayed(device.writes[:cut])
        hot += Files(image).journal.read(0, 1) not in (b"", b"\0")
        database = Database(image)
        assert database.check() == ""
        done = sum(writes <= cut for writes in committed)
        rows = len(database.rows("select * from t")) if database.has("t") else 0
        # A commit takes effect when the journal's header is zeroed, some writes before the statement returns.
        assert rows in (expected[done], expected[min(done + 1, len(committed))])
        database.close()
    assert hot > len(committed), "journals were hot at some of these cuts"


def test_a_write_that_is_missing_is_noticed() -> None:
    """Without one of the writes in its middle, some image is damaged or lacks what was committed: the test above can fail."""
    device, _ = recorded()
    end = len(device.writes) - 12
    noticed = 0
    for missing in range(end // 2, end):
        database = None
        try:
            database = Database(replayed(device.writes[:missing] + device.writes[missing + 1 : end]))
            noticed += bool(database.check()) or len(database.rows("select * from t")) != 6
        except apsw.Error:
            noticed += 1
        finally:
            if database is not None:
                database.close()
    assert noticed > 3


def test_a_device_that_fails_ends_the_transaction_and_not_the_database() -> None:
    for most in range(6):
        device = RecordingDevice()
        database = Database(device)
        database.rows("create table t(words text)")
        database.rows(INSERT, "kept")
        device.most = len(device.writes) + most
        with pytest.raises(apsw.IOError, match="gone"):
            database.rows(INSERT, "lost")
        database.close()
        again = Database(replayed(device.writes))
        assert again.rows("select words from t") == [("kept",)]
        again.close()


def test_a_full_region_is_a_full_disk() -> None:
    database = Database(MemoryDevice(8 * DIRECTORY_BYTES))
    database.rows("create table t(words text)")
    with pytest.raises(apsw.FullError):
        database.rows(INSERT, "x" * 20 * DIRECTORY_BYTES)
    assert database.check() == ""
    database.close()


def test_a_second_connection_and_another_file_are_refused() -> None:
    database = Database(MemoryDevice(SIZE))
    name = database.connection.open_vfs
    with pytest.raises(apsw.BusyError):
        apsw.Connection("database", vfs=name)
    with pytest.raises(apsw.CantOpenError):
        apsw.Connection("another", vfs=name)
    database.close()


@pytest.mark.parametrize(
    ("size", "content"),
    [(DIRECTORY_BYTES, b""), (SIZE, b"something else"), (SIZE, b"bankfile" + b"\xff" * 16)],
    ids=["too small", "foreign", "longer than its region"],
)
def test_a_device_that_holds_something_else_is_refused(size: int, content: bytes) -> None:
    device = MemoryDevice(size)
    device.write(0, content)
    with pytest.raises(DeviceError):
        Database(device)
    assert device.read(0, len(content)) == content


def test_a_file_reads_zeros_where_it_was_never_written() -> None:
    """A gap must not show what a longer file had there before."""
    file = Files(MemoryDevice(SIZE)).database
    file.create()
    file.write(0, b"x" * 100)
    file.truncate(10)
    file.write(50, b"y")
    assert file.read(0, 1000) == b"x" * 10 + bytes(40) + b"y"
    file.truncate(60)
    assert file.read(50, 100) == b"y" + bytes(9)
