"""Links: what a party may rely on, shown of the link in memory and of the one over TCP alike, and what only TCP can suffer."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count, pairwise
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirrorspec.impl.core.events import Received
from mirrorspec.impl.core.messages import Hardened, Hello, Message, Run, Transfer, Welcome
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link import Link, frame, wire
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.fields import Limits
from mirrorspec.impl.link.frame import HEADER_BYTES
from mirrorspec.impl.link.greetings import Alive, Closing, Greeting
from mirrorspec.impl.link.mailbox import Mailbox
from mirrorspec.impl.link.memory import MemoryNetwork
from mirrorspec.impl.link.stream import FramedStream, LinkOptions
from mirrorspec.impl.link.tcp import TcpLink
from mirrorspec.spec.errors import BadInputError

UNITS = (UnitShape((4,), 4096), UnitShape((2,), 512))
LIMITS = Limits(UNITS, 0)
OPTIONS = LinkOptions(
    handshake_seconds=2.0, idle_seconds=5.0, first_delay_seconds=0.01, most_delay_seconds=0.05, connections=8
)
ANYWHERE = Address("127.0.0.1", 0)
TRACK = Transfer(1, 1, 3, 0, bytes(range(256)) * 16)


def ran(test: Callable[[], Awaitable[None]], seconds: float = 20.0) -> None:
    """Run a test in a loop of its own, in which nothing may fail unseen and nothing may be left."""
    failures: list[dict[str, Any]] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        async with asyncio.timeout(seconds):
            await test()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(whole())
    assert failures == []


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.002)


class Pair:
    """A primary that dials its secondary, and what both had to say about it."""

    def __init__(self, **options: Any) -> None:
        self.options = replace(OPTIONS, **options)
        self.told: list[Notice] = []
        self.secondary = TcpLink("secondary:0", LIMITS, self.options, self.told.append)
        self.primary = TcpLink("primary:0", LIMITS, self.options)
        self.address = ANYWHERE

    async def __aenter__(self) -> Pair:
        self.address = await self.secondary.listen(ANYWHERE)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.primary.close()
        await self.secondary.close()

    async def connect(self) -> None:
        self.primary.dial("secondary:0", self.address)
        await until(lambda: self.primary.connected("secondary:0") and self.secondary.connected("primary:0"))

    @asynccontextmanager
    async def stranger(self, *, greet: bool = True) -> AsyncIterator[Stranger]:
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        stranger = Stranger(reader, writer)
        try:
            if greet:
                writer.write(wire.pack(Greeting("primary:0", "secondary:0", UNITS), 0, LIMITS))
                assert isinstance(await stranger.heard(), Greeting)
                stranger.stream.limits = LIMITS
            yield stranger
        finally:
            writer.close()
            await asyncio.wait({asyncio.ensure_future(writer.wait_closed())})

    def reasons(self) -> list[tuple[str, str]]:
        return [(notice.code, notice.details.split(": ", 1)[1]) for notice in self.told]


class Stranger:
    """A connection whose far end writes what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.stream = FramedStream(reader, writer, 5.0)

    async def heard(self) -> wire.Frame:
        head = frame.header(await self.reader.readexactly(HEADER_BYTES))
        payload = await self.reader.readexactly(head.length)
        return wire.decode(wire.KINDS[head.kind], payload, LIMITS)

    async def closed(self) -> str:
        """The reason with which the other end closes; empty where it gives none."""
        reason = ""
        try:
            while True:
                said = await self.heard()
                reason = said.reason if isinstance(said, Closing) else reason
        except (asyncio.IncompleteReadError, ConnectionError):
            return reason


# What both links promise


@asynccontextmanager
async def in_memory() -> AsyncIterator[tuple[Link, Link]]:
    network = MemoryNetwork()
    ends = network.link("primary:0", LIMITS), network.link("secondary:0", LIMITS)
    yield ends
    for end in ends:
        await end.close()


@asynccontextmanager
async def over_tcp() -> AsyncIterator[tuple[Link, Link]]:
    async with Pair() as pair:
        await pair.connect()
        yield pair.primary, pair.secondary


