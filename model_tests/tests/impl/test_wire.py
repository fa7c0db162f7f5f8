"""Frames: every message comes back as it was, and no bytes whatever do more than be refused."""

from __future__ import annotations

import struct
from dataclasses import fields
from typing import Any
from zlib import crc32

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mirrorspec.impl.core import messages
from mirrorspec.impl.core.messages import Command
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.refusals import REFUSALS
from mirrorspec.impl.link import frame, requests, wire
from mirrorspec.impl.link.fields import NO_LIMITS, Limits
from mirrorspec.impl.link.frame import HEADER_BYTES, MalformedFrameError
from mirrorspec.impl.link.greetings import Alive, Closing, Greeting
from mirrorspec.impl.link.wire import KINDS, Group

UNITS = (UnitShape((3, 5), 64), UnitShape((2,), 16))
LIMITS = Limits(UNITS, 0, request_bytes=256)
SESSION = Limits(UNITS)
ANY = frozenset(Group)
MESSAGES = {m for m in vars(messages).values() if isinstance(m, type) and m.__module__ == messages.__name__} - {Command}

u64, u32, u16 = (st.integers(0, 2**n - 1) for n in (64, 32, 16))
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
parties = st.builds("{}:{}".format, st.sampled_from(["primary", "secondary", "session"]), st.integers(0, 10**18))
words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=100)
codes = st.sampled_from(sorted(REFUSALS))
shapes = st.lists(
    st.builds(UnitShape, st.lists(st.integers(0, 2**31 - 1), max_size=4).map(tuple), st.integers(0, 2**24)), max_size=4
).map(tuple)


def primary_reports(unit: int) -> st.SearchStrategy[messages.PrimaryReport]:
    flag, remaining = st.booleans(), st.integers(0, UNITS[unit].tracks)
    return st.builds(messages.PrimaryReport, u64, u64, st.just(unit), flag, flag, flag, remaining)


def secondary_reports(unit: int) -> st.SearchStrategy[messages.SecondaryReport]:
    volumes = st.sets(st.integers(0, len(UNITS[unit].volumes) - 1)).map(lambda v: tuple(sorted(v)))
    return st.builds(messages.SecondaryReport, u64, u64, st.just(unit), u64, volumes, volumes, volumes, volumes)


own_track = st.integers(0, UNITS[0].tracks - 1)
COMMANDS = [kind for kind in MESSAGES if issubclass(kind, Command) and kind is not messages.Flash]
SAYINGS: dict[type, st.SearchStrategy[Any]] = {
    **{kind: st.builds(kind, u64, u64) for kind in COMMANDS},
    messages.Flash: st.builds(messages.Flash, u64, u64, u64),
    messages.PrimaryReport: st.one_of(primary_reports(0), primary_reports(1)),
    messages.SecondaryReport: st.one_of(secondary_reports(0), secondary_reports(1)),
    messages.Refused: st.builds(messages.Refused, u64, u64, st.integers(0, 1), codes),
    messages.Hello: st.builds(messages.Hello, u64),
    messages.Welcome: st.builds(messages.Welcome, u64),
    messages.Transfer: st.builds(messages.Transfer, u64, u64, own_track, u64, st.binary(min_size=64, max_size=64)),
    messages.Hardened: st.builds(messages.Hardened, u64, u64, own_track),
    Greeting: st.builds(Greeting, parties, parties, shapes),
    Alive: st.just(Alive()),
    Closing: st.builds(Closing, words),
    requests.Attach: st.builds(requests.Attach, names),
    requests.Attached: st.builds(
        requests.Attached,
        names,
        st.integers(1, 2**24),
        st.integers(1, 2**24),
        st.integers(1, 2**16 - 1),
        st.lists(st.tuples(names, st.integers(0, 2**31 - 1)), max_size=4).map(tuple),
    ),
    requests.ReadRequest: st.builds(requests.ReadRequest, u64, u32, u64, u32),
    requests.WriteRequest: st.builds(requests.WriteRequest, u64, u32, u64, st.binary(max_size=256)),
    requests.FlushRequest: st.builds(requests.FlushRequest, u64),
    requests.Done: st.builds(requests.Done, u64),
    requests.Content: st.builds(requests.Content, u64, st.binary(max_size=256)),
    requests.Failed: st.builds(requests.Failed, u64, codes),
}
sayings = st.one_of(*SAYINGS.values())


def framed(kind: int, payload: bytes, sequence: int = 0) -> bytes:
    return frame.pack(kind, sequence, payload)


