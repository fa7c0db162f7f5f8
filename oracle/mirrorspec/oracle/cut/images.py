"""Which writes an image shows: the history's columns cut down to the judged volumes, with the images' contents beside them.

Images are read from their beginning to their end in pieces, so their size costs time and not memory; what a gzip file may
grow to is bounded. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mirrorspec.oracle.cut.history import ANYTHING, Flags, History, Keys, Numbers, Times
from mirrorspec.oracle.cut.jsonl import content_key
from mirrorspec.oracle.cut.lines import MEGABYTE, Say, opened, silent
from mirrorspec.oracle.cut.stamp import stamp_keys
from mirrorspec.spec.errors import BadInputError, unknown_name

PIECE_BYTES = 1 << 22
MAX_UNPACKED_BYTES = 1 << 36
"""The most that a compressed image may unpack to (64 GiB)."""
MAX_NAMED = 10
"""How many blocks of a kind are named; all are counted."""
ZERO = "zero"
"""The initial image of a volume that held zeros."""
DENSE = 1 << 22
"""A volume with block numbers up to this gets a table; a larger one does if it is well filled."""


@dataclass(slots=True)
class Shown:
    """One volume's image beside what was written to it."""

    volume: str
    image: str
    blocks: Numbers
    """The blocks that the history writes, in rising order."""
    keys: Keys
    """What the image holds of each of them."""
    initial: Flags
    """Where the image holds the initial content; where that is not known, what no write wrote is taken for it."""
    initial_known: bool
    undecided: Flags
    """Where the image holds what a write wrote and an unknown initial content may have been the same."""
    total: int = 0
    """Blocks of the image, written ones and others."""
    changed: list[int] = field(default_factory=list)
    """Blocks that were never written and differ from the initial image: the first `MAX_NAMED`."""
    changed_count: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What there is to judge: one row a write of a judged volume; units are the written blocks, numbered throughout."""

    images: tuple[Shown, ...]
    first_unit: tuple[int, ...]
    """The number of each image's first unit; one more entry says how many units there are."""
    row: Numbers | None
    """The history's row of each row here; None where they are the same."""
    unit: Numbers
    issue: Times
    acknowledgement: Times
    """With the clock error added: from here on a write lasts that much longer."""
    shown: Flags
    """Whether the unit, in the image, holds what this write wrote."""
    initial: Flags
    """For each unit, whether the image holds what was there before."""
    undecided: Flags
    """For each unit, whether the image may hold what was there before: it shows a write, and before is unknown."""

    @property
    def units(self) -> int:
        """How many units there are."""
        return self.first_unit[-1]

    def history_row(self, row: int) -> int:
        """Where the history has the write of *row*."""
        return row if self.row is None else int(self.row[row])

    def place(self, unit: int) -> tuple[Shown, int]:
        """The image that *unit* is in, and its index among the image's written blocks."""
        at = int(np.searchsorted(self.first_unit, unit, side="right")) - 1
        return self.images[at], unit - self.first_unit[at]


def compare(
    history: History, images: Mapping[str, str], initials: Mapping[str, str], clock_error: int, say: Say = silent
) -> Judged:
    """Lay the *images* (a file for each volume) beside *history*; *initials* is a file or `zero` for each volume."""
    for option, names in (("--image", images), ("--initial", initials)):
        for name in names:
            if name not in history.volumes:
                raise BadInputError(f"{option}: {unknown_name('volume of this history', name, history.volumes)}")
    all_judged = all(name in images for name in history.volumes)
    wanted = np.array([name in images for name in history.volumes], np.bool_)
    row = None if all_judged else np.flatnonzero(wanted[history.volume])
    volume = history.volume if row is None else history.volume[row]
    block = history.block if row is None else history.block[row]
    content = history.content if row is None else history.content[row]
    unit = np.empty(len(block), np.int64)
    shown = np.empty(len(block), np.bool_)
    sides: list[Shown] = []
    first = [0]
    for index, name in enumerate(history.volumes):
        if name not in images:
            continue
        mine = slice(None) if len(history.volumes) == 1 else np.flatnonzero(volume == index)
        blocks, where = number(block[mine])
        side = show(history, name, images[name], initials.get(name), blocks, say)
        shown[mine] = (content[mine] == side.keys[where]) | (content[mine] == np.uint64(ANYTHING))
        if not side.initial_known:
            # Content that no write wrote must be the unknown one from before; any other may be.
            side.undecided[where[shown[mine]]] = True
            side.initial = ~side.undecided
        unit[mine] = where + first[-1]
        sides.append(side)
        first.append(first[-1] + len(blocks))
    ack = history.acknowledgement if row is None else history.acknowledgement[row]
    if clock_error:
        ack = np.where(ack < np.iinfo(np.int64).max, ack + clock_error, ack)
    issue = history.issue if row is None else history.issue[row]
    none = np.empty(0, np.bool_)
    initial = np.concatenate([none, *(side.initial for side in sides)])
    undecided = np.concatenate([none, *(side.undecided for side in sides)])
    return Judged(tuple(sides), tuple(first), row, unit, issue, ack, shown, initial, undecided)


