"""What surrounds a machine: the order of its four acts, failing storage, timers, the numbers of sessions, and questions."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mirrorspec.impl.core.events import Begin, Decide, Event, Received, TimerFired
from mirrorspec.impl.core.messages import Hello, Message, Transfer
from mirrorspec.impl.core.outcome import (
    NOTHING,
    Acknowledge,
    Change,
    Fail,
    Image,
    Notice,
    Outcome,
    Put,
    Send,
    SendTrack,
    StartTimer,
    StopTimer,
)
from mirrorspec.impl.service.endpoint import FILE, Endpoint, NoAnswerError, Status, ask
from mirrorspec.impl.service.numbers import PLACES, SessionNumbers
from mirrorspec.impl.service.runner import IDLE_SECONDS, TURN_EVENTS, Runner
from mirrorspec.impl.storage.store import StorageFailedError
from mirrorspec.spec.errors import BadInputError


class Diary:
    """A machine, its storage, its link and its hosts at once: they note what happens, in one list."""

    name = "primary:0"

    def __init__(self, answers: dict[Event, Outcome], fails: bool = False) -> None:
        self.answers, self.fails = answers, fails
        self.noted: list[object] = []
        self.inbox: asyncio.Queue[Received] = asyncio.Queue()

    def handle(self, event: Event) -> Outcome:
        self.noted.append(event)
        return self.answers.get(event, NOTHING)

    def apply(self, outcome: Outcome) -> None:
        self.noted.append("applied")

    def failed(self, event: Event, outcome: Outcome) -> Outcome:
        return Outcome(outputs=(Fail(1, "persisted"),))

    def commit(self, changes: Iterable[Change]) -> None:
        if self.fails:
            raise StorageFailedError("the disk is full")
        self.noted.append(("committed", tuple(changes)))

    def read(self, image: Image, track: int) -> bytes:
        if self.fails:
            raise StorageFailedError("the disk cannot be read")
        return b"data"

    def send(self, to: str, message: Message) -> bool:
        self.noted.append((to, message))
        return True

    async def receive(self) -> Received:
        return await self.inbox.get()

    def connected(self, to: str) -> bool:
        return True

    async def close(self) -> None:
        pass

    def acknowledge(self, request: int) -> None:
        self.noted.append(("acknowledged", request))

    def fail(self, request: int, code: str) -> None:
        self.noted.append(("failed", request, code))

    def notice(self, notice: Notice) -> None:
        self.noted.append(notice.code)


def ran(
    diary: Diary, *events: Event, seconds: float = 0.02, background: Callable[[bool], bool] | None = None
) -> list[object]:
    """What is noted while a runner runs for so long after it was told of the events."""

    async def run() -> None:
        runner = Runner(diary, diary, diary.notice, diary, answers=diary, background=background)
        for event in events:
            runner.tell(event)
        task = asyncio.create_task(runner.run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return diary.noted


PUT = (Put("epoch", 1),)


def test_an_outcome_is_persisted_then_applied_then_put_out_and_then_come_further_events() -> None:
    """The contract of `impl.core`, in its order."""
    outputs = (Acknowledge(7), Send("secondary:0", Hello(1)), SendTrack("secondary:0", 1, 2, 3, 0, Image.CACHE))
    noted = ran(Diary({Begin(): Outcome(changes=PUT, outputs=outputs, then=(Decide(),))}), Begin())
    assert noted == [
        Begin(),
        ("committed", PUT),
        "applied",
        ("acknowledged", 7),
        ("secondary:0", Hello(1)),
        ("secondary:0", Transfer(1, 2, 3, 0, b"data")),
        Decide(),
        "applied",
    ]


def test_where_persisting_fails_nothing_of_the_outcome_happens_and_the_host_is_told() -> None:
    """[0031] The write must not go on without its mark."""
    noted = ran(
        Diary({Begin(): Outcome(changes=PUT, outputs=(Acknowledge(1),), then=(Decide(),))}, fails=True), Begin()
    )
    assert noted == [Begin(), "persisted", "applied", ("failed", 1, "persisted")]


def test_a_transfer_that_cannot_be_read_is_lost_and_said() -> None:
    outputs = (SendTrack("secondary:0", 1, 2, 3, 0, Image.CACHE), Send("secondary:0", Hello(1)))
    noted = ran(Diary({Begin(): Outcome(outputs=outputs)}, fails=True), Begin())
    assert noted[2:] == ["persisted", ("secondary:0", Hello(1))]


def test_a_timer_replaces_the_one_of_its_name_and_a_stopped_one_does_not_fire() -> None:
    answers: dict[Event, Outcome] = {
        Begin(): Outcome(outputs=(StartTimer("run", 0.01, 1), StartTimer("increment", 0.01, 1))),
        Decide(): Outcome(outputs=(StartTimer("run", 0.02, 2), StopTimer("increment"))),
    }
    fired = [event for event in ran(Diary(answers), Begin(), Decide(), seconds=0.1) if isinstance(event, TimerFired)]
    assert fired == [TimerFired("run", 2)]


def test_the_background_waits_for_an_idle_moment_and_is_tried_again_when_it_fails() -> None:
    asked: list[bool] = []

    def background(idle: bool) -> bool:
        asked.append(idle)
        if idle and asked.count(True) == 1:
            raise StorageFailedError("not now")
        return idle and asked.count(True) < 3

    diary = Diary({})
    ran(diary, Begin(), seconds=IDLE_SECONDS + 0.8, background=background)
    assert asked[0] is False
    assert asked.count(True) == 3
    assert diary.noted.count("persisted") == 1


def test_messages_wait_in_the_link_while_the_machine_has_enough_to_do() -> None:
    """Memory is bounded: a flood of messages is taken no faster than it is handled."""

    async def run() -> int:
        diary = Diary({})
        runner = Runner(diary, diary, diary.notice, diary)
        for epoch in range(10 * TURN_EVENTS):
            diary.inbox.put_nowait(Received("secondary:0", Hello(epoch)))
        receiving = asyncio.create_task(runner._receiving())
        await asyncio.sleep(0.02)
        receiving.cancel()
        return 10 * TURN_EVENTS - diary.inbox.qsize()

    assert asyncio.run(run()) == TURN_EVENTS


def numbers(folder: Path, place: int, seconds: float) -> int:
    """The next number of a place whose clock shows so many seconds."""
    folder.mkdir(exist_ok=True)
    found = SessionNumbers(folder, place, lambda: seconds)
    try:
        return found.next()
    finally:
        found.close()


def test_a_place_gives_rising_numbers_also_when_its_clock_goes_back(tmp_path: Path) -> None:
    """DESIGN 3.9: session numbers are unique and ordered."""
    given = [numbers(tmp_path / "here", 3, seconds) for seconds in (1000, 1000, 10, 2000)]
    assert given == [n * PLACES + 3 for n in (1000, 1001, 1002, 2000)]


def test_two_places_never_give_the_same_number_and_the_later_start_has_the_higher(tmp_path: Path) -> None:
    here = {numbers(tmp_path / "here", 0, 1000) for _ in range(20)}
    there = {numbers(tmp_path / "there", 1, 1000) for _ in range(20)}
    assert not here & there
    assert numbers(tmp_path / "there", 1, 5000) > max(here | there)


def test_a_place_that_has_lost_its_folder_does_not_give_old_numbers_again(tmp_path: Path) -> None:
    before = numbers(tmp_path / "here", 0, 1000)
    assert numbers(tmp_path / "new", 0, 1001) > before


def test_a_folder_of_numbers_is_open_once(tmp_path: Path) -> None:
    first = SessionNumbers(tmp_path, 0)
    with pytest.raises(BadInputError, match="in use by another process"):
        SessionNumbers(tmp_path, 0)
    first.close()


def questioned(folder: Path, question: Callable[[], object]) -> object:
    """What a question to an open endpoint yields; the endpoint knows the word `status`."""

    def answer(word: str) -> Status:
        return {"status": {"mode": "normal"}}[word]

    async def run() -> object:
        endpoint = Endpoint(folder, answer)
        await endpoint.open()
        try:
            return await asyncio.to_thread(question)
        finally:
            await endpoint.close()

    return asyncio.run(run())


def test_a_party_is_asked_through_its_folder_and_no_longer_when_it_has_ended(tmp_path: Path) -> None:
    assert questioned(tmp_path, lambda: ask(tmp_path, "status")) == {"mode": "normal"}
    with pytest.raises(NoAnswerError, match="it is not running"):
        ask(tmp_path, "status")


def test_only_the_owner_of_the_folder_can_read_the_secret(tmp_path: Path) -> None:
    assert questioned(tmp_path, lambda: (tmp_path / FILE).stat().st_mode & 0o777) == 0o600


@pytest.mark.parametrize(
    "line",
    [
        b'{"secret": "wrong", "ask": "status"}\n',
        b'{"secret": "\xc3\xa4\\ud800"}\n',
        b"not JSON\n",
        b"\xff\n",
        b"[]\n",
        b"[" * 4000 + b"\n",
        b"x" * 100_000 + b"\n",
    ],
)
def test_whoever_does_not_know_the_secret_is_told_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    def question() -> bytes:
        port = json.loads((tmp_path / FILE).read_text())["port"]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(line)
            try:
                return connection.recv(100)
            except ConnectionResetError:
                return b""

    assert questioned(tmp_path, question) == b""
    assert not caplog.records, "an error of the program"


def test_a_file_that_was_left_behind_leads_nowhere(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (tmp_path / FILE).write_text(json.dumps({"port": port, "secret": "x"}))
    with pytest.raises(NoAnswerError, match="nobody answers"):
        ask(tmp_path, "status")
    (tmp_path / FILE).write_text("{")
    with pytest.raises(NoAnswerError, match="damaged"):
        ask(tmp_path, "status")
