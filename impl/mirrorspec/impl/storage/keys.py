"""Every key that a unit has in its store: the first byte says what it is, fixed-width numbers follow, the highest byte first.

| first byte | rest of the key | value | of |
|---|---|---|---|
| ``I`` | | what the storage is of, `identity` | both |
| ``R`` | name of a field | its value, `scalar` | both |
| ``J`` | address | contents that are not yet in their file, `places` | both |
| ``B`` | bitmap, page | a page of a bitmap, `bitmaps` | primary |
| ``C`` | number | a change of the bitmaps since their copy on disk | primary |
| ``G`` | | the number of that copy | primary |
| ``P`` | group, track | a preserved image, `preserved` | primary |
| ``Q`` | | the group of preserved images that counts | primary |
| ``N`` | track | epoch and sequence of its newest transfer | secondary |
| ``V`` | volume | its `Relation` | secondary |
| ``F`` | volume | the layers of its flash target, `layers` | secondary |
| ``L`` | layer, track | an address | secondary |
| ``M`` | track | the address of the mirror, where it is not at home | secondary |

An absent key is a zero, an empty set, or nothing yet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.storage.store import Store
from mirrorspec.spec.errors import BadInputError

FORMAT = 1
"""The version of this table."""

IDENTITY = b"I"
FIELD = b"R"
JOURNAL = b"J"
PAGE = b"B"
CHANGE = b"C"
COPY = b"G"
PRESERVED = b"P"
GROUP = b"Q"
NEWEST = b"N"
RELATION = b"V"
FLASH = b"F"
LAYER = b"L"
MIRROR = b"M"

number = struct.Struct(">Q")
"""A number that grows without a bound that matters: of a group, a copy, a change."""
numbered = struct.Struct(">cI")
"""A first byte and a track, a volume or an address."""
counted = struct.Struct(">cQ")
"""A first byte and a growing number."""
grouped = struct.Struct(">cQI")
"""A first byte, a group or a layer, and a track."""
address = struct.Struct(">I")
transfer = struct.Struct(">QQ")
"""An epoch and a sequence number."""

MOST_ADDRESSES = 1 << 32


class DamagedError(BadInputError):
    """The store holds what no unit has put there."""


def unpacked(form: struct.Struct, content: bytes) -> tuple[int, ...]:
    """The numbers of a key or value; the first byte of a key counts as none. Raises `DamagedError` for a wrong length."""
    try:
        found = form.unpack(content)
    except struct.error:
        raise DamagedError(f"the storage of the unit is damaged: {content[:16].hex()} has a wrong length") from None
    return found[1:] if isinstance(found[0], bytes) else found


def scalar(value: int | str) -> bytes:
    """The value of a field, as `of_scalar` reads it."""
    return b"i%d" % value if isinstance(value, int) else b"s" + value.encode()


def of_scalar(content: bytes) -> int | str:
    """What `scalar` wrote. Raises `DamagedError` for anything else."""
    try:
        if content[:1] == b"i":
            return int(content[1:])
        if content[:1] == b"s":
            return content[1:].decode()
    except ValueError:
        pass
    raise DamagedError(f"the storage of the unit is damaged: {content[:16]!r} is no value of a field")


def identity(kind: str, shape: UnitShape, options: Iterable[str] = ()) -> bytes:
    """What a storage is of: the kind of unit, its shape, and options that change what its keys mean."""
    volumes = ",".join(map(str, shape.volumes))
    return " ".join((kind, f"format {FORMAT}", f"tracks {volumes} of {shape.track_bytes} bytes", *options)).encode()


def is_new(store: Store, wanted: bytes) -> bool:
    """Whether the store is empty. Raises `BadInputError` where it is of another identity, or not a unit's."""
    found = store.get(IDENTITY)
    if found is not None and found != wanted:
        was, now = found.decode(errors="replace")[:200], wanted.decode()
        raise BadInputError(f"the storage is of another unit: it is of a {was}, and this is a {now}")
    if found is None and next(store.keys(b""), b"") != b"":
        raise BadInputError("the storage is not that of a unit")
    return found is None


def claim(store: Store, wanted: bytes) -> None:
    """Mark an empty store as of this identity. Raises as `is_new` does."""
    if is_new(store, wanted):
        store.commit({IDENTITY: wanted})


def check_shape(shape: UnitShape, places: int) -> None:
    """Raises `BadInputError` for a shape that cannot be stored; *places* is how many addresses it takes."""
    if not shape.volumes or min(shape.volumes) < 1 or shape.track_bytes < 1:
        raise BadInputError("a unit has at least one volume, a volume one track, and a track one byte")
    if places > MOST_ADDRESSES:
        raise BadInputError(f"a unit of {shape.tracks} tracks is too large to be stored: choose larger tracks")
