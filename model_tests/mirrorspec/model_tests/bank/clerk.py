"""The bank at work: a thread with a teller whose databases are volumes of two running primaries.

A connection that fails is never mended under an open database, since nobody knows whether its last write happened. Both
databases are opened anew instead, hot journals and all, and the teller reads where it was. What had been committed must then be
there: no SIGKILL may cost the bank anything as long as the primaries' folders live.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import apsw

from mirrorspec.impl.link.address import Address
from mirrorspec.impl.link.client import BlockClient
from mirrorspec.impl.link.frame import MalformedFrameError
from mirrorspec.impl.link.stream import EndedError
from mirrorspec.model_tests.bank.books import Standing, Teller, audit
from mirrorspec.model_tests.bank.devices import DeviceError, RemoteDevice
from mirrorspec.model_tests.bank.vfs import Database

AGAIN_SECONDS = 0.05
"""After so long a unit that could not be reached is tried again."""
ANSWER_SECONDS = 10.0
"""A unit that does not answer for so long is taken to be gone."""

_GONE = (apsw.Error, DeviceError, EndedError, MalformedFrameError, OSError)


def lost(standing: Standing, committed: int) -> str:
    """What is wrong at the primary site, where so many transactions were committed for certain; empty where nothing is.

    One more may be there: its commit was not answered.
    """
    if not standing.sound:
        return str(standing)
    if not committed <= standing.transactions <= committed + 1:
        return f"{committed} transactions were committed, and there are {standing.transactions}"
    return ""


class Clerk(threading.Thread):
    """Commits one transaction after another until it is told to stop, or sees that something was lost."""

    def __init__(self, accounts: Address, ledger: Address) -> None:
        """*accounts*, *ledger*: where the hosts of units a and b connect."""
        super().__init__(name="clerk", daemon=True)
        self._accounts, self._ledger = accounts, ledger
        self._stop_wanted = threading.Event()
        self.committed = 0
        """So many transactions have been committed for certain."""
        self.openings = 0
        """How often both databases were opened."""
        self.lost = ""
        """What was wrong when they were, if anything."""

    def stop(self) -> None:
        """End after the transaction under way."""
        self._stop_wanted.set()
        self.join()

    def run(self) -> None:
        """Work; the thread ends with it."""
        while not (self.lost or self._stop_wanted.is_set()):
            try:
                with self._opened() as (accounts, ledger):
                    self._work(accounts, ledger)
            except _GONE:
                self._stop_wanted.wait(AGAIN_SECONDS)

    def _work(self, accounts: Database, ledger: Database) -> None:
        standing = audit(accounts, ledger)
        self.lost = lost(standing, self.committed)
        if self.lost:
            return
        self.committed = standing.transactions
        self.openings += 1
        teller = Teller(accounts, ledger)
        while not self._stop_wanted.is_set():
            teller.step()
            self.committed += 1

    @contextmanager
    def _opened(self) -> Iterator[tuple[Database, Database]]:
        with ExitStack() as stack:
            databases = []
            for address, unit, volume in ((self._accounts, "a", "accounts"), (self._ledger, "b", "ledger")):
                client = BlockClient(address, unit, ANSWER_SECONDS)
                stack.callback(client.close)
                database = Database(RemoteDevice(client, volume))
                stack.callback(database.close)
                databases.append(database)
            yield databases[0], databases[1]