BOTH = pytest.mark.parametrize("links", [in_memory, over_tcp])


@BOTH
def test_messages_arrive_whole_and_in_order_in_both_directions(links: Any) -> None:
    async def test() -> None:
        async with links() as (primary, secondary):
            there: list[Message] = [Hello(1), TRACK, *(Hardened(1, n, 0) for n in range(200))]
            back: list[Message] = [Welcome(n) for n in range(200)]
            assert all(primary.send("secondary:0", m) for m in there)
            assert all(secondary.send("primary:0", m) for m in back)
            assert [await secondary.receive() for _ in there] == [Received("primary:0", m) for m in there]
            assert [await primary.receive() for _ in back] == [Received("secondary:0", m) for m in back]

    ran(test)


@BOTH
def test_what_is_sent_to_nobody_is_lost_and_said_to_be(links: Any) -> None:
    async def test() -> None:
        async with links() as (primary, secondary):
            assert primary.connected("secondary:0")
            assert not primary.connected("session:9")
            assert not primary.send("session:9", Run(9, 1))
            await secondary.close()
            await until(lambda: not primary.connected("secondary:0"))
            assert not primary.send("secondary:0", Hello(2))
            await secondary.close()

    ran(test)


@BOTH
def test_a_message_that_no_frame_can_carry_is_the_senders_mistake(links: Any) -> None:
    async def test() -> None:
        async with links() as (primary, secondary):
            with pytest.raises(ValueError, match=r"Transfer\.data"):
                primary.send("secondary:0", Transfer(1, 1, 0, 0, bytes(5)))
            assert primary.send("secondary:0", Hello(1))
            assert await secondary.receive() == Received("primary:0", Hello(1))

    ran(test)


# Connections over TCP


def test_a_party_that_comes_back_is_dialled_again() -> None:
    async def test() -> None:
        async with Pair() as pair:
            await pair.connect()
            await pair.secondary.close()
            await until(lambda: not pair.primary.connected("secondary:0"))
            pair.secondary = TcpLink("secondary:0", LIMITS, OPTIONS)
            await pair.secondary.listen(pair.address)
            await until(lambda: pair.primary.connected("secondary:0"))
            assert pair.primary.send("secondary:0", Hello(2))
            assert await pair.secondary.receive() == Received("primary:0", Hello(2))

    ran(test)


def test_a_party_that_restarts_replaces_its_own_connection() -> None:
    async def test() -> None:
        async with Pair() as pair, pair.stranger() as old:
            old.writer.write(wire.pack(Hello(1), 1, LIMITS))
            assert await pair.secondary.receive() == Received("primary:0", Hello(1))
            async with pair.stranger() as new:
                assert await old.closed() == "primary:0 has connected again"
                new.writer.write(wire.pack(Hello(2), 1, LIMITS))
                assert await pair.secondary.receive() == Received("primary:0", Hello(2))
                assert pair.secondary.send("primary:0", Welcome(2))
                assert await new.heard() == Welcome(2)

    ran(test)


def test_the_delay_before_dialling_again_grows_and_one_failure_is_told_once() -> None:
    async def test() -> None:
        async with Pair(first_delay_seconds=0.01, most_delay_seconds=0.08) as pair:
            address = pair.address
            await pair.secondary.close()
            told: list[Notice] = []
            times: list[float] = []
            link = TcpLink("primary:0", LIMITS, pair.options, told.append)
            loop = asyncio.get_running_loop()
            connect = loop.create_connection

            async def counted(*args: Any, **named: Any) -> Any:
                times.append(loop.time())
                return await connect(*args, **named)

            loop.create_connection = counted  # type: ignore[method-assign]
            link.dial("secondary:0", address)
            await until(lambda: len(times) == 6)
            await link.close()
            gaps = [b - a for a, b in pairwise(times)]
            assert all(g >= least for g, least in zip(gaps, (0.01, 0.02, 0.04, 0.08, 0.08), strict=True))
            assert [(n.code, "no connection to" in n.details) for n in told] == [("disconnected", True)]

    ran(test)


