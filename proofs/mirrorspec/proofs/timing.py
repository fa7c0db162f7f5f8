"""How long a host's write may be held, and how old what is recovered may be: two formulas over an installation's durations.

The specification knows no time, only order; so these are derived by hand, in docs/explanation/timing.md, from which step waits
for which. A test runs the steps with durations and compares (`model_tests.timed`). All durations are seconds and upper bounds,
over all units, unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Durations:
    """What an installation takes at most, each in seconds."""

    message_seconds: float
    """A command or a reply, one way, with its processing."""
    run_timer_seconds: float
    """The run timer [0039] 430."""
    drain_seconds: float
    """All tracks of the frozen set reach the secondaries and are acknowledged [0041] 556, counted from the last run."""
    flash_seconds: float
    """All volumes of a unit are flashed, counted from the command [0048] 852."""
    commit_seconds: float
    """All volumes of a unit are committed, counted from the command; 0 in the seed, where a flash is final."""
    interval_seconds: float = 0.0
    """The session waits so long after one increment before it starts the next."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a negative or endless duration."""
        for f in fields(self):
            if not 0 <= getattr(self, f.name) < float("inf"):
                raise ValueError(f"{f.name}: {getattr(self, f.name)} is no duration")


def hold_seconds(joined_seconds: float, last_joined_seconds: float, durations: Durations) -> float:
    """The longest that a unit holds its writes where nothing fails: until the last unit has joined, and one command more.

    *joined_seconds* is when this unit joined, *last_joined_seconds* when the last one did. The last reply travels to the
    session, and run travels back. Never more than the run timer, which ends the hold whatever fails.
    """
    waited = last_joined_seconds - joined_seconds
    if waited < 0:
        raise ValueError("the last unit joined before this one")
    return min(waited + 2 * durations.message_seconds, durations.run_timer_seconds)


def longest_hold_seconds(durations: Durations) -> float:
    """The longest hold of any write: all start commands are under way at once, so the last unit joins one message later."""
    return hold_seconds(0.0, durations.message_seconds, durations)


def coordination_seconds(durations: Durations) -> float:
    """From the start commands until the last unit runs: start, joined, and run [0038-0041]."""
    return 3 * durations.message_seconds


def increment_seconds(durations: Durations) -> float:
    """From the start commands until every volume of the increment is flashed, and the session knows [0038-0048].

    Coordination, the drain, the report, the flash command, the flash and its reply.
    """
    return (
        coordination_seconds(durations)
        + durations.drain_seconds
        + durations.flash_seconds
        + 3 * durations.message_seconds
    )


def end_seconds(durations: Durations) -> float:
    """From the session's decision to commit until it knows that the increment has ended everywhere [0048] 854-860."""
    return durations.commit_seconds + 2 * durations.message_seconds


def recovery_point_seconds(durations: Durations) -> float:
    """How old the recovered image is at most: how long ago a write was acknowledged that it does not hold, where nothing
    fails.

    Just before the first volume of an increment is committed, what is recovered is the increment before it. That one began to
    freeze when its own start commands were sent: so it has the age of one whole increment and its end, the interval, and
    then the increment in progress: coordination, drain, flash, and the commit on its way.
    """
    return (
        increment_seconds(durations)
        + end_seconds(durations)
        + durations.interval_seconds
        + increment_seconds(durations)
        + durations.message_seconds
        + durations.commit_seconds
    )
