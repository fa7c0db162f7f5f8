"""Ways to get a decision wrong, one thing at a time, each of which has lost data somewhere or would.

Each must be found twice: by the contract that it names, for which CrossHair then gives an input, and by the comparison with the
specification. A contract that no fault here breaks would be a test that cannot fail, so every contract is named by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from mirrorspec.impl.core import decisions
from mirrorspec.impl.core.decisions import Arrived, Mode, Recorded
from mirrorspec.spec import recovery
from mirrorspec.spec.configuration import Collision, Hold, Switch
from mirrorspec.spec.recovery import Action, Decision, Row

_host_write, _transfer, _hardened = decisions.host_write, decisions.transfer, decisions.hardened
_merge, _receive = decisions.merge, decisions.receive
_decide, _apply = recovery.decide, recovery.apply


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing decided wrongly."""

    name: str
    decision: str
    """The decision, as the contracts and the comparison name it."""
    function: str
    """The function that takes it."""
    wrong: Callable[..., Any]
    breaks: tuple[str, ...]
    """The contracts that it breaks."""

    @property
    def owner(self) -> ModuleType:
        """The module whose function is replaced."""
        return recovery if self.decision == "recovery row" else decisions

    @contextmanager
    def made(self) -> Iterator[None]:
        """The decision is taken wrongly within this block."""
        right = getattr(self.owner, self.function)
        setattr(self.owner, self.function, self.wrong)
        try:
            yield
        finally:
            setattr(self.owner, self.function, right)


def _write(name: str, wrong: Callable[..., Any], *breaks: str) -> Fault:
    return Fault(name, "host write", "host_write", wrong, breaks)


def _rows(name: str, function: str, wrong: Callable[..., Any], *breaks: str) -> Fault:
    return Fault(name, "recovery row", function, wrong, breaks)


# Host writes


