"""Secondaries that acknowledge too early, overwrite too early, or take one flash for another; a primary that trusts them."""

from __future__ import annotations

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, step, then, when
from mirrorspec.spec.steps import flash, transfer
from mirrorspec.spec.steps.broken.instead import instead
from mirrorspec.spec.terms import SetTerm

preserved_dropped_early = instead(
    transfer.acknowledge_track,
    "Any acknowledgement of a track discards its preserved image.",
    preserved=lambda s, t, right: right & ~t,
)

acknowledged_on_receipt = instead(
    transfer.acknowledge_track,
    "The secondary acknowledges what it has received, hardened or not.",
    {"hardened": lambda s, t, right: t <= s.received | s.delivered},
)

sent_when_hardened = instead(
    transfer.send_track,
    "A track is not sent again while the secondary has it in its cache.",
    {"idle": lambda s, t, right: t.outside(s.in_flight | s.received)},
)

flash_when_hardened = instead(
    flash.flash,
    "A flash waits until everything that the secondary has received is hardened.",
    {"cached": lambda s, c, v, right: v.tracks.outside(s.received & ~s.in_flight)},
)


@step("[0019]", t=Sort.TRACK)
def harden_track(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The secondary hardens a track that it has acknowledged already."""
    _, changes = transfer.deliver_track.function(s, t, options)
    return when(received=t <= s.received & ~s.in_flight), changes | then(delivered=s.delivered)


overwritten_before_copied = instead(
    transfer.deliver_track,
    "The secondary overwrites a track of which the flash target has no copy of its own yet.",
    target=lambda s, t, right: s.target.onto((t & s.shared).writes, s.wire),
)


@step("[0048] 852", c=Sort.CHANNEL, v=Sort.VOLUME)
def flash_finds_relation(s: State, c: SetTerm, v: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A flash finds a relation of an older increment, and reports it as the new one without copying."""
    guards, changes = flash.flash.function(s, c, v, options)
    changes.pop("target")
    return guards | when(exists=v <= s.old_flashed), changes
