"""What the payload of a frame is made of: a few types of fields, each with its bytes, its range and its largest size.

A type writes a value (`put`), reads one (`get`), and says how many bytes it takes at least and at most under given `Limits`. A
length or a count is compared with the limits and with the bytes that are there before anything is made from it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.refusals import REFUSALS
from mirrorspec.impl.link.frame import HEADER_BYTES, MalformedFrameError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""How units and volumes are called: safe in a log line, a file name and a frame."""
PARTY = re.compile(r"(primary|secondary|session):(0|[1-9][0-9]{0,18})")
"""How the machines call one another: the role, and the number of the unit or of the session."""
MOST_UNITS = 256
MOST_VOLUMES = 4096
"""Of all units together."""
MOST_TRACKS = 2**31 - 1
"""Of one unit."""
MOST_TRACK_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be said on a connection: it follows from the shape of the installation, and from whose end it is."""

    units: tuple[UnitShape, ...]
    unit: int | None = None
    """The unit to which this end belongs, None for a session: only a unit's own ends speak of tracks."""
    request_bytes: int = 0
    """The most data of one host's request; 0 where no host speaks."""

    @property
    def own(self) -> UnitShape | None:
        """The shape of this end's unit, None for a session."""
        return None if self.unit is None else self.units[self.unit]


NO_LIMITS = Limits(())
"""Before two ends have agreed on the shape: nothing of variable size that depends on it may be said."""


class Reader:
    """A payload being read; `offset` counts from the frame's first byte."""

    __slots__ = ("content", "limits", "place")

    def __init__(self, content: bytes, limits: Limits) -> None:
        self.content = content
        self.limits = limits
        self.place = 0

    @property
    def offset(self) -> int:
        """Where the reader stands, from the frame's first byte."""
        return HEADER_BYTES + self.place

    def wrong(self, reason: str) -> MalformedFrameError:
        """The error for what the reader stands at."""
        return MalformedFrameError(self.offset, reason)

    def take(self, length: int) -> bytes:
        """The next bytes, if there are so many."""
        if length > len(self.content) - self.place:
            raise self.wrong(f"{length} bytes should follow, and {len(self.content) - self.place} do")
        self.place += length
        return self.content[self.place - length : self.place]

    def number(self, length: int) -> int:
        """The next bytes as an unsigned number."""
        return int.from_bytes(self.take(length), "big")


class Type(ABC):
    """One type of field."""

    words: str
    """The bytes it takes, as the reference table shows them."""

    @abstractmethod
    def put(self, out: bytearray, value: Any) -> None:
        """Append a value. Raises `ValueError` where it has no bytes."""

    @abstractmethod
    def get(self, reader: Reader) -> Any:
        """Read a value. Raises `MalformedFrameError`."""

    @abstractmethod
    def most(self, limits: Limits) -> int:
        """The most bytes that a value may take."""


