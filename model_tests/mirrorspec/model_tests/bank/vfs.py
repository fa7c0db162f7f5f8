"""SQLite over a device: a virtual file system that has one database and its rollback journal, and nothing else.

SQLite waits for each write: `xWrite` returns when the device has answered, which over the block protocol is when the unit has
acknowledged. So each of its writes depends on all before it, in the sense of [0008]. Nothing is claimed of the device
that would let SQLite do without its journal: a recovered image must open as a database does after a power failure,
by rolling a hot journal back.

The journal persists: only its header is zeroed at a commit (`journal_mode=PERSIST`), which saves writes. Locks are not shared
with anybody, since the unit is written to by one host; a second connection over the same file system is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, ParamSpec, TypeVar

import apsw

from mirrorspec.model_tests.bank.devices import Device, DeviceError
from mirrorspec.model_tests.bank.files import DIRECTORY_BYTES, Files, FullError, StoredFile

DATABASE = "database"
JOURNAL = f"{DATABASE}-journal"
_numbers = count(1)
P = ParamSpec("P")
R = TypeVar("R")


class DeviceVfs(apsw.VFS):
    """The file system of one device, under a name of its own. Close it after the connections that use it."""

    def __init__(self, device: Device) -> None:
        """Raises `DeviceError` where the device cannot hold a database, or holds something else."""
        self.name = f"bank-{next(_numbers)}"
        self._files = Files(device)
        self._open: set[str] = set()
        super().__init__(self.name, base="")

    def _file(self, name: str) -> StoredFile:
        if name not in (DATABASE, JOURNAL):
            raise apsw.CantOpenError(f"there is no room for a file {name!r}")
        return self._files.database if name == DATABASE else self._files.journal

    def xFullPathname(self, name: str) -> str:  # noqa: N802  # SQLite's names
        """There are no folders."""
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        """Whether the file is there; one that has no region, as a write-ahead log, never is."""
        return pathname in (DATABASE, JOURNAL) and self._file(pathname).present

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Remove a file."""
        _translated(self._file(filename).remove)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> DeviceFile:  # type: ignore[override]  # noqa: N802
        """Open one of the two files, and make it where that is wanted."""
        called = name.filename() if isinstance(name, apsw.URIFilename) else name or "without a name"
        file = self._file(called)
        if called in self._open:
            raise apsw.BusyError(f"{called} is open already")
        if not file.present:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(f"there is no {called}")
            _translated(file.create)
        flags[1] = flags[0]
        self._open.add(called)
        return DeviceFile(file, lambda: self._open.discard(called))


class DeviceFile:
    """An open file, with the methods that SQLite calls."""

    def __init__(self, file: StoredFile, closed: Callable[[], None]) -> None:
        self._file, self._closed = file, closed

    def xClose(self) -> None:  # noqa: N802
        """Nothing is held back, so nothing is written."""
        self._closed()

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        """So many bytes, or fewer at the end: then SQLite is told of a short read."""
        return _translated(self._file.read, offset, amount)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write, and return when the device has answered."""
        _translated(self._file.write, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """Make the file that long."""
        _translated(self._file.truncate, newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Make durable what was written."""
        _translated(self._file.flush)

    def xFileSize(self) -> int:  # noqa: N802
        """How long the file is."""
        return self._file.length

    def xLock(self, level: int) -> None:  # noqa: N802
        """There is nobody else."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """There is nobody else."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        """Nobody else writes, so a journal that is found is hot."""
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802
        """No request is known."""
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        """What may be damaged by a write that is cut off: SQLite is let believe the most."""
        return DIRECTORY_BYTES

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        """Nothing is promised: no atomic writes, and no safe overwriting."""
        return 0


def _translated(act: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
    """Call the file, with its errors as SQLite knows them."""
    try:
        return act(*args, **named)
    except FullError as error:
        raise apsw.FullError(str(error)) from error
    except DeviceError as error:
        raise apsw.IOError(str(error)) from error


class Database:
    """A connection to the database of a device, made where there is none; everything it commits is durable when it returns."""

    def __init__(self, device: Device) -> None:
        """Open it, rolling a hot journal back. Raises `DeviceError` and `apsw.Error`."""
        self._vfs = DeviceVfs(device)
        try:
            self.connection = apsw.Connection(DATABASE, vfs=self._vfs.name)
            try:
                for pragma in (
                    "locking_mode=EXCLUSIVE",
                    "journal_mode=PERSIST",
                    "synchronous=FULL",
                    "temp_store=MEMORY",
                ):
                    self.connection.execute(f"pragma {pragma}").fetchall()
            except BaseException:
                self.connection.close(True)
                raise
        except BaseException:
            self._vfs.unregister()
            raise

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement yields."""
        return list(self.connection.execute(query, values))

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return bool(self.rows("select 1 from sqlite_schema where type = 'table' and name = ?", table))

    def check(self) -> str:
        """What SQLite's own integrity check finds; empty where it finds nothing wrong."""
        try:
            found = [row[0] for row in self.rows("pragma integrity_check")]
        except (apsw.CorruptError, apsw.NotADBError) as error:
            return str(error)
        return "" if found == ["ok"] else "; ".join(found)

    def close(self) -> None:
        """Close it; what was not committed is lost."""
        self.connection.close(True)
        self._vfs.unregister()
