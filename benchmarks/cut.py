"""How fast `mirrorspec cut` reads and judges, beside the plain way of doing the same in the same run.

    python benchmarks/cut.py [WRITES]

The machine and its other work change every figure, so each stands beside a rival that had the same machine: the ratio is
what to compare between runs. Judging is measured from columns in memory to the answer, images on disk included; each size
in a process of its own, whose peak memory is the figure printed. Asked for: 10 M writes in 10 s and 2 GiB, 1 M lines/s.
"""

from __future__ import annotations

import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorspec.oracle.cut.history import FOREIGN, NEVER, SECOND, History, Keys
from mirrorspec.oracle.cut.images import compare
from mirrorspec.oracle.cut.jsonl import read_json_lines
from mirrorspec.oracle.cut.judge import judge
from mirrorspec.oracle.cut.nbdkit import read_nbdkit_log
from mirrorspec.oracle.cut.stamp import stamp
from mirrorspec.oracle.cut.witness import smallest_witness

VOLUMES, BLOCKS = ("A", "B", "C", "D"), 1 << 16
BLOCK_BYTES = 32
RIVAL_WRITES = 200_000
"""The pure Python rivals are given this many and compared by the write or line."""
LINES = 1_000_000


def columns(writes: int, repeats: int) -> dict[str, NDArray[Any]]:
    """A history in which every unit's writes are numbered (modulo *repeats*, where that is not 0), and both images."""
    choose = np.random.default_rng(1)
    issue = np.sort(choose.integers(0, writes * 20_000, writes))
    ack = issue + choose.integers(1_000, 3_000_000, writes)
    applied = issue + choose.integers(0, 1_000, writes)
    volume = choose.integers(0, len(VOLUMES), writes).astype(np.int32)
    block = choose.integers(0, BLOCKS, writes)
    unit = volume * BLOCKS + block
    order = np.argsort(unit, kind="stable")
    first = np.concatenate(([True], unit[order][1:] != unit[order][:-1]))
    place = np.arange(writes)
    content = np.empty(writes, np.uint64)
    content[order] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
    if repeats:
        content = content % np.uint64(repeats) + np.uint64(1)
    made: dict[str, NDArray[Any]] = {
        "volume": volume,
        "block": block,
        "issue": issue,
        "acknowledgement": ack,
        "content": content,
    }
    for name, cuts in (("cut", (0.9,) * 4), ("torn", (0.9, 0.9, 0.9, 0.89))):
        image = np.zeros(len(VOLUMES) * BLOCKS, np.uint64)
        by_application = np.argsort(applied, kind="stable")
        moment = np.array(cuts)[volume] * writes * 20_000
        held = by_application[applied[by_application] <= moment[by_application]]
        image[unit[held]] = content[held]  # the last one applied stays
        made[name] = image
    return made


def history_of(made: dict[str, NDArray[Any]]) -> History:
    """The columns as a history of stamped blocks."""
    size = len(made["block"])
    return History(
        "benchmark", "nbdkit", "calendar", BLOCK_BYTES, size, VOLUMES, made["volume"], made["block"], made["issue"],
        made["acknowledgement"], made["content"], np.arange(1, size + 1),
    )  # fmt: skip


def write_images(folder: Path, name: str, keys: Keys) -> None:
    """The stamped images that hold *keys*."""
    for index, volume in enumerate(VOLUMES):
        mine = keys[index * BLOCKS : (index + 1) * BLOCKS].tolist()
        units = (stamp(volume, b, key, BLOCK_BYTES) if key else bytes(BLOCK_BYTES) for b, key in enumerate(mine))
        (folder / f"{volume}.{name}").write_bytes(b"".join(units))


def child(folder: Path, name: str) -> None:
    """Judge what is in *folder*, and print seconds, the peak memory and the answer."""
    made = {file.stem: np.load(file) for file in folder.glob("*.npy")}
    history = history_of(made)
    images = {volume: str(folder / f"{volume}.{name}") for volume in VOLUMES}
    began = time.perf_counter()
    judged = compare(history, images, dict.fromkeys(VOLUMES, "zero"), 0)
    arrays = (judged.unit, judged.issue, judged.acknowledgement, judged.shown, judged.initial)
    found = judge(*arrays)
    if found.torn:
        smallest_witness(found, *arrays)
    seconds = time.perf_counter() - began
    peak = peak_bytes()
    assert found.torn == (name == "torn")
    assert not len(found.foreign)
    print(json.dumps({"seconds": seconds, "bytes": peak}))


