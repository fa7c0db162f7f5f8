"""Steps whose parts happen in another order [0053]: for the rows of `reorderings` that are more than a guard or a change less.

None of these is part of the protocol. Where two things that the protocol does in one step are done one after the other, there
is a step for each, and whatever the world likes may happen in between.
"""

from __future__ import annotations

from mirrorspec.spec.configuration import Configuration
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State
from mirrorspec.spec.step import Changes, Guards, Step, step, then, when
from mirrorspec.spec.steps import flash, host, increment, message, transfer
from mirrorspec.spec.terms import SetTerm, choose

_MERGED = ("out_of_sync", "rewritten", "change_recording")
"""What the merge changes of the bitmaps [0048] 858."""


def _without_merge(right: Step) -> Step:
    def text(s: State, x: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
        guards, changes = right.function(s, x, options)
        return guards, {name: change for name, change in changes.items() if name not in _MERGED}

    text.__doc__ = f"{right.meaning} The merge comes later."
    return Step(right.name, right.cites, right.parameters, text, right.fault, right.only)


left_before_merged = tuple(
    _without_merge(right)
    for right in (increment.increment_complete, increment.run_timeout, increment.increment_timeout, increment.abort)
)
"""Every way to leave an increment, with the mode changed (860) before the merge (858)."""


@step("[0048] 858", u=Sort.UNIT)
def merge_later(s: State, u: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A member that has left an increment merges change recording into out-of-sync, while it takes writes in normal mode."""
    changes = increment.merge(s, u)
    return (
        when(member=u <= s.members, normal=u.outside(s.pending | s.in_progress)),
        {name: changes[name] for name in _MERGED},
    )


@step("[0038-0039] 450-454", c=Sort.CHANNEL)
def _join_once_merged(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit joins, once it has merged what the last increment left in change recording."""
    guards, changes = increment.start_increment.function(s, c, options)
    return guards | when(merged=c.unit.tracks.outside(s.change_recording)), changes


join_once_merged = Step("start_increment", "[0038-0039] 450-454", _join_once_merged.parameters, _join_once_merged.function,
                        None, None)  # fmt: skip


@step("[0040-0041] 550-554", c=Sort.CHANNEL)
def _run_and_create(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A unit creates an empty change recording, and lets its held writes go on."""
    guards, changes = increment.run.function(s, c, options)
    return guards, changes | then(change_recording=s.change_recording & ~c.unit.tracks)


run_and_create = Step("run", "[0040-0041] 550-554", _run_and_create.parameters, _run_and_create.function, None, None)


@step("[0020] [0048] 852", c=Sort.CHANNEL, v=Sort.VOLUME)
def _flash_once_drained(s: State, c: SetTerm, v: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A secondary volume is flashed once its own unit has drained, whatever the others do."""
    guards, changes = flash.flash.function(s, c, v, options)
    own = when(**message.command(s, c, s.run_sent, s.old_run, options), drained=v.unit <= s.drained)
    return guards | own, changes


flash_once_drained = Step("flash", "[0020] [0048] 852", _flash_once_drained.parameters, _flash_once_drained.function, None,
                          None)  # fmt: skip


@step("[0048] 854-860", c=Sort.CHANNEL)
def _complete_once_drained(s: State, c: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """The primaries are told that the increment is complete together with the flash, not after it."""
    guards, changes = increment.increment_complete.function(s, c, options)
    return guards | when(**message.command(s, c, s.flash_sent, s.old_flash, options)), changes


complete_once_drained = Step("increment_complete", "[0048] 854-860", _complete_once_drained.parameters,
                             _complete_once_drained.function, None, None)  # fmt: skip


@step("[0042] 606-608", t=Sort.TRACK)
def _clear_when_sent(s: State, t: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A track is sent, and counts as synchronised from then on."""
    guards, changes = transfer.send_track.function(s, t, options)
    return guards, changes | then(out_of_sync=s.out_of_sync & ~t, preserved=s.preserved & ~t)


clear_when_sent = Step(
    "send_track", "[0042] 606-608", _clear_when_sent.parameters, _clear_when_sent.function, None, None
)


@step("[0044] 730-734", w=Sort.WRITE)
def _copy_after_write(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A write that collides goes into the cache, and then the image is copied that should have been kept."""
    guards, changes = host.apply_write.function(s, w, options)
    t = w.track
    first = host.recording(s, w, options) & (t <= s.out_of_sync) & t.outside(s.preserved)
    late = s.preserved_image.onto(t.writes, s.applied | w)
    return guards, changes | then(preserved_image=choose(first, late, s.preserved_image))


copy_after_write = Step(
    "apply_write", "[0044] 730-734", _copy_after_write.parameters, _copy_after_write.function, None, None
)


@step("[0035]", w=Sort.WRITE)
def _acknowledge_before_cache(s: State, w: SetTerm, options: Configuration) -> tuple[Guards, Changes]:
    """A write is reported complete as soon as it has arrived, and is put into the cache afterwards."""
    guards, changes = host.acknowledge_write.function(s, w, options)
    return guards | when(applied=w <= s.issued), changes


acknowledge_before_cache = Step("acknowledge_write", "[0035]", _acknowledge_before_cache.parameters,
                                _acknowledge_before_cache.function, None, None)  # fmt: skip
