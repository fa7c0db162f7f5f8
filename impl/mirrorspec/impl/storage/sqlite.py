"""A store in one SQLite file (decision 0019): write-ahead log, synced at every commit, locked against a second process.

A commit that fails while its pages are written is rolled back and has not happened. Where the very last act of a commit fails,
the sync of the log, the batch may lie whole in the log although it was reported as failed, and would be found after a crash. So
that failure is followed at once by a commit of its own, which takes the failed one's place in the log. Only where that fails
too and the process then dies before its next commit may a batch that was reported as failed be found, whole.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.spec.errors import BadInputError

APPLICATION = 0x6D737074
"""What says that an SQLite file is ours: "mspt"."""
FORMAT = 1
"""The version of the table; what the keys mean has a version of its own (`keys`)."""
MOST_LOG_BYTES = 64 << 20
"""The log file is cut back to this after it has grown beyond."""
MOST_ROWS = 256
"""So many rows are fetched at once when a range is read."""

_SETTINGS = (
    "PRAGMA locking_mode = EXCLUSIVE",  # the lock is kept until close; the log then needs no shared memory
    "PRAGMA synchronous = FULL",  # the log is synced at every commit
    "PRAGMA fullfsync = ON",  # on macOS a plain fsync does not reach the medium
    "PRAGMA checkpoint_fullfsync = ON",
    f"PRAGMA journal_size_limit = {MOST_LOG_BYTES}",
)
_TABLE = "CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
_PUT = "INSERT OR REPLACE INTO kv VALUES (?, ?)"
_DROP = "DELETE FROM kv WHERE key = ?"
_RETRY = b""
"""The key of the commit that follows a failed one: no prefix but the empty one finds it."""


class SqliteStore:
    """A store on disk."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it where there is none.

        Raises `BadInputError` where it is of another kind or format, is damaged, is open elsewhere, or cannot be reached.
        """
        self.path = path
        new = _is_new(path)
        try:
            self._connection = sqlite3.connect(path, timeout=0.5, isolation_level=None)
        except sqlite3.Error as error:
            raise BadInputError(f"{path}: cannot be opened: {error}") from None
        try:
            self._prepare(new)
        except sqlite3.Error as error:
            self._connection.close()
            raise BadInputError(f"{path}: {_reason(error)}") from None
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, new: bool) -> None:
        """Lock the file, look whether it is ours, and make the table where it is new."""
        execute = self._connection.execute
        for setting in _SETTINGS:
            execute(setting)
        if not new:
            marks = execute("PRAGMA application_id").fetchone()[0], execute("PRAGMA user_version").fetchone()[0]
            empty = not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if marks[0] != APPLICATION and not (marks == (0, 0) and empty):
                raise BadInputError(f"{self.path}: an SQLite file of something else, not the storage of a unit")
            if marks[0] == APPLICATION and marks[1] != FORMAT:
                raise BadInputError(f"{self.path}: has format {marks[1]}, and this version reads format {FORMAT}")
        if execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise BadInputError(f"{self.path}: its file system cannot hold a write-ahead log")
        execute("BEGIN IMMEDIATE")
        if not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            execute(_TABLE)
            execute(f"PRAGMA application_id = {APPLICATION}")
            execute(f"PRAGMA user_version = {FORMAT}")
        execute("COMMIT")
        execute("SELECT key, value FROM kv LIMIT 1").fetchone()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None where there is none. Raises `StorageFailedError` where it cannot be read."""
        try:
            row = self._connection.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise StorageFailedError(f"{self.path}: cannot be read: {error}") from error
        return None if row is None else bytes(row[0])

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin with *prefix*, in order."""
        for row in self._rows("key", prefix):
            yield bytes(row[0])

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same with their values."""
        for row in self._rows("key, value", prefix):
            yield bytes(row[0]), bytes(row[1])

    def _rows(self, columns: str, prefix: bytes) -> Iterator[tuple[bytes, ...]]:
        # Each portion begins behind the last key taken, so that no statement stays open between them.
        after = prefix
        comparison = ">="
        while True:
            try:
                rows = self._connection.execute(
                    f"SELECT {columns} FROM kv WHERE key {comparison} ? ORDER BY key LIMIT {MOST_ROWS}", (after,)
                ).fetchall()
            except sqlite3.Error as error:
                raise StorageFailedError(f"{self.path}: cannot be read: {error}") from error
            for row in rows:
                if not bytes(row[0]).startswith(prefix):
                    return
                yield row
            if len(rows) < MOST_ROWS:
                return
            after, comparison = rows[-1][0], ">"

    def commit(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Make all changes, durably, or none. Raises `StorageFailedError` where they were not made."""
        execute = self._connection.execute
        last = False
        try:
            execute("BEGIN IMMEDIATE")
            for key, value in changes.items():
                if value is None:
                    execute(_DROP, (key,))
                else:
                    execute(_PUT, (key, value))
            last = True
            execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            if last:
                self._replace()
            raise StorageFailedError(f"{self.path}: a commit failed: {error}") from error

    def _undo(self) -> None:
        with suppress(sqlite3.Error):  # where even this fails, the next BEGIN fails too and says so
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _replace(self) -> None:
        """Commit something else in the place that a failed commit has in the log."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(_PUT, (_RETRY, os.urandom(8)))
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._undo()

    def close(self) -> None:
        """Release the lock."""
        self._connection.close()


def _is_new(path: Path) -> bool:
    """Whether there is no file yet. Raises `BadInputError` where there is something that is not a plain file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise BadInputError(f"{path.parent}: no such folder") from None
        return True
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise BadInputError(f"{path}: not a plain file")
    return False


def _reason(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "in use by another process"
    if code.startswith("SQLITE_NOTADB"):
        return "not an SQLite file, so not the storage of a unit"
    return f"not the storage of a unit, or damaged: {error}"
