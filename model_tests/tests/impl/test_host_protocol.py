"""Hosts at a primary: what is written is read, a write over several tracks is complete with its last part, bounds hold."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.impl.core.events import HostWrite
from mirrorspec.impl.core.options import UnitShape
from mirrorspec.impl.core.outcome import Notice
from mirrorspec.impl.link import frame, wire
from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.client import AsyncBlockClient, BlockClient, BlockError
from mirrorspec.impl.link.fields import NO_LIMITS, Limits
from mirrorspec.impl.link.frame import HEADER_BYTES
from mirrorspec.impl.link.greetings import Closing
from mirrorspec.impl.link.host import OUTSTANDING, HostServer, Part, RefusedError, parts, request_bytes
from mirrorspec.impl.link.requests import Attach, Attached, Done, Failed, FlushRequest, ReadRequest, WriteRequest
from mirrorspec.impl.link.stream import EndedError, LinkOptions

SHAPE = UnitShape((4, 300), 16)
ANYWHERE = Address("127.0.0.1", 0)
OPTIONS = LinkOptions(handshake_seconds=1.0, idle_seconds=2.0)
LIMITS = Limits((), None, request_bytes(SHAPE))


class Unit:
    """A primary without mirroring: a part is in the cache when it arrives, unless it is told to hold or refuse it."""

    def __init__(self, waiting: int = 1024) -> None:
        self.content = bytearray(SHAPE.tracks * SHAPE.track_bytes)
        self.refuses: dict[int, str] = {}
        self.holds = False
        self.held: list[HostWrite] = []
        self.numbers: list[int] = []
        self.flushes = 0
        self.sound = True
        self.told: list[Notice] = []
        self.server = HostServer("A", ("small", "large"), SHAPE, self, OPTIONS, self.told.append, waiting)
        self.address = ANYWHERE

    async def __aenter__(self) -> Unit:
        self.address = await self.server.listen(ANYWHERE)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()

    def submit(self, write: HostWrite) -> None:
        self.numbers.append(write.request)
        if self.holds:
            self.held.append(write)
        else:
            self.carry_out(write)

    def carry_out(self, write: HostWrite) -> None:
        if write.track in self.refuses:
            self.server.fail(write.request, self.refuses[write.track])
            return
        start = write.track * SHAPE.track_bytes + write.offset
        self.content[start : start + len(write.data)] = write.data
        self.server.acknowledge(write.request)

    def read(self, track: int, offset: int, length: int) -> bytes:
        if not self.sound:
            raise RefusedError("persisted")
        start = track * SHAPE.track_bytes + offset
        return bytes(self.content[start : start + length])

    def flush(self) -> None:
        if not self.sound:
            raise RefusedError("persisted")
        self.flushes += 1


def ran(test: Callable[[Unit], Awaitable[None]], unit: Unit | None = None) -> None:
    """Run a test against a unit, in a loop of its own, in which nothing may fail unseen and nothing may be left."""
    failures: list[dict[str, Any]] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        async with asyncio.timeout(20), unit or Unit() as here:
            await test(here)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(whole())
    assert failures == []


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.002)


async def refusal(work: Awaitable[object]) -> str:
    with pytest.raises(BlockError) as found:
        await work
    return found.value.code


# Reading and writing


def test_what_is_written_is_read_by_a_host_that_waits() -> None:
    async def test(unit: Unit) -> None:
        def host() -> None:
            with BlockClient(unit.address, "A", seconds=5) as client:
                assert client.volumes.sizes == {"small": 64, "large": 4800}
                client.write("large", 10, bytes(range(100)))
                client.write("small", 63, b"!")
                client.flush()
                assert client.read("large", 0, 120) == bytes(10) + bytes(range(100)) + bytes(10)
                assert client.read("small", 60, 4) == b"\0\0\0!"
                assert client.read("large", 7, 0) == b""
                client.close()

        await asyncio.to_thread(host)
        assert unit.flushes == 1
        assert unit.content[63] == ord("!"), "volumes follow one another"

    ran(test)


def test_a_host_writes_and_reads_more_than_one_request_holds() -> None:
    async def test(unit: Unit) -> None:
        assert request_bytes(SHAPE) == 1024
        content = bytes(n % 251 for n in range(4800))

        def host() -> None:
            with BlockClient(unit.address, "A", seconds=5) as client:
                client.write("large", 0, content)
                assert client.read("large", 0, 4800) == content

        await asyncio.to_thread(host)
        assert len(unit.numbers) == 300
        client = await AsyncBlockClient.connect(unit.address, "A")
        assert await client.read("large", 1, 4799) == content[1:]
        await client.close()

    ran(test)


@given(st.data())
def test_a_request_is_cut_at_the_borders_of_tracks_and_nowhere_else(data: st.DataObject) -> None:
    shape = data.draw(
        st.builds(UnitShape, st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), st.integers(1, 9))
    )
    volume = data.draw(st.integers(0, len(shape.volumes) - 1))
    size = shape.volumes[volume] * shape.track_bytes
    offset = data.draw(st.integers(0, size - 1))
    length = data.draw(st.integers(1, size - offset))
    found = list(parts(shape, volume, offset, length))
    first = shape.first(volume) * shape.track_bytes
    touched = [p.track * shape.track_bytes + p.offset + i for p in found for i in range(p.length)]
    assert touched == list(range(first + offset, first + offset + length))
    assert [p.start + i for p in found for i in range(p.length)] == list(range(length))
    assert len({p.track for p in found}) == len(found)
    assert all(p.offset + p.length <= shape.track_bytes for p in found)


def test_a_part_begins_and_ends_where_its_track_does() -> None:
    assert list(parts(SHAPE, 1, 14, 20)) == [Part(4, 14, 0, 2), Part(5, 0, 2, 16), Part(6, 0, 18, 2)]


# Parts


def test_a_write_is_complete_when_its_last_part_is() -> None:
    async def test(unit: Unit) -> None:
        unit.holds = True
        client = await AsyncBlockClient.connect(unit.address, "A")
        write = asyncio.ensure_future(client.write("large", 0, bytes(48)))
        await until(lambda: len(unit.held) == 3)
        for part in (unit.held[2], unit.held[0]):
            unit.carry_out(part)
        assert await client.read("large", 0, 1) == b"\0", "an answer that comes later has come"
        assert not write.done()
        unit.carry_out(unit.held[1])
        await write
        await client.close()

    ran(test)


def test_a_write_fails_with_the_first_code_once_all_parts_are_answered() -> None:
    async def test(unit: Unit) -> None:
        unit.holds = True
        unit.refuses = {5: "busy", 6: "persisted"}
        client = await AsyncBlockClient.connect(unit.address, "A")
        write = asyncio.ensure_future(client.write("large", 0, b"x" * 64))
        await until(lambda: len(unit.held) == 4)
        for part in (unit.held[2], unit.held[1], unit.held[0]):
            unit.carry_out(part)
        assert await client.read("large", 0, 1) == b"x", "the parts that are written are written"
        assert not write.done()
        unit.carry_out(unit.held[3])
        assert await refusal(write) == "persisted"
        await client.close()

    ran(test)


def test_answers_come_in_any_order_and_reach_whoever_asked() -> None:
    async def test(unit: Unit) -> None:
        unit.holds = True
        client = await AsyncBlockClient.connect(unit.address, "A")
        writes = [asyncio.ensure_future(client.write("large", 16 * n, bytes([n]) * 16)) for n in range(10)]
        await until(lambda: len(unit.held) == 10)
        assert [part.track for part in unit.held] == [4 + n for n in range(10)], "in the order of arrival"
        for n in (7, 2, 9):
            unit.carry_out(unit.held[n])
            await writes[n]
        assert [n for n in range(10) if writes[n].done()] == [2, 7, 9]
        for n in (0, 1, 3, 4, 5, 6, 8):
            unit.carry_out(unit.held[n])
        await asyncio.gather(*writes)
        await client.close()

    ran(test)


def test_numbers_of_parts_rise_over_all_connections() -> None:
    async def test(unit: Unit) -> None:
        clients = [await AsyncBlockClient.connect(unit.address, "A") for _ in range(3)]
        await asyncio.gather(*(client.write("large", 0, bytes(160)) for client in clients for _ in range(3)))
        assert unit.numbers == list(range(1, 91))
        for client in clients:
            await client.close()

    ran(test)


def test_parts_beyond_what_the_unit_lets_wait_wait_in_the_network() -> None:
    async def test(unit: Unit) -> None:
        unit.holds = True
        clients = [await AsyncBlockClient.connect(unit.address, "A") for _ in range(2)]
        writes = [asyncio.ensure_future(client.write("large", 0, bytes(48))) for client in clients for _ in range(3)]
        await until(lambda: len(unit.held) == 6)
        await asyncio.sleep(0.01)
        assert len(unit.held) == 6, "a third would be 9 of 8"
        unit.holds = False
        for part in unit.held:
            unit.carry_out(part)
        await asyncio.gather(*writes)
        for client in clients:
            await client.close()

    ran(test, Unit(waiting=8))


def test_a_request_of_more_parts_than_may_wait_goes_alone() -> None:
    async def test(unit: Unit) -> None:
        client = await AsyncBlockClient.connect(unit.address, "A")
        await client.write("large", 0, bytes(64))
        await client.close()

    ran(test, Unit(waiting=2))


def test_a_host_that_goes_leaves_its_writes_to_be_answered() -> None:
    async def test(unit: Unit) -> None:
        unit.holds = True
        client = await AsyncBlockClient.connect(unit.address, "A")
        write = asyncio.ensure_future(client.write("large", 0, bytes(48)))
        await until(lambda: len(unit.held) == 3)
        await client.close()
        with pytest.raises(EndedError):
            await write
        for part in unit.held:
            unit.carry_out(part)
        other = await AsyncBlockClient.connect(unit.address, "A")
        assert await other.read("small", 0, 1) == b"\0"
        await other.close()

    ran(test)


# Refusals


class Raw:
    """A host that writes what it likes."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.sent = 0

    async def __aenter__(self) -> Raw:
        self.reader, self.writer = await asyncio.open_connection(self.unit.address.host, self.unit.address.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await asyncio.wait({asyncio.ensure_future(self.writer.wait_closed())})

    async def attach(self) -> None:
        self.say(Attach("A"))
        assert await self.heard() == Attached("A", 16, 1024, OUTSTANDING, (("small", 4), ("large", 300)))

    def say(self, said: wire.Frame) -> None:
        self.writer.write(wire.pack(said, self.sent, LIMITS))
        self.sent += 1

    async def heard(self) -> wire.Frame:
        head = frame.header(await self.reader.readexactly(HEADER_BYTES))
        return wire.decode(wire.KINDS[head.kind], await self.reader.readexactly(head.length), LIMITS)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ReadRequest(1, 2, 0, 1), "unknown"),
        (ReadRequest(1, 0, 0, 65), "outside"),
        (ReadRequest(1, 0, 64, 1), "outside"),
        (ReadRequest(1, 0, 2**64 - 1, 2**32 - 1), "outside"),
        (ReadRequest(1, 1, 0, 1025), "outside"),
        (ReadRequest(1, 0, 0, 0), "empty"),
        (WriteRequest(1, 0, 63, b"ab"), "outside"),
        (WriteRequest(1, 0, 0, b""), "empty"),
        (WriteRequest(1, 9, 0, b"a"), "unknown"),
    ],
)
def test_what_does_not_lie_within_a_volume_is_refused_and_nothing_is_written(request_: Any, code: str) -> None:
    async def test(unit: Unit) -> None:
        async with Raw(unit) as host:
            await host.attach()
            host.say(request_)
            assert await host.heard() == Failed(1, code)
            host.say(FlushRequest(1))
            assert await host.heard() == Done(1), "the number may be used again"
        assert unit.numbers == []

    ran(test)