def peak_bytes() -> int:
    """The most memory this process has had."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux hands `ru_maxrss` down from a larger parent
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def plain_judge(made: dict[str, NDArray[Any]], image: Keys, writes: int) -> bool:
    """The rival: the same rule by the book, one write at a time, with unions of intervals and a sweep."""
    names = ("volume", "block", "issue", "acknowledgement", "content")
    by_unit: dict[int, list[tuple[int, int, int]]] = {}
    for volume, block, issue, ack, content in zip(*(made[n][:writes].tolist() for n in names), strict=True):
        by_unit.setdefault(volume * BLOCKS + block, []).append((issue, ack, content))
    events: list[tuple[int, int]] = []
    for unit, mine in by_unit.items():
        key = int(image[unit])
        spans = [(i, min((a for j, a, _ in mine if j > k), default=NEVER)) for i, k, c in mine if c == key]
        if not key:
            spans.append((-1, min(a for _, a, _ in mine)))
        spans.sort()
        merged: list[list[int]] = []
        for low, high in spans:
            if merged and low <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], high)
            else:
                merged.append([low, high])
        events += [(low, -1) for low, _ in merged] + [(high, 1) for _, high in merged]
    covered = most = 0
    for _, step in sorted(events):
        covered -= step
        most = max(most, covered)
    return most < len(by_unit)


def timed(work: Callable[[], object]) -> float:
    """Seconds of the best of three."""
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def judging(writes: int) -> None:
    """Judge histories of up to *writes* writes."""
    for repeats in (0, 5):
        few = columns(RIVAL_WRITES, repeats)
        rival = timed(lambda few=few: plain_judge(few, few["cut"], RIVAL_WRITES)) / RIVAL_WRITES  # type: ignore[misc]
        kind = "contents repeat" if repeats else "distinct contents"
        for size in (writes // 4, writes // 2, writes):
            made = columns(size, repeats)
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                for column in ("volume", "block", "issue", "acknowledgement", "content"):
                    np.save(folder / f"{column}.npy", made[column])
                for image in ("cut", "torn"):
                    write_images(folder, image, made[image])
                    command = [sys.executable, __file__, "--child", name, image]
                    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                    result = json.loads(output)
                    seconds, memory = result["seconds"], result["bytes"] / 2**30
                    print(
                        f"judge {size / 1e6:5.2f} M writes, {kind:17s} {image:4s}: {seconds:6.2f} s, {memory:4.2f} GiB, "
                        f"{rival * size / seconds:5.1f} times as fast as plain Python",
                        flush=True,
                    )


def parsing() -> None:
    """Read histories of `LINES` lines."""
    choose = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "history")
        clock = 1_700_000_000 * SECOND
        rows = []
        for _ in range(LINES):
            clock += choose.randrange(100_000)
            done = clock + choose.randrange(3_000_000)
            rows.append(
                (choose.choice(VOLUMES), choose.randrange(1 << 24), clock, done, choose.getrandbits(64) % FOREIGN)
            )
        with file.open("w") as out:
            for volume, block, issue, ack, content in rows:
                out.write(
                    f'{{"volume": "{volume}", "block": {block}, "issue": {issue / 1e9:.6f}, '
                    f'"acknowledgement": {ack / 1e9:.6f}, "content": "{content:016x}"}}\n'
                )
        rival = timed(lambda: [json.loads(line) for line in file.open("rb")])
        seconds = timed(lambda: read_json_lines(str(file)))
        print_parsing("JSON lines", LINES, seconds, rival, "json.loads of each line")

        entry = re.compile(r"(\S+ \S+) connection=(\d+) (\.\.\.)?(\w+) id=(\d+)(?: offset=(\w+) count=(\w+))?")
        stamp_of = "2026-11-23 {:02d}:{:02d}:{:02d}.{:06d}"
        with file.open("w") as out:
            for connection, volume in enumerate(VOLUMES, 1):
                out.write(f"{stamp_of.format(0, 0, 0, 0)} connection={connection} Connect export={volume} tls=0\n")
            for number in range(1, LINES // 2 + 1):
                tick = number * 50
                shown = stamp_of.format(
                    tick // 3_600_000_000, tick // 60_000_000 % 60, tick // 10**6 % 60, tick % 10**6
                )
                call = f"{shown} connection={number % 4 + 1}"
                out.write(
                    f"{call} Write id={number} offset={choose.randrange(1 << 24) * 4096:#x} count=0x1000 fua=0 ...\n"
                )
                out.write(f"{call} ...Write id={number} return=0\n")
        rival = timed(lambda: [entry.match(line) for line in file.open()])
        seconds = timed(lambda: read_nbdkit_log(str(file), block_bytes=4096))
        print_parsing("nbdkit's log", LINES, seconds, rival, "one regular expression a line")


def print_parsing(kind: str, count: int, seconds: float, rival: float, name: str) -> None:
    """One line of figures."""
    rates = f"{count / seconds / 1e6:5.2f} M lines/s, {name} alone {count / rival / 1e6:5.2f} M"
    print(f"read {kind:12s}: {rates}, {rival / seconds:4.1f} times as fast", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), sys.argv[3])
    else:
        parsing()
        judging(int(sys.argv[1]) if sys.argv[1:] else 10_000_000)
