"""An answer in plain data: the JSON report, from which the text is made too, so that neither says what the other does not.

The report ends with what was *not* covered, counted and named: a verdict without its limits is not one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mirrorspec.oracle.cut.history import ALWAYS, ANYTHING, FOREIGN, NEVER, SECOND
from mirrorspec.oracle.cut.images import MAX_NAMED
from mirrorspec.oracle.cut.judge import NONE
from mirrorspec.oracle.cut.named import enumerated
from mirrorspec.oracle.cut.question import Answer

MAX_RANGES = 10
"""How many separate ranges of T are listed; all are counted."""
Data = dict[str, Any]


def report(answer: Answer) -> Data:
    """The whole answer, ready for JSON."""
    history, judgement = answer.history, answer.judgement
    volumes = len(answer.judged.images)
    return {
        "verdict": str(answer.verdict),
        "findings": list(answer.findings),
        "bound": f"this history: {_count(answer.lines, 'write')} on {_count(volumes, 'volume')}",
        "reason": answer.reason,
        "history": {
            "file": _file(history.path),
            "format": history.kind,
            "block_bytes": history.block_bytes,
            "requests": history.requests,
            "block_writes": len(history),
            "order_only": history.order_only,
            "tap": answer.question.tap,
            "clock_error_seconds": str(answer.question.clock_error_seconds),
        },
        "images": {side.volume: _file(side.image) for side in answer.judged.images},
        "cut": _cut(answer) if not judgement.torn and len(answer.judged.unit) else None,
        "recovery_point": _recovery_point(answer),
        "witness": _witness(answer),
        "foreign": _foreign(answer),
        "not_covered": not_covered(answer),
    }


def _file(name: str) -> str:
    """A file's name as text: bytes that are none are escaped."""
    return name.encode(errors="backslashreplace").decode()


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _moment(answer: Answer, time: int) -> Data:
    known = time not in (ALWAYS, NEVER)
    return {"shown": answer.history.show_time(time), "nanoseconds": time if known else None}


def _write(answer: Answer, row: int) -> Data | None:
    if row == NONE:
        return None
    history, at = answer.history, answer.judged.history_row(row)
    return {
        "volume": history.volumes[history.volume[at]],
        "block": int(history.block[at]),
        "issue": _moment(answer, int(history.issue[at])),
        "acknowledgement": _moment(answer, int(history.acknowledgement[at])),
        "content": history.show_content(int(history.content[at])),
        "line": int(history.line[at]),
    }


def _image_content(answer: Answer, unit: int) -> str:
    side, at = answer.judged.place(unit)
    key = int(side.keys[at])
    shown = "no valid stamp" if answer.history.kind == "nbdkit" and key == FOREIGN else answer.history.show_content(key)
    if side.undecided[at]:
        return f"{shown} (or the unknown initial content)"
    return f"{shown} (the initial content)" if side.initial[at] else shown


def _cut(answer: Answer) -> Data:
    """The times T of which the image is a cut."""
    ranges = answer.judgement.ranges
    return {
        "earliest": _moment(answer, ranges[0][0]),
        "latest": _moment(answer, ranges[-1][1]),
        "ranges": [[_moment(answer, low), _moment(answer, high)] for low, high in ranges[:MAX_RANGES]],
        "range_count": len(ranges),
        "if_initial": list(answer.undecided),
    }


def _recovery_point(answer: Answer) -> Data:
    """How much the image is without."""
    judged, judgement = answer.judged, answer.judgement
    known = judged.acknowledgement < NEVER
    data: Data = {
        "newest_held": _write(answer, judgement.held),
        "newest_held_for_certain": not _may_be_initial(answer, judgement.held),
        "oldest_missing": _write(answer, judgement.oldest_missing),
        "acknowledged_block_writes": int(np.count_nonzero(known)),
        "acknowledged_block_writes_missing": judgement.missing_count,
        "behind_seconds": None,
    }
    if not judgement.torn and known.any() and not answer.history.order_only:
        end = int(judged.acknowledgement[known].max())
        low, high = judgement.ranges[0][0], judgement.ranges[-1][1]
        begin = max(low, int(judged.issue.min()))
        data["behind_seconds"] = {"least": max(0, end - high) / SECOND, "most": max(0, end - begin) / SECOND}
    return data


def _may_be_initial(answer: Answer, row: int) -> bool:
    """True where the image shows that write's content but may have had it from before the history."""
    return row != NONE and bool(answer.judged.undecided[answer.judged.unit[row]])