def test_an_idle_connection_is_kept_and_a_dead_one_is_closed() -> None:
    async def test() -> None:
        async with Pair(idle_seconds=0.3) as pair:
            await pair.connect()
            async with pair.stranger(greet=False) as other:
                other.writer.write(wire.pack(Greeting("session:1", "secondary:0", UNITS), 0, LIMITS))
                assert isinstance(await other.heard(), Greeting)
                assert isinstance(await other.heard(), Alive)
                assert await other.closed() == "nothing was heard for too long"
            assert pair.primary.connected("secondary:0"), "it has said that it is alive all the time"
            assert [code for code, _ in pair.reasons()] == ["disconnected"]

    ran(test)


def test_a_connection_that_does_not_greet_in_time_is_closed() -> None:
    async def test() -> None:
        async with Pair(handshake_seconds=0.1) as pair, pair.stranger(greet=False) as stranger:
            assert await stranger.closed() == "no greeting has come in time"

    ran(test)


def test_connections_beyond_the_limit_are_closed() -> None:
    async def test() -> None:
        async with Pair(connections=1) as pair:
            await pair.connect()
            async with pair.stranger(greet=False) as further:
                assert await further.closed() == "too many connections are open already"
            assert pair.primary.connected("secondary:0")
            assert ("busy", "1 connections are open already") in pair.reasons()

    ran(test)


def test_a_party_that_does_not_read_loses_messages_but_holds_nobody_up() -> None:
    async def test() -> None:
        async with Pair(waiting_frames=10, idle_seconds=1.0) as pair:
            async with pair.stranger() as deaf:

                async def speaking() -> None:
                    for sequence in count(1):  # only its reading is at fault
                        deaf.writer.write(wire.pack(Alive(), sequence, LIMITS))
                        await asyncio.sleep(0.05)

                deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket
                speaker = asyncio.create_task(speaking())
                sent = 0
                while pair.secondary.send("primary:0", Transfer(1, 1, 0, 0, bytes(4096))):
                    sent += 1
                    await asyncio.sleep(0)
                assert pair.secondary.connected("primary:0")
                assert sent >= 10
                assert not pair.secondary.send("primary:0", Welcome(1))
                assert [code for code, _ in pair.reasons()] == ["busy"], "once, and not for every message"
                await until(lambda: not pair.secondary.connected("primary:0"))
                speaker.cancel()
                await asyncio.wait({speaker})
            await until(lambda: len(pair.told) == 2)
            assert pair.reasons()[-1] == ("disconnected", "nothing could be written for too long")

    ran(test)


def test_what_waited_for_a_lost_connection_is_lost_with_it_and_strangers_leave_nothing_behind() -> None:
    async def test() -> None:
        async with Pair() as pair:
            async with pair.stranger():
                for n in range(100):
                    assert pair.secondary.send("primary:0", Hardened(1, n, 0)), "they wait: nothing has run since"
            await until(lambda: pair.secondary._peers == {})
            async with pair.stranger() as back:
                assert pair.secondary.send("primary:0", Welcome(2))
                assert await back.heard() == Welcome(2)

    ran(test)


def test_a_party_that_reads_slowly_all_the_time_is_told_of_once() -> None:
    async def test() -> None:
        async with Pair(waiting_frames=2) as pair:
            await pair.connect()
            outbox = pair.secondary._peers["primary:0"].outbox
            assert [pair.secondary.send("primary:0", Welcome(n)) for n in range(2)] == [True, True]
            for _ in range(3):
                assert not pair.secondary.send("primary:0", Welcome(1))
                await outbox.get()
                assert pair.secondary.send("primary:0", Welcome(1)), "now and then there is room"
            assert len(pair.told) == 1

    ran(test)


def test_each_time_that_a_party_begins_to_read_too_slowly_it_is_told() -> None:
    async def test() -> None:
        async with Pair(waiting_frames=2) as pair:
            await pair.connect()
            for _ in range(2):
                assert [pair.secondary.send("primary:0", Welcome(n)) for n in range(5)] == [True] * 2 + [False] * 3
                for n in range(2):
                    assert await pair.primary.receive() == Received("secondary:0", Welcome(n))
            assert pair.reasons() == [("busy", "it reads too slowly, and messages to it are lost")] * 2

    ran(test)


