"""The bank's invariants: they hold at every cut of its writes, and each notices what it is there for [0008-0009]."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirrorspec.model_tests.bank.books import STEPS, Account, Standing, Teller, audit, wrong
from mirrorspec.model_tests.bank.devices import MemoryDevice
from mirrorspec.model_tests.bank.vfs import Database

SIZE = 64 * 4096
Writes = list[tuple[int, int, bytes]]


class SharedRecord(MemoryDevice):
    """Keeps every write in a list that it shares with another device: unit, offset, data."""

    def __init__(self, unit: int, writes: Writes) -> None:
        super().__init__(SIZE)
        self._unit, self._writes = unit, writes

    def write(self, offset: int, data: bytes) -> None:
        """Write, and take note of it."""
        self._writes.append((self._unit, offset, data))
        super().write(offset, data)


@pytest.fixture(scope="module")
def history() -> Writes:
    """All writes of a bank that serves five customers, in the order in which they were acknowledged."""
    writes: Writes = []
    accounts, ledger = (Database(SharedRecord(unit, writes)) for unit in (0, 1))
    teller = Teller(accounts, ledger)
    for _ in range(5 * len(STEPS)):
        teller.step()
    assert teller.transactions == 25
    accounts.close()
    ledger.close()
    return writes


def image(history: Writes, cuts: tuple[int, int]) -> Standing:
    """What the audit says of unit 0 as it was after the first of so many writes, and unit 1 after the second."""
    devices = MemoryDevice(SIZE), MemoryDevice(SIZE)
    for place, (unit, offset, data) in enumerate(history):
        if place < cuts[unit]:
            devices[unit].write(offset, data)
    accounts, ledger = map(Database, devices)
    try:
        return audit(accounts, ledger)
    finally:
        accounts.close()
        ledger.close()


def test_at_every_cut_the_books_agree_and_nothing_goes_back(history: Writes) -> None:
    before = 0
    for cut in range(len(history) + 1):
        standing = image(history, (cut, cut))
        assert standing.sound, f"after {cut} writes: {standing}"
        assert before <= standing.transactions <= before + 1
        assert standing.nowhere == 0
        before = standing.transactions
    assert before == 25


def test_two_images_of_different_moments_are_noticed(history: Writes) -> None:
    """The writes of two customers apart, whichever is ahead."""
    apart = 2 * len(history) // 5
    for cut in range(apart, len(history) - apart, 7):
        ahead = image(history, (cut + apart, cut))
        assert {"money_from_nowhere", "withdrawal_without_deposit"} <= ahead.findings.keys(), ahead
        assert ahead.nowhere >= 200
        behind = image(history, (cut, cut + apart))
        assert {"entry_without_account", "paid_without_debit"} <= behind.findings.keys(), behind


SERVED = Account(True, balance=100, withdrawn=300, deposited=400, paid=300)


@pytest.mark.parametrize(
    ("account", "invariant"),
    [
        (Account(opened=False, deposited=400), "entry_without_account"),
        (replace(SERVED, balance=101), "money_from_nowhere"),
        (Account(True, balance=400), "money_from_nowhere"),
        (Account(True, balance=0, withdrawn=300), "withdrawal_without_deposit"),
        (Account(True, balance=100, deposited=400, paid=300), "paid_without_debit"),
    ],
)
def test_each_invariant_notices_what_it_is_there_for(account: Account, invariant: str) -> None:
    assert wrong({1: SERVED, 2: account})[invariant] == [2]


def test_one_account_may_differ_and_two_may_not() -> None:
    between = Account(True, deposited=400)
    assert wrong({1: SERVED, 2: between}) == {}
    assert wrong({1: between, 2: between}) == {"books_differ": [1, 2]}


def test_a_teller_goes_on_where_the_databases_are() -> None:
    devices = MemoryDevice(SIZE), MemoryDevice(SIZE)
    for done in range(11):
        accounts, ledger = map(Database, devices)
        teller = Teller(accounts, ledger)
        assert teller.transactions == done
        teller.step()
        assert teller.transactions == done + 1 == audit(accounts, ledger).transactions
        accounts.close()
        ledger.close()


def test_a_damaged_database_is_said_to_be_damaged(history: Writes) -> None:
    devices = MemoryDevice(SIZE), MemoryDevice(SIZE)
    for unit, offset, data in history:
        devices[unit].write(offset, data)
    devices[0].write(4096 + 4096 + 8, b"\xff" * 64)  # within the page that has the accounts
    accounts, ledger = map(Database, devices)
    standing = audit(accounts, ledger)
    assert not standing.sound
    assert set(standing.damage) == {"accounts"}
    assert "accounts: the database is damaged" in str(standing)
    accounts.close()
    ledger.close()
