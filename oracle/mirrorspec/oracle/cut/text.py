"""The report as lines for a person: the verdict, why, how old the image is, and what was not covered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mirrorspec.oracle.cut.named import MOST

Data = dict[str, Any]


def lines(data: Data) -> Iterator[str]:
    """The text of a report."""
    claim = {"violated": "not a cut", "exhausted": "a consistent cut", "inconclusive": "no answer"}[data["verdict"]]
    yield f"{data['verdict']}: {claim} ({data['bound']})"
    if data["reason"]:
        yield f"  because {data['reason']}"
    if data["witness"]:
        yield from _witness(data["witness"])
    if data["foreign"]["count"]:
        yield from _foreign(data["foreign"])
    if data["cut"]:
        cut = data["cut"]
        which = "cut, if the blocks that need it held before what they hold now" if cut["if_initial"] else "cut"
        yield f"{which}: any time from {cut['earliest']['shown']} to {cut['latest']['shown']}"
        if cut["range_count"] > 1:
            yield f"  in {cut['range_count']} separate ranges, since contents repeat:"
            yield from (f"    {low['shown']} to {high['shown']}" for low, high in cut["ranges"])
    yield from _recovery_point(data["recovery_point"])
    yield "not covered, or relied on:"
    kinds: dict[str, int] = {}
    for item in data["not_covered"]:
        kinds[item["what"]] = kinds.get(item["what"], 0) + 1
        if kinds[item["what"]] <= MOST:
            yield f"  {item['text'] if item['text'].startswith('relied') else _counted(item)}"
    yield from (
        f"  … and {count - MOST} more volumes with such a line on {what}"
        for what, count in kinds.items()
        if count > MOST
    )


def _counted(item: Data) -> str:
    return str(item["text"]) if item["what"] == "times" else f"{item['count']} {item['text']}"


def _show(write: Data) -> str:
    return (
        f"volume {write['volume']} block {write['block']}: {write['content']}, issued {write['issue']['shown']}, "
        f"acknowledged {write['acknowledgement']['shown']} (line {write['line']})"
    )


def _witness(witness: Data) -> Iterator[str]:
    if two := witness["two_writes"]:
        yield "torn: the image holds a write and misses one that was acknowledged before it was issued"
        yield f"  holds   {_show(two['held'])}"
        yield f"  misses  {_show(two['missing'])}"
        yield f"          where it has {two['image_has_instead']} instead"
        if two["gap_seconds"] is not None:
            yield f"  the missing one was acknowledged {two['gap_seconds']:.9f} s before the other was issued"
        return
    size = "the fewest" if witness["smallest"] else "none of them can be spared"
    yield f"torn: no time is allowed by all of these {len(witness['blocks'])} blocks ({size})"
    for block in witness["blocks"]:
        times = " or ".join(f"{low['shown']} to {high['shown']}" for low, high in block["allows"])
        more = " or …" if block["allows_count"] > len(block["allows"]) else ""
        yield f"  volume {block['volume']} block {block['block']} has {block['content']}: {times}{more}"


def _foreign(foreign: Data) -> Iterator[str]:
    yield f"foreign: {foreign['count']} blocks hold what no write wrote and what was not there before"
    yield from (f"  volume {block['volume']} block {block['block']}: {block['content']}" for block in foreign["blocks"])
    if foreign["count"] > len(foreign["blocks"]):
        yield f"  and {foreign['count'] - len(foreign['blocks'])} more"


def _recovery_point(point: Data) -> Iterator[str]:
    missing, total = point["acknowledged_block_writes_missing"], point["acknowledged_block_writes"]
    yield f"recovery point: {missing} of {total} acknowledged block writes are missing"
    if behind := point["behind_seconds"]:
        yield f"  {behind['least']:.6f} to {behind['most']:.6f} s before the last acknowledgement"
    held = "newest held for certain" if point["newest_held_for_certain"] else "newest held, unless it was there before"
    for name, write in ((held, point["newest_held"]), ("oldest missing", point["oldest_missing"])):
        yield f"  {name}: {_show(write) if write else 'none'}"
