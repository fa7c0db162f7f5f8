"""A text file, plain or gzip-compressed, as pieces of whole lines: what every history is read through.

Rules: memory stays bounded whatever the file holds (a piece is at most `PIECE_BYTES` and one line, a line at most
`MAX_LINE_BYTES`); what cannot be read or decompressed is bad input that names the file.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from mirrorspec.spec.errors import BadInputError

PIECE_BYTES = 1 << 22
MAX_LINE_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
MOST_PACKED = 1100
"""No byte of a gzip file unpacks to more: deflate's limit is 1032."""
NEWLINE = 0x0A
MEGABYTE = 1_000_000
Say = Callable[[str], None]
"""What is told how far reading has come."""


def silent(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole lines of a file."""

    first: int
    """The number of the first line, counted from 1."""
    data: bytes
    """The lines, each ended by a newline."""
    ends: NDArray[np.int64]
    """Where the newlines are."""

    def texts(self) -> list[bytes]:
        """The lines, without their newlines."""
        return self.data[:-1].split(b"\n")


def check_file(path: str) -> os.stat_result:
    """Refuse what is no regular file before it is opened: to open a pipe may wait for ever, a device may have no end."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(found.st_mode):
        raise BadInputError(f"{path}: cannot be read: it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise BadInputError(
            f"{path}: cannot be read: it is a pipe or a device, and a regular file is needed; save it to one first"
        )
    return found


def most_bytes(path: str) -> int:
    """The most bytes that the file can hold, unpacked where it is a gzip file."""
    size = check_file(path).st_size
    with opened(path) as (_, packed):
        return size * MOST_PACKED if packed else size


@contextmanager
def opened(path: str) -> Iterator[tuple[IO[bytes], bool]]:
    """The file's bytes, decompressed where it is a gzip file, and whether it is; trouble becomes `BadInputError`."""
    check_file(path)
    try:
        with Path(path).open("rb") as raw:
            compressed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            yield (cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if compressed else raw), compressed
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInputError(f"{path}: damaged gzip data: {error}") from error
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror or error}") from error


def pieces(path: str, say: Say = silent) -> Iterator[Piece]:
    """The file *path* from its beginning to its end; a last line without a newline counts too."""
    with opened(path) as (stream, _):
        line, rest, done = 1, b"", 0
        while data := stream.read(PIECE_BYTES):
            done += len(data)
            say(f"reading {path}: {done // MEGABYTE} MB")
            data = rest + data
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            if cut:
                piece = _piece(path, line, data[:cut])
                yield piece
                line += len(piece.ends)
            if len(rest) > MAX_LINE_BYTES:
                raise _too_long(path, line)
        if rest:
            yield _piece(path, line, rest + b"\n")


def _piece(path: str, first: int, data: bytes) -> Piece:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == NEWLINE)
    lengths = np.diff(ends, prepend=-1)
    if int(lengths.max()) > MAX_LINE_BYTES:
        raise _too_long(path, first + int(lengths.argmax()))
    return Piece(first, data, ends)


def _too_long(path: str, line: int) -> BadInputError:
    return BadInputError(
        f"{path}:{line}: a line longer than {MAX_LINE_BYTES} bytes; one JSON object or log entry a line"
    )
