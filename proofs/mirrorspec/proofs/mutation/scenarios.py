"""Traces kept by hand, for mutants that go wrong deeper than a search of every state gets to.

Each needs a takeover and a unit that comes or goes, at two units some forty steps. A scenario is no claim: its events are taken
in the mutated model, and it counts only where every one of them is allowed, and in the end a promise is broken or, from there
on, no increment can be committed any more, which is exhausted.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec.environment import Environment

SUCCESSIONS = Environment(
    "membership and takeover", frozenset({"membership", "takeover"}), "units come and go while sessions take over"
)
"""Just the two faults that these need: what else may fail only makes more states."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Events, and the bounds at which they are taken."""

    bounds: str
    labels: tuple[str, ...]


def _copied(*tracks: int) -> tuple[str, ...]:
    """These tracks are sent, hardened and acknowledged."""
    return tuple(f"{step}(T{t})" for t in tracks for step in ("send_track", "deliver_track", "acknowledge_track"))


def _led(session: int, joins: tuple[str, ...], *, copies: tuple[int, ...], commits: tuple[int, ...]) -> tuple[str, ...]:
    """An increment of two units of one volume each, or of one, up to the commit of some of its volumes."""
    units = range(len(joins))
    return (
        *(f"start_increment({channel})" for channel in joins),
        f"all_joined(S{session})",
        *(f"run(S{session}-U{u})" for u in units),
        *_copied(*copies),
        *(f"report_drained(U{u})" for u in units),
        f"all_drained(S{session})",
        *(f"flash(S{session}-U{u}, V{u})" for u in units),
        f"all_flashed(S{session})",
        *(f"commit(S{session}-U{u}, V{u})" for u in commits),
    )


def _done(session: int, *units: int) -> tuple[str, ...]:
    return tuple(f"increment_complete(S{session}-U{u})" for u in units)


_SECOND_TAKES_OVER = (
    "establish(S0-U0)",
    "take_over(S1)",
    "answer(S1-U0)",
    "take_abort(S1)",
    "withdraw(S1-U0, V0)",
    "abort(S1-U0)",
    "all_aborted(S1)",
)
_DEPENDENT = ("issue_write(W1)", "apply_write(W1)", "acknowledge_write(W1)", "issue_write(W0)", "apply_write(W0)")
_FIRST_WITHDRAWS = ("abandon(S0)", "withdraw(S0-U1, V1)")

SCENARIOS: dict[str, Scenario] = {
    "establish without change fenced": Scenario(
        "2u2t2w",
        (
            *_SECOND_TAKES_OVER,
            "establish(S1-U1)",
            *_DEPENDENT,
            *_led(1, ("S1-U0", "S1-U1"), copies=(0, 1), commits=(0,)),
            *_FIRST_WITHDRAWS,
        ),
    ),
    "establish without guard obeyed": Scenario(
        "2u2t2w",
        (
            *_SECOND_TAKES_OVER,
            "establish(S0-U1)",
            *_DEPENDENT,
            *_led(1, ("S1-U0", "S0-U1"), copies=(0, 1), commits=(0,)),
            *_FIRST_WITHDRAWS,
        ),
    ),
    "answer without guard member": Scenario("1u1t1w", ("take_over(S1)", "answer(S1-U0)")),
    "dismiss without guard obeyed": Scenario("1u1t1w", (*_SECOND_TAKES_OVER[:4], "dismiss(S0-U0)")),
    "take_commit without guard some_member": Scenario(
        "2u2t1w",
        (
            "take_over(S1)",
            "take_commit(S1)",
            "establish(S0-U0)",
            *_led(0, ("S0-U0",), copies=(0,), commits=(0,)),
            *_done(0, 0),
            "all_committed(S1)",
            "establish(S1-U1)",
            *_led(1, ("S1-U0", "S1-U1"), copies=(1,), commits=(0, 1)),
            *_done(1, 0, 1),
            "all_committed(S0)",
        ),
    ),
    "take_abort without guard some_member": Scenario(
        "2u2t1w",
        (
            "take_over(S1)",
            "take_abort(S1)",
            "establish(S0-U0)",
            "abandon(S0)",
            "withdraw(S0-U0, V0)",
            "abort(S0-U0)",
            "all_aborted(S1)",
            "establish(S1-U1)",
            "abandon(S1)",
            "withdraw(S1-U0, V0)",
            "abort(S1-U0)",
            "withdraw(S1-U1, V1)",
            "abort(S1-U1)",
            "all_aborted(S0)",
        ),
    ),
}
"""By the mutant that each is about."""