def test_a_machine_that_does_not_receive_stops_the_reading_and_loses_nothing_that_arrived() -> None:
    async def test() -> None:
        async with Pair(waiting_frames=4) as pair, pair.stranger() as sender:
            for n in range(20):
                sender.writer.write(wire.pack(Hello(n), n + 1, LIMITS))
            await until(lambda: len(pair.secondary._inbox) == 4)
            await asyncio.sleep(0.01)
            assert len(pair.secondary._inbox) == 4
            assert [(await pair.secondary.receive()).message for _ in range(20)] == [Hello(n) for n in range(20)]

    ran(test)


# Bytes that are no frames


def spoilt(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


GOOD = wire.pack(TRACK, 1, LIMITS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", "no frame begins here"),
        (spoilt(GOOD, 9), "the header is damaged"),
        (spoilt(GOOD, 100), "the payload is damaged"),
        (frame.pack(50, 1, bytes(4100 + 32)), "a payload of 4132 bytes, where Transfer has at most 4128 here"),
        (frame.pack(99, 1, b""), "there is no kind 99"),
        (wire.pack(Greeting("primary:0", "secondary:0", UNITS), 1, LIMITS), "Greeting is not said here"),
        (wire.pack(Hello(1), 2, LIMITS), "frame 2 where frame 1 must follow"),
        (wire.pack(Hello(1), 1, LIMITS) * 2, "frame 1 where frame 2 must follow"),
        (wire.pack(Hello(1), 0, LIMITS), "frame 0 where frame 1 must follow"),
        (frame.pack(50, 1, struct.pack(">QQIQI", 1, 1, 4, 0, 4096) + bytes(4096)), "track 4 of 4"),
    ],
)
def test_a_malformed_frame_closes_its_connection_with_a_reason_and_harms_nothing(content: bytes, reason: str) -> None:
    async def test() -> None:
        async with Pair() as pair:
            async with pair.stranger() as stranger:
                stranger.writer.write(content)
                said = await stranger.closed()
                assert said.startswith("malformed frame: byte ")
                assert reason in said
            (told,) = pair.told
            assert told.code == "malformed"
            assert reason in told.details
            assert told.details.startswith("127.0.0.1:")
            await pair.connect()
            while len(pair.secondary._inbox):
                assert (await pair.secondary.receive()).message == Hello(1), "what came whole before it"
            assert pair.primary.send("secondary:0", TRACK)
            assert await pair.secondary.receive() == Received("primary:0", TRACK)

    ran(test)


@settings(max_examples=20)
@given(content=st.lists(st.one_of(st.binary(max_size=64), st.just(wire.pack(Hello(1), 1, LIMITS))), max_size=3))
def test_no_bytes_from_a_stranger_stop_a_link(content: list[bytes]) -> None:
    async def test() -> None:
        async with Pair() as pair:
            async with pair.stranger(greet=False) as stranger:
                stranger.writer.write(b"".join(content))
                stranger.writer.write_eof()
                await stranger.closed()
            await pair.connect()
            assert pair.primary.send("secondary:0", TRACK)
            assert await pair.secondary.receive() == Received("primary:0", TRACK)

    ran(test)


# Who may speak

OTHER_BYTES = (UnitShape((4,), 8192), UNITS[1])
OTHER_TRACKS = (UNITS[0], UnitShape((3,), 512))


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (Greeting("primary:0", "secondary:1", UNITS), "primary:0 wants secondary:1, and this is secondary:0"),
        (Greeting("primary:2", "secondary:0", UNITS), "no primary:2 can speak to secondary:0"),
        (Greeting("secondary:0", "secondary:0", UNITS), "no secondary:0 can speak to secondary:0"),
        (Greeting("primary:0", "secondary:0", UNITS[:1]), "another installation: 1 units there, and 2 here"),
        (Greeting("primary:0", "secondary:0", OTHER_BYTES), "a track of unit 0 has 8192 bytes there, and 4096 here"),
        (Greeting("primary:0", "secondary:0", OTHER_TRACKS), "the volumes of unit 1 have other numbers of tracks"),
    ],
)
def test_who_disagrees_about_the_installation_is_turned_away_with_the_reason(greeting: Greeting, reason: str) -> None:
    async def test() -> None:
        async with Pair() as pair, pair.stranger(greet=False) as stranger:
            stranger.writer.write(wire.pack(greeting, 0, LIMITS))
            assert reason in await stranger.closed()
            assert [notice.code for notice in pair.told] == ["unknown"]
            assert not pair.secondary.connected(greeting.sender)

    ran(test)


