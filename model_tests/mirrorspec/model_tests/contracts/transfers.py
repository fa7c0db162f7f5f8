"""What must hold of a track on its way: sent, received, acknowledged, and merged when its unit leaves [0035, 0042-0048].

Contracts as in `writes`. Numbers of transfers are integers without bound.
"""

from __future__ import annotations

from mirrorspec.impl.core import decisions
from mirrorspec.impl.core.decisions import HardenedDecision, Source, TransferDecision


def what_is_out_of_sync_is_sent_once(out_of_sync: bool, in_flight: bool, preserved: bool, left: bool) -> bool:
    """A track is sent if and only if it is out of sync and no transfer of it is on its way [0035].

    post: _
    """
    sent = decisions.transfer(out_of_sync, in_flight, preserved, left).refused == ""
    return sent == (out_of_sync and not in_flight)


def a_track_not_sent_is_left_alone(out_of_sync: bool, in_flight: bool, preserved: bool, left: bool) -> bool:
    """A transfer that is refused says nothing else.

    pre: in_flight or not out_of_sync
    post: _
    """
    d = decisions.transfer(out_of_sync, in_flight, preserved, left)
    return d == TransferDecision(refused=d.refused)


def the_kept_image_goes_first(preserved: bool, left: bool) -> bool:
    """Of a track with an image kept for sending, that image is sent; of any other, the only one there is [0045] 750.

    post: _
    """
    return (decisions.transfer(True, False, preserved, left).source is Source.PRESERVED) == preserved


def a_unit_that_left_says_so(preserved: bool, left: bool) -> bool:
    """What a unit sends after it has left an increment is told to be late, so that this increment is not flashed [0039].

    post: _
    """
    return decisions.transfer(True, False, preserved, left).late == left


def only_its_own_transfer_synchronises_a_track(in_flight: bool, same: bool, rewritten: bool) -> bool:
    """An acknowledgement of another transfer than the one on its way is refused and does nothing [0042] 608.

    pre: not (in_flight and same)
    post: _
    """
    return decisions.hardened(in_flight, same, rewritten) == HardenedDecision(refused="in_flight")


def a_rewritten_track_stays_out_of_sync(in_flight: bool, same: bool) -> bool:
    """What was written since the transfer was sent has not reached the secondary, so the bit stays [0042] 608 758.

    post: _
    """
    return not decisions.hardened(in_flight, same, True).synchronised


def a_hardened_track_is_synchronised() -> bool:
    """The acknowledgement of all that the track holds clears its bit, or nothing would ever be drained [0045] 758.

    post: _
    """
    return decisions.hardened(True, True, False) == HardenedDecision(synchronised=True)


def a_merge_loses_no_mark(out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool) -> bool:
    """A track that was out of sync or recorded is out of sync, no other is, and nothing stays recorded or kept [0048] 858.

    post: _
    """
    m = decisions.merge(out_of_sync, change_recording, in_flight, rewritten)
    return m.out_of_sync == (out_of_sync or change_recording) and not (m.change_recording or m.preserved)


def a_merge_makes_old_transfers_out_of_date(
    out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool
) -> bool:
    """A transfer on its way does not carry what was recorded since; what was out of date before stays so [0048] 858.

    post: _
    """
    m = decisions.merge(out_of_sync, change_recording, in_flight, rewritten)
    return m.rewritten == (rewritten or (change_recording and in_flight))


def merging_twice_merges_once(out_of_sync: bool, change_recording: bool, in_flight: bool, rewritten: bool) -> bool:
    """A merge that is repeated after a crash changes nothing more [0048] 858.

    post: _
    """
    m = decisions.merge(out_of_sync, change_recording, in_flight, rewritten)
    return decisions.merge(m.out_of_sync, m.change_recording, in_flight, m.rewritten) == m


def a_merged_change_outlives_an_acknowledgement(out_of_sync: bool, same: bool, rewritten: bool) -> bool:
    """The acknowledgement of a transfer sent before the merge leaves a merged track out of sync [0048] 758 858.

    post: _
    """
    m = decisions.merge(out_of_sync, True, True, rewritten)
    return not decisions.hardened(True, same, m.rewritten).synchronised


def a_merged_track_is_sent_as_it_is(out_of_sync: bool, change_recording: bool, left: bool) -> bool:
    """After the merge the newest image of a track is sent: the frozen one is given up [0048] 858.

    pre: out_of_sync or change_recording
    post: _
    """
    m = decisions.merge(out_of_sync, change_recording, False, False)
    d = decisions.transfer(m.out_of_sync, False, m.preserved, left)
    return d.refused == "" and d.source is Source.CACHE


def only_a_newer_transfer_is_accepted(epoch: int, sequence: int, stored: int, newest: tuple[int, int]) -> bool:
    """The secondary hardens a transfer if and only if it is newer than what it has, and of the epoch that it has stored.

    post: _
    """
    accepted = decisions.receive(epoch, sequence, stored, newest) == ""
    return accepted == (epoch == stored and (epoch > newest[0] or (epoch == newest[0] and sequence > newest[1])))


def what_was_hardened_is_answered_again(epoch: int, sequence: int) -> bool:
    """A second copy of the transfer that was hardened last is answered, not applied: its answer may be lost [0027].

    post: _
    """
    return decisions.receive(epoch, sequence, epoch, (epoch, sequence)) == "again"


def an_older_transfer_is_refused_ever_after(old: tuple[int, int], new: tuple[int, int], stored: int) -> bool:
    """Once a newer transfer is hardened, an older one is out of sequence, whatever epoch is stored since [0027].

    pre: old < new and new[0] <= stored
    post: _
    """
    return decisions.receive(old[0], old[1], stored, new) == "in_sequence"


def an_epoch_given_up_is_refused(epoch: int, sequence: int, stored: int, newest: tuple[int, int]) -> bool:
    """Once an epoch is stored, no transfer of a lower one is accepted: whatever was given up never arrives [0027].

    pre: epoch < stored
    post: _
    """
    return decisions.receive(epoch, sequence, stored, newest) == "in_sequence"


TRANSFER = (
    what_is_out_of_sync_is_sent_once,
    a_track_not_sent_is_left_alone,
    the_kept_image_goes_first,
    a_unit_that_left_says_so,
)
HARDENED = (
    only_its_own_transfer_synchronises_a_track,
    a_rewritten_track_stays_out_of_sync,
    a_hardened_track_is_synchronised,
)
MERGE = (
    a_merge_loses_no_mark,
    a_merge_makes_old_transfers_out_of_date,
    merging_twice_merges_once,
    a_merged_change_outlives_an_acknowledgement,
    a_merged_track_is_sent_as_it_is,
)
RECEIVE = (
    only_a_newer_transfer_is_accepted,
    what_was_hardened_is_answered_again,
    an_older_transfer_is_refused_ever_after,
    an_epoch_given_up_is_refused,
)
