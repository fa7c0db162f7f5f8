"""How a command reaches a unit, and how a message outlives its increment.

A message that was sent stays receivable until its increment ends: so it may come late, come twice, or never be received at
all. When the increment ends all its messages are gone from the fields named ``…_sent``; what the network still holds is in
the fields named ``old_…``, which also keep copies of this increment's messages from the moment that they start to linger.
Numbers are not written: a message is *current* or it is not, which is all that a comparison for equality can tell
(why that is enough: docs/explanation/abstractions.md).

A guard such as *commanded* is implied by the *current* beside it: it says what the seed, without numbers, would accept, and so
what goes wrong where *current* is left out. A session reads the replies off the units' own durable records, which only grow
within an increment; *flashed* alone can be taken back, by a withdrawal, when no session that is heeded waits for it any more.
"""

from __future__ import annotations

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State, field_table
from mirrorspec.spec.step import Changes, Guards, Step, then, when
from mirrorspec.spec.terms import SetTerm, Truth


def command(s: State, c: SetTerm, sent: SetTerm, old: SetTerm, options: Configuration) -> dict[str, Truth | None]:
    """The guards of a command that arrives over channel *c*."""
    return {
        "commanded": c <= sent | old,
        "current": c <= sent if options.hardened else None,
        "obeyed": c.outside(s.fenced) if options.hardened else None,
    }


def reply(
    s: State, needed: SetTerm, received: SetTerm, old: SetTerm, options: Configuration
) -> dict[str, Truth | None]:
    """The guards of a session that waits for a reply from each of *needed*."""
    return {
        "replied": needed <= received | old,
        "current": needed <= received if options.hardened else None,
    }


_LINGERING = {
    "start": ("start_sent", "old_start"),
    "run": ("run_sent", "old_run"),
    "flash": ("flash_sent", "old_flash"),
    "commit": ("commit_sent", "old_commit"),
    "abort": ("abort_sent", "old_abort"),
    "joined": ("joined", "old_joined"),
    "drained": ("drained", "old_drained"),
    "flashed": ("flashed", "old_flashed"),
    "committed": ("committed", "old_committed"),
}


def _linger(message: str, now: str, old: str) -> Step:
    def text(s: State, x: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
        return when(sent=x <= getattr(s, now)), then(**{old: getattr(s, old) | x})

    text.__doc__ = f"A copy of the message {message!r} stays in the network, beyond the end of its increment."
    sort: Sort = field_table()[now].sort
    return Step(f"linger_{message}", "[0027]", ((sort.value[0], sort),), text, "late_messages", None)


STEPS = tuple(_linger(message, now, old) for message, (now, old) in _LINGERING.items())
