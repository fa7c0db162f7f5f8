"""The async process: tracks that are out of sync are sent to the secondary, FIGS. 5B and 7B, in every mode without pause.

The out-of-sync bit is cleared when the transfer is *acknowledged*, and only if nothing was written since that the transfer
does not carry (758). A transfer may be lost and sent again; a copy of it may linger in the network and arrive at any later
time, which is why transfers are numbered and a secondary refuses the older ones.
"""

from __future__ import annotations

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.terms import SetTerm, choose


@step("[0035]; [0041] 556; [0045] 750", t=Sort.TRACK)
def send_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The async process sends a track: its preserved image if it has one, else its only image."""
    image = choose(t <= s.preserved, s.preserved_image, s.applied)
    return (
        when(out_of_sync=t <= s.out_of_sync, idle=t.outside(s.in_flight)),
        then(
            in_flight=s.in_flight | t,
            wire=s.wire.onto(t.writes, image),
            late=choose(t.unit <= s.left, s.late | t, s.late & ~t),
        ),
    )


@step("[0019] [0035]", t=Sort.TRACK)
def receive_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The secondary has a track in its cache, where a crash would lose it: as good as still on its way."""
    return when(in_flight=t <= s.in_flight, once=t.outside(s.delivered)), then(received=s.received | t)


@step("[0035] [0045]", t=Sort.TRACK)
def deliver_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The secondary hardens a track; data sent after its unit left the increment taints the volume first.

    Where the flash target has no copy of the track yet, the old data is copied to the target first [0021], or the new is
    kept apart from it [0020]: either way the target holds afterwards what it held before.
    """
    return (
        when(in_flight=t <= s.in_flight, once=t.outside(s.delivered)),
        then(
            received=s.received & ~t,
            delivered=s.delivered | t,
            tainted=choose(t <= s.late, s.tainted | t.volume, s.tainted),
            shared=s.shared & ~t,
            secondary=s.secondary.onto(t.writes, s.wire),
        ),
    )


def ended(s: State, tracks: SetTerm) -> Changes:
    """No transfer of these tracks is on its way any more, acknowledged or given up."""
    return then(
        in_flight=s.in_flight & ~tracks,
        delivered=s.delivered & ~tracks,
        rewritten=s.rewritten & ~tracks,
    )


@step("[0042] 608; [0045] 752-758", t=Sort.TRACK)
def acknowledge_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The primary learns that a track is hardened: it is in sync, and its preserved image is discarded, unless rewritten."""
    synchronised = t & ~s.rewritten
    return (
        when(in_flight=t <= s.in_flight, hardened=t <= s.delivered),
        then(
            **ended(s, t),
            out_of_sync=s.out_of_sync & ~synchronised,
            preserved=s.preserved & ~synchronised,
            unpersisted=s.unpersisted & ~synchronised,
        ),
    )


@step("[0027]", t=Sort.TRACK, fault="loss")
def lose_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A transfer, or its acknowledgement, is lost: the primary gives it up; the track is still out of sync."""
    return when(in_flight=t <= s.in_flight), ended(s, t)


@step("[0027]", t=Sort.TRACK, fault="reordering")
def linger_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The network keeps a copy of a transfer, which may arrive at any time later, whatever became of the transfer."""
    return (
        when(in_flight=t <= s.in_flight, once=t.outside(s.delivered)),
        then(lingering=s.lingering | t, lingering_image=s.lingering_image.onto(t.writes, s.wire)),
    )


@step("[0027]", t=Sort.TRACK, fault="reordering")
def deliver_lingering(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A lingering copy arrives: it is older than what the secondary has seen, so its number is out of sequence.

    The two guards exclude one another: no copy that is out of sequence is ever applied, and the step is there to be got
    wrong. (A copy that arrives in sequence is the delivery of its transfer, which may then be lost again.)
    """
    return (
        when(lingering=t <= s.lingering, in_sequence=t.outside(s.lingering)),
        then(lingering=s.lingering & ~t, secondary=s.secondary.onto(t.writes, s.lingering_image)),
    )


STEPS = (send_track, receive_track, deliver_track, acknowledge_track, lose_track, linger_track, deliver_lingering)
