"""Every kind of frame, as one table, and what is said as frames and back.

The table is all there is: writing, reading, the largest length and the reference page are read from it. What arrives is
checked in this order, and nothing is made of it before: the header; whether this kind may be said here at all; its
length against the largest that the kind can have (for a transfer that follows from the bytes of a track); the check
sum; each field against its range; and last what fields say together against the shape of the installation. The first
that is wrong ends the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from mirrorspec.impl.core import messages
from mirrorspec.impl.core.messages import Message
from mirrorspec.impl.link import frame, requests
from mirrorspec.impl.link.fields import (
    MOST_TRACK_BYTES,
    Code,
    Data,
    Flag,
    Limits,
    Name,
    Number,
    Party,
    Reader,
    Shapes,
    Text,
    Type,
    VolumeNames,
    VolumeSet,
)
from mirrorspec.impl.link.frame import HEADER_BYTES, Header, MalformedFrameError
from mirrorspec.impl.link.greetings import Alive, Closing, Greeting
from mirrorspec.impl.link.requests import Reply, Request

U16, U32, U64 = Number(2), Number(4), Number(8)
FLAG, NAME, PARTY, CODE, VOLUMES = Flag(), Name(), Party(), Code(), VolumeSet()
REASON = Text(512)

Frame = Message | Greeting | Alive | Closing | requests.Attach | requests.Attached | Request | Reply


class Group(Enum):
    """When a kind may be said."""

    GREETING = "first, between parties"
    MESSAGE = "between parties"
    ALIVE = "between parties that have nothing else to say"
    CLOSING = "last"
    ATTACH = "first, by a host"
    ATTACHED = "first, to a host"
    REQUEST = "by a host"
    REPLY = "to a host"


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of frame: the fields of its payload are those of the class, in this order."""

    number: int
    made: type
    group: Group
    fields: tuple[tuple[str, Type], ...]

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.made.__name__

    def most(self, limits: Limits) -> int:
        """The most bytes that a payload of this kind may have."""
        return sum(kind.most(limits) for _, kind in self.fields)


_ORDER = (("session", U64), ("increment", U64))
_REPORT = (*_ORDER, ("unit", U16))

KINDS: dict[int, Kind] = {
    kind.number: kind
    for kind in (
        Kind(1, Greeting, Group.GREETING, (("sender", PARTY), ("to", PARTY), ("units", Shapes()))),
        Kind(2, Alive, Group.ALIVE, ()),
        Kind(3, Closing, Group.CLOSING, (("reason", REASON),)),
        Kind(16, messages.StartIncrement, Group.MESSAGE, _ORDER),
        Kind(17, messages.Run, Group.MESSAGE, _ORDER),
        Kind(18, messages.IncrementComplete, Group.MESSAGE, _ORDER),
        Kind(19, messages.Abort, Group.MESSAGE, _ORDER),
        Kind(20, messages.QueryDrained, Group.MESSAGE, _ORDER),
        Kind(21, messages.Flash, Group.MESSAGE, (*_ORDER, ("formed", U64))),
        Kind(22, messages.Commit, Group.MESSAGE, _ORDER),
        Kind(23, messages.Withdraw, Group.MESSAGE, _ORDER),
        Kind(24, messages.Query, Group.MESSAGE, _ORDER),
        Kind(
            32,
            messages.PrimaryReport,
            Group.MESSAGE,
            (*_REPORT, ("joined", FLAG), ("drained", FLAG), ("ended", FLAG), ("remaining", U32)),
        ),
        Kind(
            33,
            messages.SecondaryReport,
            Group.MESSAGE,
            (
                *_REPORT,
                ("formed", U64),
                ("flashed", VOLUMES),
                ("committed", VOLUMES),
                ("withdrawn", VOLUMES),
                ("tainted", VOLUMES),
            ),
        ),
        Kind(34, messages.Refused, Group.MESSAGE, (*_REPORT, ("code", CODE))),
        Kind(48, messages.Hello, Group.MESSAGE, (("epoch", U64),)),
        Kind(49, messages.Welcome, Group.MESSAGE, (("epoch", U64),)),
        Kind(
            50,
            messages.Transfer,
            Group.MESSAGE,
            (("epoch", U64), ("sequence", U64), ("track", U32), ("late_for", U64), ("data", Data(whole_track=True))),
        ),
        Kind(51, messages.Hardened, Group.MESSAGE, (("epoch", U64), ("sequence", U64), ("track", U32))),
        Kind(64, requests.Attach, Group.ATTACH, (("unit", NAME),)),
        Kind(
            65,
            requests.Attached,
            Group.ATTACHED,
            (
                ("unit", NAME),
                ("track_bytes", U32),
                ("request_bytes", U32),
                ("outstanding", U16),
                ("volumes", VolumeNames()),
            ),
        ),
        Kind(
            66,
            requests.ReadRequest,
            Group.REQUEST,
            (("request", U64), ("volume", U32), ("offset", U64), ("length", U32)),
        ),
        Kind(
            67,
            requests.WriteRequest,
            Group.REQUEST,
            (("request", U64), ("volume", U32), ("offset", U64), ("data", Data(whole_track=False))),
        ),
        Kind(68, requests.FlushRequest, Group.REQUEST, (("request", U64),)),
        Kind(69, requests.Done, Group.REPLY, (("request", U64),)),
        Kind(70, requests.Content, Group.REPLY, (("request", U64), ("data", Data(whole_track=False)))),
        Kind(71, requests.Failed, Group.REPLY, (("request", U64), ("code", CODE))),
    )
}
"""Every kind by its number. A number is never given to another kind; a new form of a kind raises `frame.VERSION`."""