def reheaded(content: bytes, offset: int, new: bytes) -> bytes:
    """A frame with some bytes of its header replaced, and the header's check sum made right again."""
    head = content[:offset] + new + content[offset + len(new) : HEADER_BYTES - 4]
    return head + struct.pack(">I", crc32(head)) + content[HEADER_BYTES:]


# Round trips


@given(said=sayings, sequence=u64)
def test_whatever_is_said_is_heard(said: Any, sequence: int) -> None:
    content = wire.pack(said, sequence, LIMITS)
    assert wire.unpack(content, LIMITS, ANY) == (sequence, said)
    assert type(wire.unpack(content, LIMITS, ANY)[1]) is type(said)


def test_every_message_has_a_kind_and_every_kind_a_round_trip() -> None:
    assert {kind.made for kind in KINDS.values() if kind.group is Group.MESSAGE} == MESSAGES
    assert {kind.made for kind in KINDS.values()} == SAYINGS.keys()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_frame_carries_every_field_of_what_it_says(kind: wire.Kind) -> None:
    assert [name for name, _ in kind.fields] == [field.name for field in fields(kind.made)]


# Bytes that are no frames


@given(content=st.binary(max_size=200))
@example(content=b"")
@example(content=frame.MAGIC)
def test_bytes_from_anywhere_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedFrameError):
        wire.unpack(content, LIMITS, ANY)


@given(kind=st.sampled_from(sorted(KINDS)), payload=st.binary(max_size=300))
def test_a_payload_from_anywhere_is_refused_or_says_exactly_what_it_holds(kind: int, payload: bytes) -> None:
    place = HEADER_BYTES
    try:
        _, said = wire.unpack(framed(kind, payload), LIMITS, ANY)
    except MalformedFrameError as error:
        place = error.offset
    else:
        assert wire.encode(said, LIMITS) == (kind, payload)
    assert 0 <= place <= HEADER_BYTES + len(payload)


@given(said=sayings, data=st.data())
def test_a_frame_that_is_cut_off_is_refused(said: Any, data: st.DataObject) -> None:
    content = wire.pack(said, 7, LIMITS)
    length = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(MalformedFrameError):
        wire.unpack(content[:length], LIMITS, ANY)
    with pytest.raises(MalformedFrameError):
        wire.unpack(content + b"\0", LIMITS, ANY)


@given(said=sayings, data=st.data())
def test_one_flipped_bit_anywhere_is_noticed(said: Any, data: st.DataObject) -> None:
    content = bytearray(wire.pack(said, 7, LIMITS))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedFrameError):
        wire.unpack(bytes(content), LIMITS, ANY)


@given(said=sayings, data=st.data())
def test_the_payload_of_one_kind_under_another_name_is_refused_or_fits_it(said: Any, data: st.DataObject) -> None:
    number, payload = wire.encode(said, LIMITS)
    other = data.draw(st.sampled_from(sorted(KINDS)))
    assume(other != number)
    try:
        _, heard = wire.unpack(framed(other, payload), LIMITS, ANY)
    except MalformedFrameError:
        return
    assert wire.encode(heard, LIMITS) == (other, payload)


# Each check, by the least that it refuses

TRANSFER = messages.Transfer(1, 2, 7, 0, bytes(64))
WHOLE = wire.pack(TRANSFER, 0, LIMITS)