@pytest.mark.parametrize(
    ("volume", "offset", "code"), [("none", 0, "unknown"), ("small", 60, "outside"), ("small", -1, "outside")]
)
def test_the_clients_refuse_it_themselves(volume: str, offset: int, code: str) -> None:
    async def test(unit: Unit) -> None:
        client = await AsyncBlockClient.connect(unit.address, "A")
        assert await refusal(client.read(volume, offset, 5)) == code
        assert await refusal(client.write(volume, offset, b"12345")) == code
        await client.close()

        def host() -> None:
            with BlockClient(unit.address, "A") as waiting:
                with pytest.raises(BlockError, match=code):
                    waiting.write(volume, offset, b"12345")
                waiting.write("small", 0, b"12345")

        await asyncio.to_thread(host)

    ran(test)


def test_what_the_unit_refuses_reaches_the_host_with_its_words() -> None:
    async def test(unit: Unit) -> None:
        unit.sound = False
        unit.refuses = {0: "busy"}

        def host() -> None:
            with BlockClient(unit.address, "A") as client:
                for work in (client.flush, lambda: client.read("small", 0, 1)):
                    with pytest.raises(BlockError, match=r"persisted: the unit cannot persist"):
                        work()
                with pytest.raises(BlockError, match="busy: too many writes") as found:
                    client.write("small", 0, b"a")
                assert not found.value.definite

        await asyncio.to_thread(host)

    ran(test)


