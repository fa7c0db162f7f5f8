"""The drill: the bank works, its parties are killed, and again and again the whole primary site is lost.

A cycle is a while of work, in which parties are killed with SIGKILL and started again, and then a disaster: all parties are
killed at once, a copy of what the secondary site holds is recovered as an operator would, and both databases are opened from
the images and audited. Then everything is started again where it was, and the bank goes on.

Of every recovered image it is checked that both databases open and pass SQLite's integrity check; that every invariant of
`books` holds, and holds when the bank has gone on with it; that it holds no transaction that the bank had not begun; that its
number is at least that of the last increment that was seen committed; and that it holds every transaction that was committed
before the second next increment could begin. (The first of those may have been under way when the transaction was committed,
so it may miss it.)

The seed decides who is killed and when; what they were doing then is up to the machine.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw

from mirrorspec.model_tests.bank.books import NAMES, STEPS, Standing, Teller, audit
from mirrorspec.model_tests.bank.clerk import Clerk
from mirrorspec.model_tests.bank.devices import DeviceError, image_device
from mirrorspec.model_tests.bank.files import Files
from mirrorspec.model_tests.bank.parties import NotRecoveredError, Parties, recover
from mirrorspec.model_tests.bank.vfs import Database

FORM_SECONDS = 60.0
"""An installation in which no increment forms for so long, with nobody killed, has failed."""


@dataclass(slots=True)
class Tally:
    """What the drill did, and what it found wrong."""

    cycles: int = 0
    kills: int = 0
    openings: int = 0
    transactions: int = 0
    increments: int = 0
    """The number of the last increment that was recovered."""
    hot: int = 0
    """Recovered databases with a hot journal: the cut fell into one of their transactions."""
    promised: int = 0
    """Recoveries of which it was known beforehand that they must hold some transaction."""
    working_seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    standing: Standing | None = None
    """The last that was recovered."""

    def __str__(self) -> str:
        """One line, with the bounds of what was tried."""
        rate = self.transactions / self.working_seconds if self.working_seconds else 0.0
        return (
            f"disasters {self.cycles}, processes killed {self.kills}, openings at the primary site {self.openings}; "
            f"transactions {self.transactions}, {rate:.0f} a second; increments {self.increments}; "
            f"a transaction rolled back in {self.hot} of {2 * self.cycles} recovered databases"
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """At some moment so many transactions were committed; asked after it, the last committed increment had this number."""

    transactions: int
    formed: int


def promised(samples: Iterable[Sample], number: int) -> int:
    """So many transactions are at least in the increment of that number."""
    return max((s.transactions for s in samples if s.formed + 2 <= number), default=0)


def objections(standing: Standing, number: int, begun: int, samples: Sequence[Sample]) -> list[str]:
    """What is wrong with a recovered image of that increment, of a bank that had begun so many transactions."""
    wrong = [] if standing.sound else [str(standing)]
    least, seen = promised(samples, number), max((s.formed for s in samples), default=0)
    if not standing.damage and not least <= standing.transactions <= begun:
        wrong.append(f"the image holds {standing.transactions} transactions, not {least} to {begun}")
    if number < seen:
        wrong.append(f"increment {number} was recovered, and {seen} had been committed")
    return wrong


class Drill:
    """An installation in a folder, with the bank at work."""

    def __init__(self, folder: Path, seed: int, fault: str = "", say: Callable[[str], None] = lambda _: None) -> None:
        """*fault*: the name of one of `faults.FAULTS`, or none. *say* is told one line a disaster."""
        self._folder, self._random, self._say = folder, Random(seed), say
        self.parties = Parties(folder, fault)
        self._clerk = Clerk(self.parties.hosts("a"), self.parties.hosts("b"))
        self._samples: list[Sample] = []
        self.tally = Tally()

    def run(self, cycles: int, seconds: float, kills: bool = True) -> Tally:
        """So many cycles, each with so many seconds of work. Nothing runs any more when it returns.

        Raises `AssertionError` where a party does not start, or no increment forms although nobody is killed.
        """
        try:
            self._clerk.start()
            while self.tally.cycles < cycles and not (self.tally.wrong or self._clerk.lost):
                self.parties.start()
                begun = time.monotonic()
                self._await_increments()
                self._work(seconds, kills)
                self.tally.working_seconds += time.monotonic() - begun
                self._disaster()
        finally:
            self.parties.close()
            self._clerk.stop()
        if self._clerk.lost:
            self.tally.wrong.append(f"at the primary site: {self._clerk.lost}")
        self.tally.kills, self.tally.openings = self.parties.kills, self._clerk.openings
        return self.tally

    def _await_increments(self) -> None:
        """Until a transaction has been committed, and after it an increment has begun and been committed."""
        end = time.monotonic() + FORM_SECONDS
        self._samples.clear()
        while not (self._samples and self._samples[-1].formed >= self._samples[0].formed + 2):
            if self._clerk.lost:
                return
            assert time.monotonic() < end, f"no two increments formed in {FORM_SECONDS} s\n{self.parties.log()}"
            self._sample()
            time.sleep(0.05)

    def _sample(self) -> None:
        transactions = self._clerk.committed
        formed = self.parties.formed()
        if transactions and formed is not None:
            self._samples.append(Sample(transactions, formed))

    def _work(self, seconds: float, kills: bool) -> None:
        random, end = self._random, time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(random.uniform(0.1, 0.6))
            self._sample()
            if kills:
                chosen = random.sample(self.parties.parties, random.choice((1, 1, 1, 2, 5)))
                self.parties.kill(*chosen)
                time.sleep(random.choice((0.0, 0.3)))
                self.parties.start(*chosen)

    def _disaster(self) -> None:
        """Lose everything but a copy of the secondary site, recover that, and audit it."""
        tally = self.tally
        self.parties.kill()
        begun = self._clerk.committed + 1
        tally.cycles += 1
        site = self._folder / f"site-{tally.cycles}"
        try:
            number = recover(self.parties.file, self._folder, site)
        except NotRecoveredError as error:
            tally.wrong.append(str(error))
            return
        standing, hot = audited([site / f"{volume}.img" for volume in NAMES])
        tally.standing, tally.hot = standing, tally.hot + hot
        tally.transactions, tally.increments = begun - 1, number
        tally.promised += promised(self._samples, number) > 0
        line = str(standing).splitlines()[0]
        self._say(f"disaster {tally.cycles}: increment {number} of a bank that had committed {begun - 1}: {line}")
        tally.wrong += objections(standing, number, begun, self._samples)
        if not tally.wrong:
            shutil.rmtree(site)


def audited(images: Sequence[Path]) -> tuple[Standing, int]:
    """What the images of both databases hold, and how many of them had a hot journal.

    A database that cannot even be opened is damaged. The bank goes on with those that are sound, and they must be sound then.
    """
    devices = [image_device(image) for image in images]
    damage, hot = {}, 0
    with ExitStack() as stack:
        databases = []
        for name, device in zip(NAMES, devices, strict=True):
            try:
                hot += Files(device).journal.read(0, 1) not in (b"", b"\0")
                databases.append(Database(device))
                stack.callback(databases[-1].close)
            except (DeviceError, apsw.Error) as error:
                damage[name] = str(error)
        if damage:
            return Standing({}, damage), hot
        accounts, ledger = databases
        standing = audit(accounts, ledger)
        if standing.sound:
            after = _go_on(accounts, ledger)
            return (standing if after.sound else after), hot
        return standing, hot


def _go_on(accounts: Database, ledger: Database) -> Standing:
    """Finish with the customer who was being served, and serve another."""
    teller = Teller(accounts, ledger)
    while teller.transactions % len(STEPS):
        teller.step()
    for _ in STEPS:
        teller.step()
    return audit(accounts, ledger)
