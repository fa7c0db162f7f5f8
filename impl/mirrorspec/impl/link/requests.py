"""What a host asks of a primary, and what it is answered: the block protocol.

A request has a number that its host chooses and does not use again while it is outstanding. Answers come in any order. Offsets
and lengths are bytes of one volume; volumes are numbers, in the order of `Attached.volumes`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attach:
    """The first frame of a host: which unit it takes this one to be."""

    unit: str


@dataclass(frozen=True, slots=True)
class Attached:
    """The answer: what the unit has, and what may be asked of it."""

    unit: str
    track_bytes: int
    request_bytes: int
    """The most data of one request."""
    outstanding: int
    """The most requests that are taken from one connection before one is answered; more wait in the network."""
    volumes: tuple[tuple[str, int], ...]
    """Name and number of tracks of each."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """So many bytes from an offset of a volume."""

    request: int
    volume: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """These bytes to an offset of a volume."""

    request: int
    volume: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FlushRequest:
    """All writes that have been answered are to be durable."""

    request: int


@dataclass(frozen=True, slots=True)
class Done:
    """A write is complete, in all its parts; or all that had been answered is durable."""

    request: int


@dataclass(frozen=True, slots=True)
class Content:
    """What was read."""

    request: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The request was refused, with a code of `core.refusals`. Of a write, some parts may have been written all the same."""

    request: int
    code: str


Request = ReadRequest | WriteRequest | FlushRequest
Reply = Done | Content | Failed