def _witness(answer: Answer) -> Data | None:
    """Why it is torn: two writes where that is enough, and in any case the blocks with the times they allow."""
    found, judgement, judged = answer.witness, answer.judgement, answer.judged
    if found is None:
        return None
    blocks = []
    for unit, allowed in zip(found.units, found.allowed, strict=True):
        side, at = judged.place(unit)
        times = [[_moment(answer, low), _moment(answer, high)] for low, high in allowed[:MAX_RANGES]]
        blocks.append({
            "volume": side.volume, "block": int(side.blocks[at]), "content": _image_content(answer, unit),
            "allows": times, "allows_count": len(allowed),
        })  # fmt: skip
    data: Data = {"smallest": found.smallest, "blocks": blocks, "two_writes": None}
    if judgement.low > judgement.high:
        held, missing = _write(answer, judgement.held), _write(answer, judgement.missing)
        gap = judgement.low - int(answer.history.acknowledgement[judged.history_row(judgement.missing)])
        instead = _image_content(answer, int(judged.unit[judgement.missing]))
        data["two_writes"] = {
            "held": held,
            "missing": missing,
            "image_has_instead": instead,
            "gap_seconds": None if answer.history.order_only else gap / SECOND,
        }
    return data


def _foreign(answer: Answer) -> Data:
    """Blocks whose content no write wrote and that was not there before."""
    units = answer.judgement.foreign
    named = []
    for unit in units[:MAX_NAMED].tolist():
        side, at = answer.judged.place(unit)
        named.append({"volume": side.volume, "block": int(side.blocks[at]), "content": _image_content(answer, unit)})
    for side in answer.judged.images:
        never = ({"volume": side.volume, "block": block, "content": "never written"} for block in side.changed)
        named.extend(list(never)[: MAX_NAMED - len(named)])
    return {"count": len(units) + answer.changed, "blocks": named}


def not_covered(answer: Answer) -> list[Data]:
    """What the verdict says nothing about, and what it rests on."""
    history, judged, judgement = answer.history, answer.judged, answer.judgement
    items: list[Data] = []

    def item(what: str, count: int, names: list[str], text: str) -> None:
        if count:
            items.append({"what": what, "count": count, "names": names, "text": text})

    without = [name for name in history.volumes if name not in answer.question.images]
    lost = len(history) - len(judged.unit)
    item("volumes", len(without), without, f"volumes without an image, with {lost} block writes: {enumerated(without)}")
    for side in judged.images:
        if side.initial_known:
            continue
        rest = side.total - len(side.blocks)
        taken = int(np.count_nonzero(side.initial))
        hint = f"--initial {side.volume}=FILE or =zero would tell"
        item("blocks", rest, [side.volume], f"blocks of volume {side.volume} that were never written; {hint}")
        text = f"blocks of volume {side.volume} whose content no write wrote: taken for what was there before; {hint}"
        item("initial content", taken, [side.volume], text)
        text = (
            f"blocks of volume {side.volume} whose content a write wrote: "
            + (
                "that it was there before is allowed too"
                if answer.undecided or judgement.torn
                else "taken for that write's"
            )
            + f"; {hint}"
        )
        item("initial content or write", int(np.count_nonzero(side.undecided)), [side.volume], text)
    never = int(np.count_nonzero(judged.acknowledgement == NEVER))
    item("unacknowledged", never, [], "block writes never acknowledged: an image may hold them or not")
    mine = history.content if judged.row is None else history.content[judged.row]
    discarded = int(np.count_nonzero(mine == np.uint64(ANYTHING)))
    item(
        "discards",
        discarded,
        [],
        "discarded blocks: whatever the image shows there is allowed; --discard zero asks for zeros",
    )
    line = history.line if judged.row is None else history.line[judged.row]
    again = line[1:] == line[:-1]
    split = int(np.count_nonzero(again) - np.count_nonzero(again[1:] & again[:-1]))  # runs of equal lines
    item("atomicity", split, [], "requests of several blocks, judged block by block: none is atomic as a whole")
    if len(judged.unit) and not history.order_only:
        known = judged.acknowledgement[judged.acknowledgement < NEVER]
        last = max(int(judged.issue.max()), int(known.max(initial=ALWAYS)))
        first, final = history.show_time(int(judged.issue.min())), history.show_time(last)
        item("times", 2, [first, final], f"times outside the history: before {first} and after {final}")
    if history.order_only:
        item("order", 1, [], "relied on: a write is never listed before one that was acknowledged before it was issued")
    else:
        where = "contain the replicator's own" if answer.question.tap == "hostward" else "may be shorter than its own"
        item("tap", 1, [answer.question.tap], f"relied on: the recorded intervals {where}")
    if history.kind == "nbdkit":
        text = "relied on: whoever wrote the stamps never had two writes to one block outstanding"
        item("stamps", 1, [], text)
    return items