def test_another_unit_is_not_taken_for_the_one_that_is_meant() -> None:
    async def test(unit: Unit) -> None:
        with pytest.raises(EndedError, match="a host wants B, and this is A"):
            await AsyncBlockClient.connect(unit.address, "B")
        with pytest.raises(EndedError, match="a host wants B, and this is A"):
            await asyncio.to_thread(BlockClient, unit.address, "B")
        assert [notice.code for notice in unit.told] == ["unknown", "unknown"]

    ran(test)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"x" * 28, "no frame begins here"),
        (wire.pack(ReadRequest(1, 0, 0, 1), 2, LIMITS), "frame 2 where frame 1 must follow"),
        (frame.pack(67, 1, bytes(24 + 1025)), "a payload of 1049 bytes, where WriteRequest has at most 1048 here"),
        (wire.pack(Attach("A"), 1, LIMITS), "Attach is not said here"),
        (wire.pack(Done(1), 1, LIMITS), "Done is not said here"),
    ],
    ids=["no_frame", "gap", "too_long", "again", "reply"],
)
def test_a_malformed_request_closes_its_connection_with_a_reason_and_no_other(said: bytes, reason: str) -> None:
    async def test(unit: Unit) -> None:
        client = await AsyncBlockClient.connect(unit.address, "A")
        async with Raw(unit) as host:
            await host.attach()
            host.writer.write(said)
            closing = await host.heard()
            assert isinstance(closing, Closing)
            assert reason in closing.reason
        await client.write("small", 0, b"fine")
        assert await client.read("small", 0, 4) == b"fine"
        await client.close()
        assert [notice.code for notice in unit.told if reason in notice.details] == ["malformed"]

    ran(test)


