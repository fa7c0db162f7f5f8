"""A host in one command, to try an installation with: bytes of a volume to standard output, or from standard input.

    python -m mirrorspec.impl.service.blocks CONFIG read VOLUME OFFSET LENGTH
    python -m mirrorspec.impl.service.blocks CONFIG write VOLUME OFFSET

A write that returns with exit code 0 is complete and durable at the primary. Programs use `link.client` instead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mirrorspec.impl.link.client import BlockClient, BlockError
from mirrorspec.impl.link.frame import MalformedFrameError
from mirrorspec.impl.link.stream import EndedError
from mirrorspec.impl.service.config import Installation, load
from mirrorspec.spec.errors import BadInputError

USAGE = "usage: python -m mirrorspec.impl.service.blocks CONFIG read VOLUME OFFSET LENGTH | CONFIG write VOLUME OFFSET"


def main(arguments: Sequence[str]) -> int:
    """Read or write as the arguments say; the exit code: 0, or 2 with one line on standard error."""
    try:
        match arguments:
            case config, "read", volume, offset, length:
                with client(load(Path(config)), volume) as host:
                    sys.stdout.buffer.write(host.read(volume, number(offset), number(length)))
            case config, "write", volume, offset:
                with client(load(Path(config)), volume) as host:
                    host.write(volume, number(offset), sys.stdin.buffer.read())
            case _:
                raise BadInputError(USAGE)
    except (BadInputError, BlockError, OSError, EndedError, MalformedFrameError) as error:
        print(f"blocks: {error}", file=sys.stderr)
        return 2
    return 0


def client(installation: Installation, volume: str) -> BlockClient:
    """A connection to the primary that has the volume. Raises `BadInputError`, and as `BlockClient` does."""
    for unit in installation.units:
        if volume in unit.volumes:
            return BlockClient(unit.primary.hosts, unit.name)
    raise BadInputError(
        f"there is no volume {volume}: there are {', '.join(v for u in installation.units for v in u.volumes)}"
    )


def number(text: str) -> int:
    """A number of bytes. Raises `BadInputError`."""
    if not (text.isascii() and text.isdigit()):
        raise BadInputError(f"{text!r} is not a number of bytes")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
