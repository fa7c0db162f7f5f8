"""What the bank writes, in which order, and what must therefore hold at every moment and in every consistent cut [0008-0009].

A customer opens an account, deposits $400 and withdraws $300: five transactions, each committed before the next begins.

    1 open      accounts  the account is there, with nothing in it
    2 deposit   ledger    an entry of 400
    3 credit    accounts  the balance is 400, because the ledger says so
    4 debit     accounts  the balance is 100 and 300 are withdrawn, because the balance allowed it
    5 pay       ledger    an entry of -300, because the account has been debited

The accounts are on one control unit and the ledger on another, so all but one of these dependences cross from unit to unit, and
each is a dependent write: no database waits for less than the acknowledgement of what it wrote. A consistent cut that holds a
transaction therefore holds all before it. What the bank can see of that, in its own terms:

- `entry_without_account`: an entry needs its account (1 before 2);
- `money_from_nowhere`: what an account has and has paid is at most what the ledger was given (2 before 3, and 4 before 5);
- `withdrawal_without_deposit`: nor is more withdrawn than was ever deposited (2 before 4);
- `paid_without_debit`: nor does the ledger pay what no account was debited (4 before 5);
- `books_differ`: and since there is one teller, at most one account differs from its entries, the one being served.

Each of them holds of every prefix of the transactions, and together they allow little else. They say nothing of
how many are missing: that is the recovery point, and `Standing.transactions` measures it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mirrorspec.model_tests.bank.vfs import Database

DEPOSIT, WITHDRAWAL = 400, 300
"""In dollars, as [0008] has them."""
NAMES = ("accounts", "ledger")
"""Of the databases, and of the volumes they are on."""
STEPS = ("open", "deposit", "credit", "debit", "pay")

_ACCOUNTS = "create table if not exists account(number integer primary key, balance integer, withdrawn integer)"
_LEDGER = "create table if not exists entry(number integer primary key, account integer, amount integer)"


@dataclass(slots=True)
class Account:
    """One account as both databases have it, in dollars."""

    opened: bool = False
    balance: int = 0
    withdrawn: int = 0
    deposited: int = 0
    paid: int = 0

    @property
    def done(self) -> int:
        """How many of the five transactions it shows, if it shows the first ones and no other."""
        if self.paid:
            return 5
        if self.withdrawn:
            return 4
        if self.balance:
            return 3
        return 2 if self.deposited else int(self.opened)

    @property
    def difference(self) -> int:
        """What the ledger says must be in the account, less what is."""
        return self.deposited - self.paid - self.balance


@dataclass(slots=True)
class Standing:
    """What two databases hold, and what is wrong with it."""

    accounts: dict[int, Account]
    damage: dict[str, str] = field(default_factory=dict)
    """For each database that fails SQLite's integrity check, what it found."""
    findings: dict[str, list[int]] = field(default_factory=dict)
    """For each invariant that does not hold, the accounts that show it."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damage and not self.findings

    @property
    def transactions(self) -> int:
        """How many transactions of the bank it holds."""
        return sum(account.done for account in self.accounts.values())

    @property
    def balances(self) -> int:
        """What all accounts have."""
        return sum(account.balance for account in self.accounts.values())

    @property
    def explained(self) -> int:
        """What they should have by the ledger."""
        return sum(account.deposited - account.paid for account in self.accounts.values())

    @property
    def nowhere(self) -> int:
        """What accounts have or have paid beyond their entries: money from nowhere."""
        return sum(max(0, -account.difference) for account in self.accounts.values())

    def __str__(self) -> str:
        """One line, and one more for each thing that is wrong."""
        sums = f"${self.balances} in accounts, ${self.explained} by the ledger, ${self.nowhere} from nowhere"
        lines = [f"{self.transactions} transactions, {sums}"]
        lines += [f"  {name}: the database is damaged: {found}" for name, found in self.damage.items()]
        for name, shown in self.findings.items():
            more = f" and {len(shown) - 4} more" if len(shown) > 4 else ""
            lines.append(f"  {name}: account {', '.join(map(str, shown[:4]))}{more}")
        return "\n".join(lines)


INVARIANTS: dict[str, Callable[[Account], bool]] = {
    "entry_without_account": lambda a: bool(a.deposited or a.paid) and not a.opened,
    "money_from_nowhere": lambda a: a.difference < 0,
    "withdrawal_without_deposit": lambda a: a.withdrawn > a.deposited,
    "paid_without_debit": lambda a: a.paid > a.withdrawn,
}
"""For each invariant of one account, what breaks it."""


def read(accounts: Database, ledger: Database) -> dict[int, Account]:
    """Every account that either database knows; one that is empty knows none."""
    found: dict[int, Account] = {}
    if accounts.has("account"):
        for number, balance, withdrawn in accounts.rows("select number, balance, withdrawn from account"):
            found[number] = Account(True, balance, withdrawn)
    if ledger.has("entry"):
        for number, amount in ledger.rows("select account, amount from entry order by number"):
            account = found.setdefault(number, Account())
            if amount > 0:
                account.deposited += amount
            else:
                account.paid -= amount
    return found


def audit(accounts: Database, ledger: Database) -> Standing:
    """Check both databases, and then what they say against each other."""
    standing = Standing({})
    for name, database in zip(NAMES, (accounts, ledger), strict=True):
        found = database.check()
        if found:
            standing.damage[name] = found
    if not standing.damage:
        standing.accounts = read(accounts, ledger)
        standing.findings = wrong(standing.accounts)
    return standing


def wrong(accounts: dict[int, Account]) -> dict[str, list[int]]:
    """The invariants that do not hold, each with the accounts that show it."""
    found = {name: sorted(n for n, a in accounts.items() if broken(a)) for name, broken in INVARIANTS.items()}
    differing = sorted(n for n, a in accounts.items() if a.difference)
    found["books_differ"] = differing if len(differing) > 1 else []
    return {name: shown for name, shown in found.items() if shown}


class Teller:
    """Serves one customer after another. Which transaction comes next is read from the databases, also after a crash."""

    def __init__(self, accounts: Database, ledger: Database) -> None:
        """Make the tables where they are not there yet, the ledger's last. Raises `apsw.Error`."""
        self._accounts, self._ledger = accounts, ledger
        accounts.rows(_ACCOUNTS)
        ledger.rows(_LEDGER)
        self.accounts = read(accounts, ledger)

    @property
    def transactions(self) -> int:
        """How many transactions are committed."""
        last = max(self.accounts, default=0)
        return 5 * (last - 1) + self.accounts[last].done if last else 0

    def step(self) -> None:
        """The next transaction. Raises `apsw.Error`; then it may be committed or not."""
        number = max(self.accounts, default=1)
        account = self.accounts.get(number, Account())
        if account.done == len(STEPS):
            number, account = number + 1, Account()
        {
            "open": self._open,
            "deposit": self._deposit,
            "credit": self._credit,
            "debit": self._debit,
            "pay": self._pay,
        }[STEPS[account.done]](number, account)
        self.accounts[number] = account

    def _open(self, number: int, account: Account) -> None:
        self._accounts.rows("insert into account values (?, 0, 0)", number)
        account.opened = True

    def _deposit(self, number: int, account: Account) -> None:
        self._ledger.rows("insert into entry(account, amount) values (?, ?)", number, DEPOSIT)
        account.deposited = DEPOSIT

    def _credit(self, number: int, account: Account) -> None:
        ((deposited,),) = self._ledger.rows("select sum(amount) from entry where account = ?", number)
        self._accounts.rows("update account set balance = ? where number = ?", deposited, number)
        account.balance = deposited

    def _debit(self, number: int, account: Account) -> None:
        ((balance,),) = self._accounts.rows("select balance from account where number = ?", number)
        if balance < WITHDRAWAL:
            raise ValueError(f"account {number} has ${balance}, and ${WITHDRAWAL} were to be withdrawn")
        self._accounts.rows(
            "update account set balance = balance - ?1, withdrawn = withdrawn + ?1 where number = ?2",
            WITHDRAWAL,
            number,
        )
        account.balance, account.withdrawn = balance - WITHDRAWAL, WITHDRAWAL

    def _pay(self, number: int, account: Account) -> None:
        self._ledger.rows("insert into entry(account, amount) values (?, ?)", number, -WITHDRAWAL)
        account.paid = WITHDRAWAL
