"""An nbdkit plugin with volumes A and B in memory that copies them while they are being written.

It is what the recording in this folder judges, and deliberately simple. Each write takes effect at one moment between its
call and its return, under one lock. Two copies of the pair of volumes are taken without stopping the writers:

- `cut`: both volumes at one moment, under the lock. Whatever is outstanding then is in the copy or not.
- `torn`: volume A at one moment and B some hundred writes later, as two copies that nobody co-ordinates.

Parameters: `folder=` where the copies go, `cut_after=` and `torn_after=` the number of writes before each.
"""

import random
import threading
import time
from pathlib import Path

import nbdkit  # pyright: ignore[reportMissingImports]  # there when nbdkit loads this file

API_VERSION = 2
SIZE = 512 * 512
TORN_GAP = 300
"""Writes between the two halves of the torn copy."""

volumes = {"A": bytearray(SIZE), "B": bytearray(SIZE)}
lock = threading.Lock()
parameters: dict[str, str] = {}
done = 0


def config(key: str, value: str) -> None:
    """Take one key=value of nbdkit's command line."""
    parameters[key] = value


def thread_model() -> int:
    """Requests run beside each other, so that several are outstanding on each volume."""
    return int(nbdkit.THREAD_MODEL_PARALLEL)


def open(readonly: bool) -> bytearray:
    """The handle of a connection is its volume."""
    return volumes[nbdkit.export_name()]


def get_size(volume: bytearray) -> int:
    """Both volumes are of one size."""
    return SIZE


def can_trim(volume: bytearray) -> bool:
    """A discard is a request of its own in the log."""
    return True


def can_zero(volume: bytearray) -> bool:
    """Likewise a write of zeros."""
    return True


def pread(volume: bytearray, buf: bytearray, offset: int, flags: int) -> None:
    """Nothing is held back from a reader."""
    buf[:] = volume[offset : offset + len(buf)]


def pwrite(volume: bytearray, buf: bytearray, offset: int, flags: int) -> None:
    """Take effect at some moment between the call and the return."""
    take_effect(volume, offset, bytes(buf))


def zero(volume: bytearray, count: int, offset: int, flags: int) -> None:
    """A write of zeros."""
    take_effect(volume, offset, bytes(count))


def trim(volume: bytearray, count: int, offset: int, flags: int) -> None:
    """A discard, which here leaves zeros."""
    take_effect(volume, offset, bytes(count))


def take_effect(volume: bytearray, offset: int, data: bytes) -> None:
    """Write at one moment, after and before a pause in which others go on; copy when it is time to."""
    global done
    time.sleep(random.uniform(0.0002, 0.002))
    with lock:
        volume[offset : offset + len(data)] = data
        done += 1
        if done == int(parameters["cut_after"]):
            copy("A", "cut")
            copy("B", "cut")
        if done == int(parameters["torn_after"]):
            copy("A", "torn")
        if done == int(parameters["torn_after"]) + TORN_GAP:
            copy("B", "torn")
    time.sleep(random.uniform(0.0002, 0.002))


def copy(volume: str, name: str) -> None:
    """Write the volume, as it is now, to its file."""
    Path(parameters["folder"], f"{volume}.{name}.img").write_bytes(volumes[volume])