def test_a_number_that_is_outstanding_is_not_used_again() -> None:
    async def test(unit: Unit) -> None:
        unit.holds = True
        async with Raw(unit) as host:
            await host.attach()
            host.say(WriteRequest(5, 0, 0, b"a"))
            host.say(WriteRequest(5, 0, 0, b"b"))
            closing = await host.heard()
            assert isinstance(closing, Closing)
            assert "request 5 is outstanding already" in closing.reason
        assert len(unit.held) == 1

    ran(test)


def test_requests_beyond_the_limit_wait_until_one_is_answered() -> None:
    async def test(unit: Unit) -> None:
        unit.holds = True
        async with Raw(unit) as host:
            await host.attach()
            for n in range(OUTSTANDING + 5):
                host.say(WriteRequest(n, 0, 0, b"a"))
            await until(lambda: len(unit.held) == OUTSTANDING)
            await asyncio.sleep(0.01)
            assert len(unit.held) == OUTSTANDING
            unit.carry_out(unit.held[3])
            assert await host.heard() == Done(3)
            await until(lambda: len(unit.held) == OUTSTANDING + 1)

    ran(test)


def test_a_connection_that_does_not_say_what_it_wants_is_closed() -> None:
    async def test(unit: Unit) -> None:
        async with Raw(unit) as host:
            closing = await host.heard()
            assert closing == Closing("the host has not said in time what it wants")

    ran(test)