def _put_number(out: bytearray, value: int, length: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ValueError(f"{value} is not a number from 0 to {most}")
    out += value.to_bytes(length, "big")


class Number(Type):
    """An unsigned number of so many bytes, up to *most*."""

    def __init__(self, length: int, most: int | None = None) -> None:
        self.length = length
        self.largest = 256**length - 1 if most is None else most
        self.words = f"{length} bytes" if most is None else f"{length} bytes, at most {most}"

    def put(self, out: bytearray, value: Any) -> None:
        _put_number(out, value, self.length, self.largest)

    def get(self, reader: Reader) -> int:
        value = reader.number(self.length)
        if value > self.largest:
            reader.place -= self.length
            raise reader.wrong(f"{value} is more than {self.largest}")
        return value

    def most(self, limits: Limits) -> int:
        return self.length


class Flag(Number):
    """A truth, as one byte: 0 or 1."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.words = "1 byte: 0 or 1"

    def put(self, out: bytearray, value: Any) -> None:
        super().put(out, int(value))

    def get(self, reader: Reader) -> bool:
        return bool(super().get(reader))


class Text(Type):
    """Text in UTF-8 behind its length."""

    def __init__(self, most: int) -> None:
        self.bytes = most
        self.words = f"2 bytes length, then UTF-8 of at most {most} bytes"

    def valid(self, text: str) -> bool:
        """Whether the text is one of those that may stand here."""
        return text.isprintable() or not text

    def put(self, out: bytearray, value: Any) -> None:
        content = value.encode()
        if len(content) > self.bytes or not self.valid(value):
            raise ValueError(f"{value!r} cannot stand in a frame")
        _put_number(out, len(content), 2, self.bytes)
        out += content

    def get(self, reader: Reader) -> str:
        length = reader.number(2)
        if length > self.bytes:
            reader.place -= 2
            raise reader.wrong(f"a text of {length} bytes, where at most {self.bytes} may stand")
        start = reader.place
        try:
            text = reader.take(length).decode()
        except UnicodeDecodeError as error:
            reader.place = start + error.start
            raise reader.wrong("not UTF-8") from None
        if not self.valid(text):
            reader.place = start
            raise reader.wrong(f"{text!r} cannot stand here")
        return text

    def most(self, limits: Limits) -> int:
        return 2 + self.bytes


class Name(Text):
    """The name of a unit or a volume."""

    def __init__(self) -> None:
        super().__init__(64)
        self.words = "2 bytes length, then at most 64 letters, digits, dots, dashes and underscores"

    def valid(self, text: str) -> bool:
        return NAME.fullmatch(text) is not None


class Party(Text):
    """The name of a party."""

    def __init__(self) -> None:
        super().__init__(64)
        self.words = "2 bytes length, then `primary:`, `secondary:` or `session:` and a number"

    def valid(self, text: str) -> bool:
        return PARTY.fullmatch(text) is not None


class Code(Text):
    """A code of `core.refusals`."""

    def __init__(self) -> None:
        super().__init__(64)
        self.words = "2 bytes length, then the name of a refusal"

    def valid(self, text: str) -> bool:
        return text in REFUSALS


class Data(Type):
    """Contents behind their length: exactly one track, or up to what one host's request may carry."""

    def __init__(self, whole_track: bool) -> None:
        self.whole_track = whole_track
        self.words = "4 bytes length, then " + (
            "one whole track" if whole_track else "what a request may carry at most"
        )

    def put(self, out: bytearray, value: Any) -> None:
        _put_number(out, len(value), 4, MOST_TRACK_BYTES)
        out += value

    def get(self, reader: Reader) -> bytes:
        length = reader.number(4)
        most = self.most(reader.limits) - 4
        if length > most or (self.whole_track and length != most):
            reader.place -= 4
            raise reader.wrong(f"{length} bytes of data, where {'' if self.whole_track else 'at most '}{most} belong")
        return reader.take(length)

    def most(self, limits: Limits) -> int:
        if self.whole_track:
            return 4 + (limits.own.track_bytes if limits.own else 0)
        return 4 + limits.request_bytes


class VolumeSet(Type):
    """Numbers of volumes of one unit, ascending, behind their count."""

    words = "2 bytes count, then 4 bytes a volume, ascending"

    def put(self, out: bytearray, value: Any) -> None:
        if list(value) != sorted(set(value)):
            raise ValueError(f"{value} is not ascending")
        _put_number(out, len(value), 2, MOST_VOLUMES)
        for volume in value:
            _put_number(out, volume, 4, MOST_VOLUMES)

    def get(self, reader: Reader) -> tuple[int, ...]:
        count = reader.number(2)
        if 2 + 4 * count > self.most(reader.limits):
            reader.place -= 2
            raise reader.wrong(f"{count} volumes, more than any unit has")
        content = reader.take(4 * count)
        found = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(0, len(content), 4))
        if any(a >= b for a, b in pairwise(found)):
            reader.place -= 4 * count
            raise reader.wrong("volumes that are not ascending")
        return found

    def most(self, limits: Limits) -> int:
        return 2 + 4 * max((len(unit.volumes) for unit in limits.units), default=0)


class Shapes(Type):
    """The shape of every unit: bytes of a track, and the number of tracks of each volume."""

    words = (
        "2 bytes count; for each unit 4 bytes size of a track, 2 bytes count, and 4 bytes for the tracks of each volume"
    )

    def put(self, out: bytearray, value: Any) -> None:
        _put_number(out, len(value), 2, MOST_UNITS)
        for unit in value:
            _put_number(out, unit.track_bytes, 4, MOST_TRACK_BYTES)
            _put_number(out, len(unit.volumes), 2, MOST_VOLUMES)
            for tracks in unit.volumes:
                _put_number(out, tracks, 4, MOST_TRACKS)

    def get(self, reader: Reader) -> tuple[UnitShape, ...]:
        # One take a number: the payload is at most `most` bytes, so counts beyond what is there end the reading at once.
        units = []
        for _ in range(reader.number(2)):
            track_bytes = reader.number(4)
            volumes = [reader.number(4) for _ in range(reader.number(2))]
            units.append(UnitShape(tuple(volumes), track_bytes))
        return tuple(units)

    def most(self, limits: Limits) -> int:
        return 2 + 6 * MOST_UNITS + 4 * MOST_VOLUMES


class VolumeNames(Type):
    """Names and sizes of the volumes of one unit."""

    words = "2 bytes count; for each volume its name, and 4 bytes for its tracks"

    def put(self, out: bytearray, value: Any) -> None:
        _put_number(out, len(value), 2, MOST_VOLUMES)
        for name, tracks in value:
            _NAME.put(out, name)
            _put_number(out, tracks, 4, MOST_TRACKS)

    def get(self, reader: Reader) -> tuple[tuple[str, int], ...]:
        return tuple((_NAME.get(reader), reader.number(4)) for _ in range(reader.number(2)))

    def most(self, limits: Limits) -> int:
        return 2 + MOST_VOLUMES * (_NAME.most(limits) + 4)


_NAME = Name()
