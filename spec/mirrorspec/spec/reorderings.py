"""Reorderings and parallel executions that the seed permits in general words [0053], each with how it is decided.

"Certain of the logic operations may be performed in a different order … or certain operations may be processed in parallel":
the seed says no more. Here is one row for each order in it that an implementer may want to change, by the part of an increment
that it is about. How a row can be decided says `reordering`; that it is decided so is checked, never taken from here.
"""

from __future__ import annotations

from mirrorspec.spec.reordering import Altered, Choice, Either, Exchange, Pair, Reordering, Wrong
from mirrorspec.spec.sorts import Sort

_TRANSFER = ("send_track", "deliver_track", "acknowledge_track")


def _each(*names: str) -> tuple[Pair, ...]:
    """Every two of these steps, also a step with itself."""
    return tuple((a, b) for i, a in enumerate(names) for b in names[i:])


def _with(one: str, *others: str) -> tuple[Pair, ...]:
    return tuple((one, b) for b in others)


_ALL = (
    # host writes
    Reordering(
        "writes to several tracks", "[0035] [0037]",
        "hosts write to different tracks at once",
        Exchange((("apply_write", "apply_write"),), Sort.TRACK),
        "each marks its own track, and goes to its own image",
    ),
    Reordering(
        "acknowledgements in any order", "[0035]",
        "writes are reported complete in another order than they were applied in",
        Exchange((*_each("acknowledge_write"), ("acknowledge_write", "apply_write")), Sort.WRITE),
        "nothing that the units keep depends on what a host has heard",
    ),
    Reordering(
        "issue and acknowledgement", "[0008]",
        "a write is sent before, or after, another one is reported complete",
        Either((("issue_write", "acknowledge_write"),)),
        "the later one depends on what was reported, and so has to be in no image without it: this is what order means",
    ),
    Reordering(
        "acknowledge, then cache", "[0030] [0035]",
        "a write is reported complete, and put into the cache later",
        Wrong(("acknowledged_before_cache",)),
        "the increment in between freezes a cut without a write that was promised",
    ),
    Reordering(
        "acknowledge, then mark", "[0037] 352",
        "a write is reported complete, and its track is marked later",
        Wrong(("acknowledged_before_marked",)),
        "the trace ends before the mark comes, so it is one of a mark that comes too late",
    ),
    Reordering(
        "clear, then mark", "[0042] 608; [0045] 758",
        "the acknowledgement of a transfer clears the bit that a write has set since",
        Wrong(("acknowledgement_clears_newer_bit",)),
        "what was written since is never sent",
    ),
    Reordering(
        "clear when sent", "[0042] 606-608; [0045] 750-758",
        "the bit is cleared when the track is sent, not when it is acknowledged: the order of the figures, taken literally",
        Wrong(("cleared_when_sent",)),
        "the unit reports drained while the data is still on its way",
    ),
    # start increment
    Reordering(
        "start in any order", "[0038-0039] 450",
        "start increment reaches the units in any order, or all at once",
        Exchange(_each("start_increment"), Sort.UNIT),
        "each freezes its own cut; all are frozen before any runs",
    ),
    Reordering(
        "drain while starting", "[0041] 556",
        "tracks are sent, delivered and acknowledged while a unit joins or runs",
        Exchange((*_with("start_increment", *_TRANSFER), *_with("run", *_TRANSFER))),
        "joining changes no bit that a transfer reads, and no image",
    ),
    Reordering(
        "write while starting", "[0038]",
        "a write enters the cache before, or after, its unit joins",
        Either((("start_increment", "apply_write"),)),
        "before, it is in the cut; after, it waits or is recorded; with what it needs it is the same",
    ),
    Reordering(
        "acknowledge while starting", "[0038] 452",
        "a write is reported complete before, or after, a unit joins",
        Either((("start_increment", "acknowledge_write"),)),
        "what has been acknowledged when the first unit joins is promised; later, it need not be",
    ),
    Reordering(
        "create change recording early", "[0038-0039] 452",
        "change recording is created before acknowledgements stop",
        Altered("created_when_last_merged"),
        "it is created by the last merge, and stays empty",
    ),
    Reordering(
        "create change recording late", "[0039-0040] 452",
        "acknowledgements stop, and change recording is created with run; writes wait before the cache",
        Altered("created_with_run"),
        "nothing is recorded before run",
    ),
    Reordering(
        "create change recording late, cached", "[0038-0040] 452",
        "the same, where writes enter the cache while their acknowledgement waits",
        Wrong(("created_with_run_in_cache",)),
        "marks that were set while pending are lost",
    ),
    Reordering(
        "stop acknowledgements late", "[0038-0039] 452",
        "change recording is created, and acknowledgements go on until run; writes enter the cache",
        Wrong(("acknowledged_while_held",)),
        "a write outside the cut is acknowledged before another unit has frozen its own",
    ),
    Reordering(
        "freeze with run", "[0038] [0042] 602",
        "updating of out-of-sync goes on until run, and change recording begins then; writes enter the cache",
        Wrong(("in_cache+preserve+before_run", "before_cache+preserve+before_run")),
        "the cut takes in writes that may need what another unit acknowledged after its own cut",
    ),
    Reordering(
        "collision test with run", "[0043] 722-724",
        "writes are recorded from start increment on, and collisions are looked for from run on",
        Wrong(("collision_test_waits_for_run",)),
        "a write that is cached while pending destroys a frozen image",
    ),
    # run
    Reordering(
        "run in any order", "[0040-0041] 550",
        "run reaches the units in any order, or all at once",
        Exchange(_each("run"), Sort.UNIT),
        "each has frozen its cut already",
    ),
    Reordering(
        "run before all hold", "[0038-0041]",
        "a unit is let run as soon as it has joined, while others have not",
        Wrong(("run_before_all_joined",)),
        "it acknowledges a write outside its cut, and another unit takes what needs it into its own",
    ),
    Reordering(
        "requests after the switch", "[0041] 554",
        "requests in progress are completed after the switch to change recording",
        Choice(("after",)),
        "they count as new writes",
    ),
    Reordering(
        "requests before the switch", "[0041] 554",
        "requests that had arrived at start increment are completed before the switch; writes wait before the cache",
        Choice(("before_start",)),
        "nothing outside the cut was acknowledged when they arrived",
    ),
    Reordering(
        "requests before the switch, cached", "[0038] [0041] 554",
        "the same, where writes enter the cache while their acknowledgement waits",
        Wrong(("in_cache+preserve+before_start",)),
        "a newer write is in the track already, and goes into the cut with the older one",
    ),
    Reordering(
        "later requests before the switch", "[0041] 554",
        "requests that arrive until run are completed before the switch",
        Wrong(("before_cache+preserve+before_run",)),
        "such a request may depend on what a unit acknowledged that runs already",
    ),
    # drain
    Reordering(
        "drain in parallel", "[0018] [0041] 556",
        "several processes send, deliver and acknowledge different tracks at once, in any order",
        Exchange(_each(*_TRANSFER), Sort.TRACK),
        "each is about its own track",
    ),
    Reordering(
        "write while draining", "[0041] 554-556",
        "hosts write to a track before, or after, it is sent",
        Either((("send_track", "apply_write"),)),
        "of a track of the frozen set the old image is sent in either case",
    ),
    Reordering(
        "old image first, or kept, or sent", "[0042-0045]",
        "a colliding write waits for the old image to be sent; or that is kept; or a copy of it is sent at once",
        Choice(("send_first", "preserve", "send_copy")),
        "the frozen image is somewhere until it is acknowledged",
    ),
    Reordering(
        "write, then copy the old image", "[0044] 732-734",
        "the write enters the cache before the old image is copied, or before the collision is looked for",
        Wrong(("copied_after_written", "collision_overwrites")),
        "what is kept, or sent, is the new image",
    ),
    Reordering(
        "acknowledge, then harden", "[0021] [0045]",
        "the secondary acknowledges a track before it has hardened it",
        Wrong(("acknowledged_before_hardened",)),
        "the flash finds the older image",
    ),
    Reordering(
        "drained by query or by notification", "[0047] 850",
        "the control logic asks, or is told, and meanwhile anything goes on at other units",
        Exchange((("report_drained", "report_drained"), *_with("report_drained", *_TRANSFER, "run")), Sort.UNIT),
        "a unit that has drained stays drained while it is in progress",
    ),
    Reordering(
        "drain, then run", "[0047] 850",
        "a unit reports drained as soon as it is, while others have not run yet",
        Exchange((("report_drained", "run"), ("report_drained", "apply_write"))),
        "what it is drained of was frozen when it joined",
    ),
    # flash
    Reordering(
        "flash in any order", "[0048] 852",
        "volumes are flashed in any order, or all at once",
        Exchange((*_each("flash", "commit", "withdraw"),), Sort.VOLUME),
        "each has its own target",
    ),
    Reordering(
        "flash while hosts write", "[0041] 554; [0048] 852",
        "hosts write, and units report, while volumes are flashed",
        Exchange(_with("flash", "apply_write", "acknowledge_write", "issue_write", "report_drained", "send_track")),
        "the flash reads the secondary alone",
    ),
    Reordering(
        "flash and late data", "[0048] 852-860",
        "data of the next increment arrives before, or after, the flash of this one",
        Either((("flash", "deliver_track"),)),
        "before, it taints the volume and the flash is refused; after, the flash has what it wants",
    ),
    Reordering(
        "data, then taint", "[0048] 852-860",
        "the secondary applies late data, and records the taint afterwards",
        Wrong(("tainted_after_data",)),
        "a flash in between takes later data for the cut",
    ),
    Reordering(
        "flash unit by unit", "[0047-0048] 850-852",
        "a unit is flashed when it has drained, without waiting for the others; hardened",
        Altered("flashed_unit_by_unit"),
        "a revertible flash binds nobody until all are flashed",
    ),
    Reordering(
        "flash unit by unit, in the seed", "[0047-0048] 850-852",
        "the same in the seed, where a flash is final",
        Wrong(("flashed_unit_by_unit_in_seed",)),
        "while flashes are partial the secondaries stand in, and some have not drained",
    ),
    Reordering(
        "flash before all have drained", "[0047-0048] 850-852",
        "units are flashed that have not drained",
        Wrong(("flashed_before_all_drained",)),
        "the target then holds a part of the cut",
    ),
    Reordering(
        "commit before all are flashed", "[0048] 852",
        "a flash is made final while others are not made",
        Wrong(("committed_before_all_flashed",)),
        "some volumes can no longer go back, the others cannot go forward",
    ),
    # the end
    Reordering(
        "complete in any order", "[0048] 854-860",
        "increment complete reaches the units in any order, before or after the secondaries commit",
        Exchange((("increment_complete", "commit"),)),
        "a committed volume needs nothing of its primary, nor the other way round",
    ),
    Reordering(
        "units end in any order", "[0048] 856-860",
        "units complete, time out and abort in any order, or all at once",
        Exchange(_each("increment_complete", "abort", "run_timeout", "increment_timeout"), Sort.UNIT),
        "each merges its own bitmaps",
    ),
    Reordering(
        "complete with the flash", "[0048] 852-854",
        "increment complete is sent together with the flash; hardened",
        Altered("completed_with_flash"),
        "a unit that leaves early taints its volumes, so the increment may fail and never lies",
    ),
    Reordering(
        "complete with the flash, in the seed", "[0048] 852-854",
        "the same in the seed, which knows no taint",
        Wrong(("completed_with_flash_in_seed",)),
        "later data is in the secondary before the flash",
    ),
    Reordering(
        "merge, then write, then normal", "[0048] 858-860",
        "writes are recorded in change recording after the merge and before the mode change",
        Wrong(("write_between_merge_and_normal",)),
        "their marks are merged into nothing",
    ),
    Reordering(
        "normal, then merge", "[0048] 858-860",
        "the mode changes first, the merge comes later; the next start increment waits for it",
        Altered("merged_after_normal"),
        "until then the marks are still in change recording",
    ),
    Reordering(
        "normal, then merge, unwaited for", "[0048] 858-860",
        "the same, and the next start increment does not wait",
        Wrong(("normal_before_merged",)),
        "it creates change recording anew, and the marks are gone",
    ),
    Reordering(
        "empty, then merge", "[0048] 858",
        "change recording is emptied before it is merged, and a crash comes in between",
        Wrong(("crash_inside_merge",)),
        "the marks are in neither bitmap",
    ),
    # sessions
    Reordering(
        "answers in any order", "[0047]",
        "units answer a session that takes over in any order, or all at once",
        Exchange(_each("answer"), Sort.UNIT),
        "each stores the number for itself",
    ),
    Reordering(
        "answer, then refuse", "[0047]",
        "a unit answers a new session, and refuses the old one afterwards",
        Wrong(("takeover_without_fence",)),
        "the old session commits after the new one has looked",
    ),
    Reordering(
        "abort and withdraw", "[0039] [0041]",
        "primaries abort before, or after, their secondaries withdraw the flash",
        Exchange(_with("abort", "withdraw", "flash")),
        "the session waits for both",
    ),
)  # fmt: skip

REORDERINGS: dict[str, Reordering] = {r.name: r for r in _ALL}
"""Every row by its name, in the order of the figures."""