def _acknowledged_while_pending(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    d = _host_write(w, h, c, s)
    return replace(d, acknowledged=d.refused == "")


def _acknowledged_while_waiting(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    d = _host_write(w, h, c, s)
    return replace(d, acknowledged=w.mode is not Mode.PENDING)


def _collision_ignored_in_flight(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    d = _host_write(w, h, c, s)
    return replace(d, preserve=d.preserve and not w.in_flight)


def _kept_again(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    d = _host_write(w, h, c, s)
    return replace(d, preserve=d.recorded is Recorded.CHANGE_RECORDING and w.out_of_sync)


def _held_writes_marked_out_of_sync(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    d = _host_write(w, h, c, s)
    held = w.mode is Mode.PENDING and d.recorded is Recorded.CHANGE_RECORDING
    return replace(d, recorded=Recorded.OUT_OF_SYNC) if held else d


def _hold_ignored(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    return _host_write(w, Hold.IN_CACHE, c, s)


def _caught_writes_held(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    return _host_write(replace(w, caught=False), h, c, s)


def _waits_in_normal_mode(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    d = _host_write(w, h, c, s)
    waits = c is Collision.SEND_FIRST and w.out_of_sync and d.refused == ""
    return decisions.WriteDecision(refused="synchronised") if waits else d


def _outsiders_tracked(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    return _host_write(replace(w, member=True), h, c, s)


def _overtaken_transfer_forgotten(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    return replace(_host_write(w, h, c, s), rewritten=False)


def _copy_sent_beside_a_transfer(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    d = _host_write(w, h, c, s)
    return replace(d, send=d.preserve and c is Collision.SEND_COPY)


def _copy_not_sent(w: Arrived, h: Hold, c: Collision, s: Switch) -> Any:
    return replace(_host_write(w, h, c, s), send=False)


# Transfers, their acknowledgements, and the merge


def _newest_image_sent_first(out_of_sync: bool, in_flight: bool, preserved: bool, left: bool) -> Any:
    return _transfer(out_of_sync, in_flight, False, left)


def _sent_twice(out_of_sync: bool, in_flight: bool, preserved: bool, left: bool) -> Any:
    return _transfer(out_of_sync, False, preserved, left)


def _late_not_said(out_of_sync: bool, in_flight: bool, preserved: bool, left: bool) -> Any:
    return _transfer(out_of_sync, in_flight, preserved, False)


def _cleared_although_rewritten(in_flight: bool, same: bool, rewritten: bool) -> Any:
    return _hardened(in_flight, same, False)


def _any_acknowledgement_taken(in_flight: bool, same: bool, rewritten: bool) -> Any:
    return _hardened(in_flight, in_flight or same, rewritten)


def _never_synchronised(in_flight: bool, same: bool, rewritten: bool) -> Any:
    return _hardened(in_flight, same, True)


def _merge_replaces(out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool) -> Any:
    return _merge(False, change_recording, in_flight, rewritten)


def _merge_forgets_transfers(out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool) -> Any:
    return replace(_merge(out_of_sync, change_recording, in_flight, rewritten), rewritten=rewritten)


def _merge_keeps_the_frozen_image(out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool) -> Any:
    return replace(_merge(out_of_sync, change_recording, in_flight, rewritten), preserved=True)


def _merge_exchanges(out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool) -> Any:
    m = _merge(out_of_sync, change_recording, in_flight, rewritten)
    return replace(m, out_of_sync=change_recording, change_recording=out_of_sync)


def _sequence_ignored(epoch: int, sequence: int, stored: int, newest: tuple[int, int]) -> str:
    return "in_sequence" if epoch != stored else "again" if (epoch, sequence) == newest else ""


def _epoch_ignored(epoch: int, sequence: int, stored: int, newest: tuple[int, int]) -> str:
    return _receive(epoch, sequence, epoch, newest)


def _copies_hardened_again(epoch: int, sequence: int, stored: int, newest: tuple[int, int]) -> str:
    found = _receive(epoch, sequence, stored, newest)
    return "" if found == "again" else found


# Recovery


def _partly_flashed_committed(rows: Any, members: Any, **asked: bool) -> Decision:
    d = _decide(rows, members, **asked)
    if d.action is Action.REVERT and d.number is not None and not all(r.revertible for r in rows):
        return replace(d, action=Action.COMMIT, number=d.number + 1)
    return d


def _partly_committed_reverted(rows: Any, members: Any, **asked: bool) -> Decision:
    d = _decide(rows, members, **asked)
    if d.action is Action.COMMIT and d.number is not None and not asked.get("commit"):
        return replace(d, action=Action.REVERT, number=d.number - 1)
    return d


def _corruption_ignored(rows: Any, members: Any, **asked: bool) -> Decision:
    d = _decide(rows, members, **asked)
    if d.action is Action.REFUSE and rows:
        return Decision(Action.NOTHING, max(r.number for r in rows), "taken for sound")
    return d


def _revert_leaves_the_number(rows: Any, d: Decision) -> list[Row]:
    after = _apply(rows, d)
    return [replace(new, number=old.number) for old, new in zip(rows, after, strict=True)]


def _half_done_taken_for_corrupted(rows: Any, members: Any, **asked: bool) -> Decision:
    d = _decide(rows, members, **asked)
    mixed = any(r.revertible for r in rows) and not all(r.revertible for r in rows)
    return Decision(Action.REFUSE, None, "mixed") if mixed else d


def _only_two_rows_done(rows: Any, d: Decision) -> list[Row]:
    return _apply(rows, replace(d, volumes=d.volumes[:2]))


def _only_one_row_done(rows: Any, d: Decision) -> list[Row]:
    return _apply(rows, replace(d, volumes=d.volumes[:1]))


def _settled_rows_raised(rows: Any, d: Decision) -> list[Row]:
    after = _apply(rows, d)
    return after if d.number is None else [replace(r, number=d.number + 1) for r in after]


FAULTS = (
    _write("acknowledged while pending", _acknowledged_while_pending, "a_pending_unit_acknowledges_nothing"),
    _write(
        "acknowledged while it waits for its track",
        _acknowledged_while_waiting,
        "a_write_that_waits_does_nothing",
        "other_units_acknowledge_at_once",
    ),
    _write(
        "collision ignored while the track is in flight",
        _collision_ignored_in_flight,
        "the_frozen_image_is_never_destroyed",
    ),
    _write(
        "image kept again, over the one kept",
        _kept_again,
        "a_kept_image_is_never_replaced",
    ),
    _write(
        "held writes marked out of sync",
        _held_writes_marked_out_of_sync,
        "a_later_write_is_recorded_as_a_change",
    ),
    _write("hold before the cache ignored", _hold_ignored, "a_hold_before_the_cache_holds"),
    _write("caught writes held too", _caught_writes_held, "a_write_of_the_cut_is_marked_out_of_sync"),
    _write("writes wait in normal mode too", _waits_in_normal_mode, "a_write_waits_for_two_things_only"),
    _write("units outside the session track", _outsiders_tracked, "an_outsider_tracks_nothing"),
    _write(
        "overtaken transfer forgotten",
        _overtaken_transfer_forgotten,
        "a_transfer_overtaken_by_a_write_is_out_of_date",
        "an_acknowledgement_never_hides_a_write",
    ),
    _write("copy sent beside a transfer", _copy_sent_beside_a_transfer, "only_a_copy_just_made_is_sent"),
    _write("copy kept and not sent", _copy_not_sent, "the_copy_is_sent_at_once"),
    Fault(
        "newest image sent before the kept one",
        "transfer",
        "transfer",
        _newest_image_sent_first,
        ("the_kept_image_goes_first", "after_a_collision_the_kept_image_is_sent"),
    ),
    Fault(
        "track sent beside its own transfer",
        "transfer",
        "transfer",
        _sent_twice,
        ("what_is_out_of_sync_is_sent_once", "a_track_not_sent_is_left_alone"),
    ),
    Fault("late data not said to be late", "transfer", "transfer", _late_not_said, ("a_unit_that_left_says_so",)),
    Fault(
        "out-of-sync cleared although rewritten",
        "acknowledgement",
        "hardened",
        _cleared_although_rewritten,
        (
            "a_rewritten_track_stays_out_of_sync",
            "an_acknowledgement_never_hides_a_write",
            "a_merged_change_outlives_an_acknowledgement",
        ),
    ),
    Fault(
        "acknowledgement of an older transfer taken",
        "acknowledgement",
        "hardened",
        _any_acknowledgement_taken,
        ("only_its_own_transfer_synchronises_a_track",),
    ),
    Fault(
        "no acknowledgement ever clears",
        "acknowledgement",
        "hardened",
        _never_synchronised,
        ("a_hardened_track_is_synchronised",),
    ),
    Fault("merge replaces what was out of sync", "merge", "merge", _merge_replaces, ("a_merge_loses_no_mark",)),
    Fault(
        "merge forgets what is in flight",
        "merge",
        "merge",
        _merge_forgets_transfers,
        ("a_merge_makes_old_transfers_out_of_date", "a_merged_change_outlives_an_acknowledgement"),
    ),
    Fault(
        "merge keeps the frozen image",
        "merge",
        "merge",
        _merge_keeps_the_frozen_image,
        ("a_merged_track_is_sent_as_it_is",),
    ),
    Fault("merge exchanges the bitmaps", "merge", "merge", _merge_exchanges, ("merging_twice_merges_once",)),
    Fault(
        "sequence of a transfer ignored",
        "arrival at the secondary",
        "receive",
        _sequence_ignored,
        ("only_a_newer_transfer_is_accepted", "an_older_transfer_is_refused_ever_after"),
    ),
    Fault(
        "epoch of a transfer ignored",
        "arrival at the secondary",
        "receive",
        _epoch_ignored,
        ("an_epoch_given_up_is_refused",),
    ),
    Fault(
        "copies hardened again",
        "arrival at the secondary",
        "receive",
        _copies_hardened_again,
        ("what_was_hardened_is_answered_again",),
    ),
    _rows(
        "partly flashed increment committed",
        "decide",
        _partly_flashed_committed,
        "a_partly_flashed_increment_is_never_committed",
    ),
    _rows(
        "partly committed increment reverted",
        "decide",
        _partly_committed_reverted,
        "a_partly_committed_increment_is_never_reverted",
    ),
    _rows("corrupted rows taken for sound", "decide", _corruption_ignored, "a_row_that_cannot_be_is_refused"),
    _rows(
        "revert leaves the number that it undoes",
        "apply",
        _revert_leaves_the_number,
        "every_row_settles_at_one_number",
    ),
    _rows("half done taken for corrupted", "decide", _half_done_taken_for_corrupted, "recovery_cut_short_goes_on"),
    _rows("only one row done", "apply", _only_one_row_done, "recovery_done_twice_is_done_once"),
    _rows("settled rows raised", "apply", _settled_rows_raised, "recovery_never_goes_below_a_commit"),
)
"""Every fault; together they break every contract."""

OF_THREE_ROWS = _rows("only two rows done", "apply", _only_two_rows_done, "three_rows_settle_at_one_number")
"""A fault that two rows do not show, so neither the other contracts nor the comparison do."""