@pytest.mark.parametrize(
    ("content", "offset", "reason"),
    [
        (b"XXXX" + WHOLE[4:], 0, "no frame begins here"),
        (WHOLE[:20], 20, "the header is cut off"),
        (WHOLE[:10] + b"\x01" + WHOLE[11:], 24, "the header is damaged"),
        (reheaded(WHOLE, 4, b"\x02"), 4, "version 2 is spoken there, and 1 here"),
        (reheaded(WHOLE, 5, b"\xff"), 5, "there is no kind 255"),
        (reheaded(WHOLE, 7, b"\x01"), 6, "bytes that must be zero are not"),
        (reheaded(WHOLE, 8, struct.pack(">I", 2**32 - 1)), 8, "a payload of 4294967295 bytes, where Transfer has at"),
        (WHOLE[:-1] + b"\x01", 28, "the payload is damaged"),
        (framed(50, WHOLE[28:-1]), 60, "64 bytes should follow, and 63 do"),
        (framed(50, WHOLE[28:56] + struct.pack(">I", 63) + bytes(63)), 56, "63 bytes of data, where 64 belong"),
        (framed(50, struct.pack(">QQIQ", 1, 2, 8, 0) + WHOLE[56:]), 44, "track 8 of 8"),
        (framed(17, bytes(15)), 36, "8 bytes should follow, and 7 do"),
        (framed(17, bytes(17)), 8, "a payload of 17 bytes, where Run has at most 16 here"),
        (framed(3, struct.pack(">H", 600) + bytes(3)), 28, "a text of 600 bytes"),
        (framed(3, struct.pack(">H", 2) + b"a\xff"), 31, "not UTF-8"),
        (framed(3, struct.pack(">H", 2) + b"a\n"), 30, "cannot stand here"),
        (framed(34, struct.pack(">QQHH", 1, 1, 0, 2) + b"no"), 48, "'no' cannot stand here"),
        (framed(34, struct.pack(">QQHH", 1, 1, 2, 4) + b"mode"), 44, "unit 2, where there are 2"),
        (framed(32, struct.pack(">QQHBBBI", 1, 1, 0, 1, 2, 0, 0)), 47, "2 is more than 1"),
        (framed(32, struct.pack(">QQHBBBI", 1, 1, 1, 1, 1, 0, 3)), 49, "3 tracks remain of 2"),
        (framed(33, struct.pack(">QQHQH", 1, 1, 0, 0, 9)), 54, "9 volumes, more than any unit has"),
        (framed(33, struct.pack(">QQHQHIIHHH", 1, 1, 0, 0, 2, 1, 1, 0, 0, 0)), 56, "volumes that are not ascending"),
        (framed(33, struct.pack(">QQHQHIHHH", 1, 1, 1, 0, 1, 1, 0, 0, 0)), 54, "volume 1 of 1"),
        (framed(1, b"\0\x05other"), 30, "'other' cannot stand here"),
        (framed(67, struct.pack(">QIQI", 1, 0, 0, 257)), 48, "257 bytes of data, where at most 256 belong"),
        (framed(65, b"\0\x01A" + struct.pack(">IIHH", 4096, 4096, 0, 0)), 39, "0 is not from 1 to 65536"),
    ],
)
def test_each_check_refuses_at_its_place(content: bytes, offset: int, reason: str) -> None:
    with pytest.raises(MalformedFrameError) as found:
        wire.unpack(content, LIMITS, ANY)
    assert found.value.offset == offset
    assert reason in found.value.reason


def test_a_length_is_refused_before_the_payload_is_there() -> None:
    head = frame.header(reheaded(WHOLE, 8, struct.pack(">I", 2**31))[:HEADER_BYTES])
    with pytest.raises(MalformedFrameError):
        wire.expect(head, LIMITS, ANY)


def test_the_largest_frame_between_parties_follows_from_the_bytes_of_a_track() -> None:
    big = Limits((UnitShape((3,), 2**20),), 0)
    transfer = messages.Transfer(1, 1, 0, 0, bytes(2**20))
    assert wire.most_bytes(big) == len(wire.pack(transfer, 0, big)) == HEADER_BYTES + 32 + 2**20
    assert wire.most_bytes(SESSION) < 1000, "no track is sent to a session"


def test_nothing_about_transfers_is_said_to_a_session() -> None:
    for said in (TRANSFER, messages.Hello(1), messages.Welcome(1), messages.Hardened(1, 1, 1)):
        content = wire.pack(said, 0, LIMITS)
        with pytest.raises(MalformedFrameError):
            wire.unpack(content, SESSION, ANY)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_is_refused_where_it_is_not_said(kind: wire.Kind) -> None:
    head = frame.header(framed(kind.number, b""))
    assert wire.expect(head, LIMITS, frozenset({kind.group})) is kind
    with pytest.raises(MalformedFrameError):
        wire.expect(head, LIMITS, ANY - {kind.group})


@pytest.mark.parametrize(
    "said",
    [
        messages.Run(-1, 0),
        messages.Run(0, 2**64),
        messages.Transfer(1, 1, 0, 0, bytes(63)),
        messages.Transfer(1, 1, 8, 0, bytes(64)),
        messages.SecondaryReport(1, 1, 0, 0, (1, 0), (), (), ()),
        messages.SecondaryReport(1, 1, 1, 0, (1,), (), (), ()),
        messages.Refused(1, 1, 0, "because"),
        messages.PrimaryReport(1, 1, 5, True, True, True, 0),
        Greeting("A", "primary:0", ()),
        Closing("x" * 600),
        Closing("two\nlines"),
        requests.WriteRequest(1, 0, 0, bytes(257)),
    ],
)
def test_what_no_frame_can_carry_is_the_speakers_mistake(said: Any) -> None:
    with pytest.raises(ValueError, match=type(said).__name__):
        wire.encode(said, LIMITS)


def test_before_the_greeting_nothing_can_be_large() -> None:
    sizes = {kind.name: kind.most(NO_LIMITS) for kind in KINDS.values() if kind.group in (Group.GREETING, Group.ATTACH)}
    assert max(sizes.values()) < 32 * 1024
