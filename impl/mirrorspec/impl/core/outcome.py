"""What a machine answers to an event: steps, changes to be made durable, changes in memory, outputs, further events.

The durable changes of one outcome are one act: all or nothing. What they change is held in memory too, so a machine applies
the same changes to itself once they are persisted, and reads them back after a restart. An *image* is named and not
carried: whoever stores the data reads it where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirrorspec.impl.core.events import Event
    from mirrorspec.impl.core.messages import Message


class Bitmap(StrEnum):
    """A durable set of tracks at a primary [0031-0034]."""

    OUT_OF_SYNC = "out_of_sync"
    CHANGE_RECORDING = "change_recording"
    PRESERVED = "preserved"
    """The tracks that have a preserved image: set and cleared together with it."""


class Image(StrEnum):
    """Contents of tracks."""

    CACHE = "cache"
    """What hosts read and write at a primary; a write is complete here, and destaged later [0029-0030]."""
    PRESERVED = "preserved"
    """Old images of tracks of the frozen set, kept for sending [0044] 730."""
    MIRROR = "mirror"
    """The secondary's own."""
    TARGET = "target"
    """The flash target's."""


# Durable changes


@dataclass(frozen=True, slots=True)
class Put:
    """A number or a word of the unit's record has a new value."""

    field: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Mark:
    """A track enters a bitmap."""

    bitmap: Bitmap
    track: int


@dataclass(frozen=True, slots=True)
class Clear:
    """A track leaves a bitmap."""

    bitmap: Bitmap
    track: int


@dataclass(frozen=True, slots=True)
class Fill:
    """Every track enters a bitmap: the initial copy."""

    bitmap: Bitmap


@dataclass(frozen=True, slots=True)
class Merge:
    """Change recording enters out-of-sync and is emptied; all preserved images are given up [0048] 858."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes of one track, from an offset on, have new contents."""

    image: Image
    track: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Preserve:
    """A track's image in the cache is kept for sending; the track enters `Bitmap.PRESERVED`."""

    track: int


@dataclass(frozen=True, slots=True)
class Discard:
    """A track's preserved image is given up; the track leaves `Bitmap.PRESERVED`."""

    track: int


@dataclass(frozen=True, slots=True)
class Receive:
    """A secondary's track has new contents; the flash targets that still share the old ones keep them [0020-0021]."""

    track: int
    epoch: int
    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Relate:
    """A volume's flash relation has a new record, and with it the target's image (`secondary.Relation`).

    *act* is an event of the chart `FlashRelation`: ``flash`` makes the target the mirror's image of this moment and keeps the
    way back, ``commit`` gives up the way back, ``withdraw`` goes it if there is one, ``settle`` leaves the image as it is.
    """

    volume: int
    act: str
    increment: int
    """The increment that it belongs to."""
    formed: int = 0
    """For a flash, its number in the recovery decision table."""


@dataclass(frozen=True, slots=True)
class Taint:
    """A volume has received data that its unit sent after it had left this increment."""

    volume: int
    number: int


Change = Put | Mark | Clear | Fill | Merge | Write | Preserve | Discard | Receive | Relate | Taint


# Outputs, in the order in which they are to happen, after the changes are durable


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Report a host's write as complete."""

    request: int


@dataclass(frozen=True, slots=True)
class Fail:
    """Report a host's write as failed, with a code of `refusals`."""

    request: int
    code: str


@dataclass(frozen=True, slots=True)
class Send:
    """A message to another party."""

    to: str
    message: Message


@dataclass(frozen=True, slots=True)
class SendTrack:
    """A transfer, its data to be read from the image at this moment."""

    to: str
    epoch: int
    sequence: int
    track: int
    late_for: int
    image: Image


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Tell this machine of `TimerFired` after so many seconds; a timer of that name which is running is replaced."""

    name: str
    seconds: float
    number: int
    """The increment or epoch that it belongs to; a timer that fires for another is ignored."""


@dataclass(frozen=True, slots=True)
class StopTimer:
    """The timer of that name is no longer wanted."""

    name: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know; one of the codes of `refusals`, with details."""

    code: str
    details: str


Output = Acknowledge | Fail | Send | SendTrack | StartTimer | StopTimer | Notice


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of the specification that the outcome takes, about these things.

    Things are numbers, in the order of the step's parameters: for a unit's command the session's number, then for a relation
    the volume's number within the unit; for tracks the track's number within the unit; for writes the request.
    """

    step: str
    things: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one event."""

    steps: tuple[Taken, ...] = ()
    changes: tuple[Change, ...] = ()
    memory: tuple[Callable[[], object], ...] = ()
    """Changes of what a crash forgets."""
    outputs: tuple[Output, ...] = ()
    then: tuple[Event, ...] = ()
    """Events that the machine wants to be told of next, at once or a little later."""
    refused: str = ""
    """The code of `refusals` where the event was refused; such an outcome changes nothing."""


NOTHING = Outcome()
"""The answer to an event that does not concern the machine (a timer that was stopped, a report of an older increment)."""