def test_another_version_is_turned_away_with_the_reason() -> None:
    async def test() -> None:
        async with Pair() as pair, pair.stranger(greet=False) as stranger:
            content = bytearray(wire.pack(Greeting("primary:0", "secondary:0", UNITS), 0, LIMITS))
            content[4] = 2
            struct.pack_into(">I", content, 24, crc32(bytes(content[:24])))
            stranger.writer.write(content)
            assert "version 2 is spoken there, and 1 here" in await stranger.closed()

    ran(test)


def test_a_dialler_turns_away_whoever_answers_in_place_of_the_party() -> None:
    async def test() -> None:
        async with Pair() as pair:
            told: list[Notice] = []
            link = TcpLink("session:1", Limits(UNITS), OPTIONS, told.append)
            link.dial("primary:0", pair.address)
            await until(lambda: bool(told))
            await link.close()
            assert "session:1 wants primary:0, and this is secondary:0" in told[0].details

    ran(test)


def test_a_dialler_turns_away_another_party_that_claims_to_be_meant() -> None:
    async def test() -> None:
        def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(wire.pack(Greeting("secondary:1", "primary:0", UNITS), 0, LIMITS))
            writers.append(writer)

        writers: list[asyncio.StreamWriter] = []
        told: list[Notice] = []
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        link = TcpLink("primary:0", LIMITS, OPTIONS, told.append)
        link.dial("secondary:0", Address(*server.sockets[0].getsockname()))
        await until(lambda: bool(told))
        assert not link.connected("secondary:1")
        await link.close()
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        assert told[0] == Notice("unknown", "secondary:0: secondary:1 answers, where secondary:0 should")

    ran(test)


# Where it listens


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "storage.example"])
def test_listening_beyond_this_machine_must_be_asked_for(host: str) -> None:
    async def test() -> None:
        link = TcpLink("secondary:0", LIMITS, OPTIONS)
        with pytest.raises(BadInputError, match="beyond_loopback = true"):
            await link.listen(Address(host, 0))
        await link.close()

    ran(test)


def test_listening_beyond_this_machine_is_possible_where_it_is_asked_for() -> None:
    async def test() -> None:
        link = TcpLink("secondary:0", LIMITS, replace(OPTIONS, beyond_loopback=True))
        assert (await link.listen(Address("0.0.0.0", 0))).host == "0.0.0.0"
        await link.close()

    ran(test)


def test_an_address_that_is_taken_is_one_clear_line() -> None:
    async def test() -> None:
        async with Pair() as pair:
            link = TcpLink("secondary:0", LIMITS, OPTIONS)
            with pytest.raises(BadInputError, match=f"cannot listen on {pair.address}: "):
                await link.listen(pair.address)
            await link.close()

    ran(test)


@pytest.mark.parametrize("text", ["127.0.0.1:7101", "localhost:0", "[::1]:65535"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    assert str(Address.parse(text)) == text
    assert Address.parse(text).loopback


@pytest.mark.parametrize("text", ["", "7101", ":7101", "h:", "h:-1", "h:65536", "::1:7101", "h:٣", "[h]:1", " :1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address: write HOST:PORT"):
        Address.parse(text)


# The mailbox


def test_a_mailbox_is_bounded_in_number_and_in_bytes_but_takes_one_of_any_size() -> None:
    box: Mailbox[str] = Mailbox(2, 100)
    assert box.offer("large", 1000)
    assert not box.offer("next", 1)
    assert asyncio.run(box.get()) == "large"
    assert box.offer("a", 60)
    assert not box.offer("b", 41)
    assert box.offer("b", 40)
    assert not box.offer("c", 0)
    assert len(box) == 2
