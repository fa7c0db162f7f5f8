"""A text file, plain or gzip-compressed, as pieces of whole lines: what every history is read through.

Rules: memory stays bounded whatever the file holds (a piece is at most `PIECE_BYTES` and one line, a line at most
`MAX_LINE_BYTES`); what cannot be read or decompressed is bad input that names the file.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
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
NEWLINE = 0x0A


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


@contextmanager
def opened(path: str) -> Iterator[tuple[IO[bytes], bool]]:
    """The file's bytes, decompressed where it is a gzip file, and whether it is; trouble becomes `BadInputError`."""
    try:
        with Path(path).open("rb") as raw:
            compressed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            yield (cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if compressed else raw), compressed
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInputError(f"{path}: damaged gzip data: {error}") from error
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror or error}") from error


def pieces(path: str) -> Iterator[Piece]:
    """The file *path* from its beginning to its end; a last line without a newline counts too."""
    with opened(path) as (stream, _):
        line, rest = 1, b""
        while data := stream.read(PIECE_BYTES):
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