_BY_CLASS = {kind.made: kind for kind in KINDS.values()}
SPOKEN = frozenset({Group.MESSAGE, Group.ALIVE, Group.CLOSING})
"""What may be said between parties that have greeted each other."""


@lru_cache(maxsize=1024)
def _most(number: int, limits: Limits) -> int:
    return KINDS[number].most(limits)


def most_bytes(limits: Limits) -> int:
    """The most bytes that any frame may have between parties that have greeted each other."""
    return HEADER_BYTES + max(_most(k.number, limits) for k in KINDS.values() if k.group in SPOKEN)


def encode(said: Frame, limits: Limits) -> tuple[int, bytes]:
    """Number of the kind, and payload. Raises `ValueError` for what no frame can carry under these limits."""
    kind = _BY_CLASS[type(said)]
    out = bytearray()
    for name, how in kind.fields:
        try:
            how.put(out, getattr(said, name))
        except ValueError as error:
            raise ValueError(f"{kind.name}.{name}: {error}") from None
    wrong = _unfit(said, limits)
    if wrong:
        raise ValueError(f"{kind.name}.{wrong[0]}: {wrong[1]}")
    return kind.number, bytes(out)


def expect(head: Header, limits: Limits, groups: frozenset[Group]) -> Kind:
    """The kind that a header announces, if it may be said here and can be so long. Raises `MalformedFrameError`."""
    kind = KINDS.get(head.kind)
    if kind is None:
        raise MalformedFrameError(5, f"there is no kind {head.kind}")
    if kind.group not in groups:
        raise MalformedFrameError(5, f"{kind.name} is not said here: it is said {kind.group.value}")
    most = _most(head.kind, limits)
    if head.length > most:
        raise MalformedFrameError(8, f"a payload of {head.length} bytes, where {kind.name} has at most {most} here")
    return kind


def decode(kind: Kind, payload: bytes, limits: Limits) -> Frame:
    """What a payload of that kind says. Raises `MalformedFrameError`."""
    reader = Reader(payload, limits)
    values: dict[str, Any] = {}
    places: dict[str, int] = {}
    for name, how in kind.fields:
        places[name] = reader.offset
        values[name] = how.get(reader)
    if reader.place != len(payload):
        raise reader.wrong(f"{len(payload) - reader.place} bytes too many")
    said: Frame = kind.made(**values)
    wrong = _unfit(said, limits)
    if wrong:
        raise MalformedFrameError(places.get(wrong[0], HEADER_BYTES), wrong[1])
    return said


