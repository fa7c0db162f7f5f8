"""Make the recording in this folder: two volumes, many writes outstanding, one copy that is a cut and one that is torn.

    python3 model_tests/mirrorspec/model_tests/corpus/cuts/record.py FOLDER

needs nbdkit with its Python plugin and libnbd's Python module (Debian: nbdkit, nbdkit-plugin-python, python3-libnbd) and
writes to FOLDER:

| file | is |
|---|---|
| `nbdkit.log.gz` | what nbdkit's log filter saw, in front of everything |
| `client.jsonl.gz` | the same run as the client saw it: the times before it sent and after it had the reply |
| `A.cut.img.gz`, `B.cut.img.gz` | both volumes at one moment, while writes went on (`replica_plugin.py`) |
| `A.torn.img.gz`, `B.torn.img.gz` | A at one moment, B some hundred writes later |

Every written block of 512 bytes is stamped (`mirrorspec.oracle.cut.stamp` says how, and what the writer must keep to:
here `busy` keeps two requests off one block). The server is killed at the end with requests outstanding, so some are
never acknowledged. Both volumes are zeros at the beginning.
"""

import gzip
import hashlib
import json
import random
import select
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import nbd  # pyright: ignore[reportMissingImports]  # from the distribution's packages, not from pip

HERE = Path(__file__).resolve().parent
BLOCK_BYTES, BLOCKS = 512, 512
REQUESTS, CUT_AFTER, TORN_AFTER = 12_000, 5_000, 8_000
OUTSTANDING = 16
"""Requests under way on each volume."""


def stamp(volume: str, block: int, number: int) -> bytes:
    """The content of a write, from the table in `mirrorspec.oracle.cut.stamp`: written anew, as any recorder would."""
    body = struct.pack("<IQQ", zlib.crc32(volume.encode()), block, number)
    return (b"mrspstmp" + struct.pack("<I", zlib.crc32(body)) + body) * (BLOCK_BYTES // 32)


class Volume:
    """One connection, what is under way on it, and how often each block was stamped."""

    def __init__(self, name: str, uri: str, history: list[dict[str, object]]) -> None:
        self.name, self.history = name, history
        self.connection = nbd.NBD()
        self.connection.connect_uri(uri)
        self.busy: set[int] = set()
        self.stamps: Counter[int] = Counter()
        self.outstanding = 0

    def send(self) -> None:
        """Send one request for one to four blocks of which none is under way: mostly a write."""
        count = random.choice((1, 1, 1, 1, 2, 3, 4))
        first = random.randrange(BLOCKS - count + 1)
        blocks = range(first, first + count)
        if self.busy.intersection(blocks):
            return
        self.busy.update(blocks)
        self.outstanding += 1
        kind = random.choices(("write", "zero", "discard"), (96, 2, 2))[0]
        entry: dict[str, object] = {"volume": self.name, "block": first}
        self.history.append(entry)

        def finished(error: object) -> int:
            entry["acknowledgement"] = time.time_ns()
            self.busy.difference_update(blocks)
            self.outstanding -= 1
            return 1

        offset, length = first * BLOCK_BYTES, count * BLOCK_BYTES
        if kind == "write":
            self.stamps.update(blocks)
            units = [stamp(self.name, block, self.stamps[block]) for block in blocks]
            digests = [hashlib.sha256(unit).hexdigest()[:16] for unit in units]
            entry["content"] = digests[0] if count == 1 else digests
            data = nbd.Buffer.from_bytearray(bytearray(b"".join(units)))
            entry["issue"] = time.time_ns()
            self.connection.aio_pwrite(data, offset, finished)
        else:
            entry["blocks"], entry["content"] = count, kind
            entry["issue"] = time.time_ns()
            (self.connection.aio_zero if kind == "zero" else self.connection.aio_trim)(length, offset, finished)


def run(folder: Path, scratch: Path) -> list[dict[str, object]]:
    """Serve both volumes, write to them, and kill the server in the middle of it."""
    socket, log = scratch / "socket", scratch / "nbdkit.log"
    command = [
        "nbdkit", "-f", "-U", str(socket), "--filter=log", "python", str(HERE / "replica_plugin.py"), f"logfile={log}",
        f"folder={scratch}", f"cut_after={CUT_AFTER}", f"torn_after={TORN_AFTER}",
    ]  # fmt: skip
    server = subprocess.Popen(command)
    try:
        while not socket.exists():
            time.sleep(0.01)
        history: list[dict[str, object]] = []
        volumes = [Volume(name, f"nbd+unix:///{name}?socket={socket}", history) for name in "AB"]
        while len(history) < REQUESTS:
            waiting = select.poll()
            for volume in volumes:
                for _ in range(OUTSTANDING - volume.outstanding):
                    volume.send()
                direction = volume.connection.aio_get_direction()
                events = (select.POLLIN if direction & nbd.AIO_DIRECTION_READ else 0) | (
                    select.POLLOUT if direction & nbd.AIO_DIRECTION_WRITE else 0
                )
                waiting.register(volume.connection.aio_get_fd(), events)
            ready = dict(waiting.poll(1000))
            for volume in volumes:
                event = ready.get(volume.connection.aio_get_fd(), 0)
                if event & select.POLLIN:
                    volume.connection.aio_notify_read()
                elif event & select.POLLOUT:
                    volume.connection.aio_notify_write()
    finally:
        server.kill()
        server.wait()
    return history


def seconds(nanoseconds: object) -> str:
    """A time in seconds, all nine places of it: a float would lose the last ones."""
    return "null" if nanoseconds is None else f"{int(str(nanoseconds)) // 10**9}.{int(str(nanoseconds)) % 10**9:09d}"


def json_line(entry: dict[str, object]) -> str:
    """One request as `mirrorspec.oracle.cut.jsonl` reads it."""
    times = f'"issue": {seconds(entry["issue"])}, "acknowledgement": {seconds(entry.get("acknowledgement"))}'
    rest = {key: value for key, value in entry.items() if key not in ("issue", "acknowledgement")}
    return f"{json.dumps(rest)[:-1]}, {times}}}\n"


def main() -> None:
    """Record once, and pack what came of it."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        history = run(folder, scratch)
        lines = [f'{{"history": 1, "block_bytes": {BLOCK_BYTES}}}\n', *map(json_line, history)]
        (scratch / "client.jsonl").write_text("".join(lines))
        for file in sorted(scratch.iterdir()):
            if file.is_file():
                (folder / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))


if __name__ == "__main__":
    main()