# A unit that fails its hosts


def serving(*answers: bytes, stays: bool = False) -> tuple[Address, threading.Thread]:
    """A unit that says one of these things each time that it is asked, and goes, unless it stays and is silent."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            for answer in answers:
                connection.recv(4096)
                connection.sendall(answer)
            while stays and connection.recv(4096):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    return Address("127.0.0.1", server.getsockname()[1]), thread


ATTACHED = wire.pack(Attached("A", 16, 64, 1, (("small", 4),)), 0, NO_LIMITS)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the unit has gone"),
        (wire.pack(Done(1), 1, LIMITS)[:-1], "the unit has gone"),
        (wire.pack(Done(2), 1, LIMITS), "an answer to request 2, which is not outstanding"),
        (wire.pack(Done(1), 2, LIMITS), "frame 2 where frame 1 must follow"),
        (wire.pack(Closing("good night"), 1, LIMITS), "the unit closes: good night"),
        (frame.pack(70, 1, bytes(1000)), "a payload of 1000 bytes, where Content has at most 76 here"),
    ],
    ids=["gone", "cut_off", "unasked", "gap", "closing", "too_long"],
)
def test_a_host_is_told_when_its_unit_fails_it(answer: bytes, reason: str) -> None:
    address, thread = serving(ATTACHED, answer)
    with BlockClient(address, "A", seconds=5) as client:
        with pytest.raises((EndedError, frame.MalformedFrameError), match=reason):
            client.write("small", 0, b"a")
        with pytest.raises(OSError, match="Bad file descriptor"):
            client.flush()
    thread.join()


def test_a_host_does_not_wait_longer_than_it_wants_to() -> None:
    address, thread = serving(ATTACHED, stays=True)
    with BlockClient(address, "A", seconds=0.1) as client, pytest.raises(TimeoutError):
        client.write("small", 0, b"a")
    thread.join()


def test_a_host_does_not_believe_a_unit_that_makes_no_sense() -> None:
    senseless = frame.pack(65, 0, b"\0\x01A" + bytes(4) + b"\0\0\0\x40\0\x01\0\0")
    address, thread = serving(senseless)
    with pytest.raises(frame.MalformedFrameError, match="0 is not from 1 to"):
        BlockClient(address, "A", seconds=5)
    thread.join()


def test_a_host_has_no_more_requests_outstanding_than_its_unit_takes() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    early: list[bool] = []

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(wire.pack(Attached("A", 16, 16, 2, (("small", 4),)), 0, NO_LIMITS))
            length = len(wire.pack(WriteRequest(1, 0, 0, bytes(16)), 0, LIMITS))
            for _ in range(2):
                connection.recv(length, socket.MSG_WAITALL)
            connection.settimeout(0.05)
            for n in range(4):
                if n < 2:
                    try:
                        early.append(bool(connection.recv(1, socket.MSG_PEEK)))
                    except TimeoutError:
                        early.append(False)
                connection.sendall(wire.pack(Done(n + 1), n + 1, LIMITS))
                if n < 2:
                    connection.settimeout(5)
                    connection.recv(length, socket.MSG_WAITALL)
                    connection.settimeout(0.05)

    thread = threading.Thread(target=serve)
    thread.start()
    with BlockClient(Address("127.0.0.1", server.getsockname()[1]), "A", seconds=5) as client:
        client.write("small", 0, bytes(64))
    thread.join()
    assert early == [False, False]