def pack(said: Frame, sequence: int, limits: Limits) -> bytes:
    """The whole frame. Raises `ValueError` as `encode`."""
    number, payload = encode(said, limits)
    return frame.pack(number, sequence, payload)


def unpack(content: bytes, limits: Limits, groups: frozenset[Group]) -> tuple[int, Frame]:
    """Sequence number and meaning of one whole frame. Raises `MalformedFrameError`."""
    head = frame.header(content[:HEADER_BYTES])
    kind = expect(head, limits, groups)
    if len(content) != HEADER_BYTES + head.length:
        raise MalformedFrameError(
            min(len(content), HEADER_BYTES + head.length), f"the payload should have {head.length} bytes"
        )
    payload = content[HEADER_BYTES:]
    frame.check_payload(head, payload)
    return head.sequence, decode(kind, payload, limits)


def _unfit(said: Frame, limits: Limits) -> tuple[str, str] | None:
    """The field, and what is wrong with it, where a frame does not fit the shape of the installation."""
    check = _CHECKS.get(type(said))
    return check(said, limits) if check else None


def _report(said: messages.Report, limits: Limits) -> tuple[str, str] | None:
    if said.unit >= len(limits.units):
        return "unit", f"unit {said.unit}, where there are {len(limits.units)}"
    unit = limits.units[said.unit]
    if isinstance(said, messages.PrimaryReport) and said.remaining > unit.tracks:
        return "remaining", f"{said.remaining} tracks remain of {unit.tracks}"
    if isinstance(said, messages.SecondaryReport):
        for name in ("flashed", "committed", "withdrawn", "tainted"):
            named = getattr(said, name)
            if named and named[-1] >= len(unit.volumes):
                return name, f"volume {named[-1]} of {len(unit.volumes)}"
    return None


def _connected(said: messages.Hello | messages.Welcome, limits: Limits) -> tuple[str, str] | None:
    return None if limits.own else ("epoch", "transfers are between the primary and the secondary of a unit")


def _track(said: messages.Transfer | messages.Hardened, limits: Limits) -> tuple[str, str] | None:
    if not limits.own:
        return "epoch", "transfers are between the primary and the secondary of a unit"
    if said.track >= limits.own.tracks:
        return "track", f"track {said.track} of {limits.own.tracks}"
    if isinstance(said, messages.Transfer) and len(said.data) != limits.own.track_bytes:
        return "data", f"{len(said.data)} bytes of a track of {limits.own.track_bytes}"
    return None


def _request(said: requests.WriteRequest | requests.Content, limits: Limits) -> tuple[str, str] | None:
    if len(said.data) > limits.request_bytes:
        return "data", f"{len(said.data)} bytes, where a request has at most {limits.request_bytes}"
    return None


def _attached(said: requests.Attached, limits: Limits) -> tuple[str, str] | None:
    for name, most in (("track_bytes", MOST_TRACK_BYTES), ("request_bytes", MOST_TRACK_BYTES), ("outstanding", 2**16)):
        if not 0 < getattr(said, name) <= most:
            return name, f"{getattr(said, name)} is not from 1 to {most}"
    return None


_CHECKS: dict[type, Callable[[Any, Limits], tuple[str, str] | None]] = {
    messages.PrimaryReport: _report,
    messages.SecondaryReport: _report,
    messages.Refused: _report,
    messages.Hello: _connected,
    messages.Welcome: _connected,
    messages.Transfer: _track,
    messages.Hardened: _track,
    requests.Attached: _attached,
    requests.WriteRequest: _request,
    requests.Content: _request,
}
"""What the fields of a kind must satisfy together, or against the shape of the installation."""
