"""A history of host writes, as columns: one row for each write of one unit (one volume's one block).

Every reader (`jsonl`, `nbdkit`) ends here and every judgement begins here, so this file says what a history is.

- A *unit* is the smallest piece that is judged, `block_bytes` long. A request that covers several units is several rows:
  nothing makes it atomic as a whole.
- Times are integer nanoseconds, so that a tie is a tie. A write that was never acknowledged has the time `NEVER`, and
  what was there before the history began has the time `ALWAYS`.
- *Content* is a 64-bit key of the unit's bytes, and only equality is asked of it. A history of digests uses the first 64
  bits of the digest; a history of self-stamped blocks uses the number in the stamp (`stamp`).

Memory is bounded: there are at most `MAX_ROWS` rows. A row takes 44 bytes, 64 while it is read, and up to 290 while it is
judged (that is where contents repeat), so 1 GB to read the most and less than 5 GB to judge it. A line that
names more blocks than its volume's image can have is refused before its rows are made (`Limits`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mirrorspec.spec.errors import BadInputError

Times = NDArray[np.int64]
Numbers = NDArray[np.int64]
Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]

NEVER = int(np.iinfo(np.int64).max)
"""The time of an acknowledgement that never came."""
ALWAYS = int(np.iinfo(np.int64).min)
"""The time before all times: when the initial content was written."""
SECOND = 1_000_000_000
"""Nanoseconds in a second."""
TIME_LIMIT = 9_000_000_000 * SECOND
"""Times lie strictly between minus and plus this (the year 2255), far enough from `NEVER` to add a clock error."""

ANYTHING = 2**64 - 1
"""The content of a discarded unit: whatever the image shows there is what was left."""
FOREIGN = 2**64 - 2
"""The content of an image's unit that is none a history can name."""

MAX_ROWS = 16_000_000
"""The most unit writes that are read. A longer history is judged in parts, by volume or by time."""
MAX_BLOCK = 2**48
"""Block numbers lie below this, so that a byte offset fits 63 bits."""
MAX_BLOCK_BYTES = 2**15
"""The largest unit; what is larger is several units."""

Limits = Mapping[str, tuple[str, int]]
"""For each volume that has an image, the image's name and the most bytes it can hold."""
Clock = Literal["seconds", "calendar", "order"]


@dataclass(frozen=True, slots=True)
class History:
    """What was recorded, in the order of the file."""

    path: str
    """The file it came from, as it was named."""
    kind: Literal["json-lines", "nbdkit"]
    clock: Clock
    """How a time is shown: seconds, a calendar's date and time, or (no times known) the place in the order."""
    block_bytes: int
    """Bytes of a unit: a power of two from 32 to `MAX_BLOCK_BYTES`."""
    requests: int
    """Requests that wrote, before they were split into units."""
    volumes: tuple[str, ...]
    """Names, at the index that `volume` holds."""
    volume: NDArray[np.int32]
    block: Numbers
    issue: Times
    acknowledgement: Times
    """Not before `issue`; `NEVER` where none came."""
    content: Keys
    line: Numbers
    """The line of the file that says the write was issued, counted from 1."""
    overlap: str | None = None
    """Where self-stamped contents cannot be told apart since two writes to one unit overlap; None if nowhere."""

    @property
    def order_only(self) -> bool:
        """True where the history says in which order, and not when: it then orders more than the host did."""
        return self.clock == "order"

    def __len__(self) -> int:
        return len(self.block)

    def show_time(self, time: int) -> str:
        """The time as the history would have written it."""
        if time == NEVER:
            return "never"
        if time == ALWAYS:
            return "the beginning"
        if self.clock == "order":
            return f"write {time}"
        if self.clock == "calendar":
            return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time // 1000)).strftime("%F %T.%f")
        sign, ticks = ("-", -time) if time < 0 else ("", time)
        fraction = f"{ticks % SECOND:09d}".rstrip("0")
        return f"{sign}{ticks // SECOND}{'.' if fraction else ''}{fraction} s"

    def show_content(self, key: int) -> str:
        """The content that *key* stands for, as the history names it."""
        if key == ANYTHING:
            return "discarded"
        if self.kind == "nbdkit":
            return f"stamp {key}" if key else "zeros"
        return f"{key:016x}"


@dataclass(slots=True)
class Rows:
    """Columns that grow by arrays, refused before they pass `MAX_ROWS`."""

    path: str
    volume: list[NDArray[np.int32]] = field(default_factory=list)
    block: list[Numbers] = field(default_factory=list)
    issue: list[Times] = field(default_factory=list)
    acknowledgement: list[Times] = field(default_factory=list)
    content: list[Keys] = field(default_factory=list)
    line: list[Numbers] = field(default_factory=list)
    count: int = 0

    def room_for(self, more: int, line: int) -> None:
        """Refuse *more* rows, which line *line* asks for, if they would be too many: before any of them is made."""
        if self.count + more > MAX_ROWS:
            raise BadInputError(
                f"{self.path}:{line}: more than {MAX_ROWS} block writes up to here; judge it in parts, by volume or time"
            )

    def add(
        self, volume: NDArray[np.int32], block: Numbers, issue: Times, ack: Times, content: Keys, line: Numbers
    ) -> None:
        """Take over one array for each column, all of one length."""
        self.count += len(block)
        columns = (self.volume, self.block, self.issue, self.acknowledgement, self.content, self.line)
        for parts, part in zip(columns, (volume, block, issue, ack, content, line), strict=True):
            parts.append(part)  # type: ignore[attr-defined]  # each list gets the array of its own type

    def finish(
        self,
        kind: Literal["json-lines", "nbdkit"],
        clock: Clock,
        block_bytes: int,
        requests: int,
        volumes: tuple[str, ...],
    ) -> History:
        """The history; the parts are let go as they are joined."""
        return History(
            self.path, kind, clock, block_bytes, requests, volumes,
            _join(self.volume, np.int32), _join(self.block, np.int64), _join(self.issue, np.int64),
            _join(self.acknowledgement, np.int64), _join(self.content, np.uint64), _join(self.line, np.int64),
        )  # fmt: skip


def _join(parts: list[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    joined = np.concatenate(parts) if parts else np.empty(0, kind)
    parts.clear()
    return joined


def check_block_bytes(value: int, where: str) -> int:
    """*value* if it can be the size of a unit."""
    if not 32 <= value <= MAX_BLOCK_BYTES or value & (value - 1):
        raise BadInputError(
            f"{where}: a block of {value} bytes; it must be a power of two from 32 to {MAX_BLOCK_BYTES}"
        )
    return value


def beyond(limits: Limits, volume: str, end: int, block_bytes: int) -> str | None:
    """Why a write up to block *end* cannot be seen in the volume's image, if the image is too short for that."""
    if volume not in limits or end * block_bytes <= limits[volume][1]:
        return None
    image, most = limits[volume]
    return (
        f"writes block {end - 1} of volume {volume}, but {image} holds at most {most // block_bytes} blocks of "
        f"{block_bytes} bytes; is it the image of another volume, or cut short?"
    )


def check_volume_name(name: str, where: str) -> str:
    """*name* if it can be typed and shown: not empty, at most 255 characters, none of them a control character."""
    if not 0 < len(name) <= 255 or not name.isprintable():
        raise BadInputError(f"{where}: the volume's name is {name[:40]!r}; 1 to 255 printable characters are expected")
    return name