def number(block: Numbers) -> tuple[Numbers, Numbers]:
    """The blocks that occur, rising, and for each entry of *block* its index among them."""
    top = int(block.max(initial=0)) + 1
    if top <= max(DENSE, 4 * len(block)):
        present = np.zeros(top, np.bool_)
        present[block] = True
        return np.flatnonzero(present), (np.cumsum(present, dtype=np.int32) - 1)[block].astype(np.int64)
    ordered = np.sort(block)
    blocks = ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]
    return blocks, np.searchsorted(blocks, block)


def show(history: History, volume: str, image: str, initial: str | None, blocks: Numbers, say: Say = silent) -> Shown:
    """Read the *image* of *volume*, and what was there before, at the written *blocks* and around them."""
    size = history.block_bytes
    no = np.zeros(len(blocks), np.bool_)
    side = Shown(volume, image, blocks, np.empty(len(blocks), np.uint64), no, initial is not None, no.copy())
    for at, data, before in _both(image, initial):
        say(f"reading {image}: {(at + len(data)) // MEGABYTE} MB")
        if len(data) % size:
            raise BadInputError(f"{image}: {at + len(data)} bytes are not a whole number of blocks of {size} bytes")
        first, count = at // size, len(data) // size
        low, high = np.searchsorted(blocks, (first, first + count)).tolist()
        here = blocks[low:high] - first
        if history.kind == "nbdkit":
            numbers = np.arange(first, first + count, dtype=np.uint64)
            side.keys[low:high] = stamp_keys(data, volume, numbers, size)[here]
        else:
            view = memoryview(data)
            side.keys[low:high] = [content_key(bytes(view[b * size : (b + 1) * size])) for b in here.tolist()]
        if before is not None:
            same = (np.frombuffer(data, np.uint8) == before).reshape(count, size).all(axis=1)
            side.initial[low:high] = same[here]
            same[here] = True
            changed = np.flatnonzero(~same)
            side.changed_count += len(changed)
            side.changed += (changed[: MAX_NAMED - len(side.changed)] + first).tolist()
        side.total = first + count
    if len(blocks) and blocks[-1] >= side.total:
        raise BadInputError(
            f"{image}: holds {side.total} blocks of {size} bytes, but the history writes block {blocks[-1]} of "
            f"volume {volume}; is it the image of another volume, or cut short?"
        )
    return side


def _both(image: str, initial: str | None) -> Iterator[tuple[int, bytes, NDArray[np.uint8] | None]]:
    """The image's bytes in pieces, each with its offset and the initial bytes of the same place, where known."""
    with ExitStack() as stack:
        stream, packed = stack.enter_context(opened(image))
        other, other_packed = stack.enter_context(opened(initial)) if initial not in (None, ZERO) else (None, False)
        at = 0
        while data := stream.read(PIECE_BYTES):
            before = None
            if other is not None:
                before = np.frombuffer(other.read(PIECE_BYTES), np.uint8)
                if len(before) != len(data):
                    raise BadInputError(f"{initial}: is not as long as {image}, whose initial image it is said to be")
            elif initial == ZERO:
                before = np.zeros(len(data), np.uint8)
            yield at, data, before
            at += len(data)
            if (packed or other_packed) and at > MAX_UNPACKED_BYTES:
                raise BadInputError(f"{image}: unpacks to more than {MAX_UNPACKED_BYTES} bytes; unpack it first")
        if other is not None and other.read(1):
            raise BadInputError(f"{initial}: is longer than {image}, whose initial image it is said to be")
