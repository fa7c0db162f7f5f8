"""Where a running party is asked how it is: a port of this machine only, named in a file of the party's folder.

The file holds the port and a secret that is made anew each time, and only its owner can read it; so no port has to be chosen,
and who may ask a party is who may read its folder. Question and answer are one JSON object on a line each:

    {"secret": "…", "ask": "status"}        {"party": "primary:0", "mode": "normal", …}

A file that a killed party has left behind leads nowhere, or to somebody who does not know the secret's answer; both mean
that the party does not answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from asyncio import Server, StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

FILE = "endpoint"
LOOPBACK = "127.0.0.1"
MOST_QUESTION_BYTES = 4096
MOST_ANSWER_BYTES = 16 << 20
SECONDS = 5.0
"""A question that has not come whole by then is not answered."""

Status = dict[str, Any]


class NoAnswerError(Exception):
    """The party cannot be asked now; the text says why, for a person."""


class Endpoint:
    """Answers questions about one party, for as long as it is open."""

    def __init__(self, folder: Path, answer: Callable[[str], Status]) -> None:
        """*answer*: to the word that is asked, an object for JSON. Raises `KeyError` for a word that it does not know."""
        self._path, self._answer = folder / FILE, answer
        self._secret = secrets.token_hex(16)
        self._server: Server | None = None

    async def open(self) -> None:
        """Begin to answer. Raises `OSError`."""
        self._server = await asyncio.start_server(self._talk, LOOPBACK, 0, limit=MOST_QUESTION_BYTES)
        port = self._server.sockets[0].getsockname()[1]
        part = self._path.with_name(f"{FILE}.part")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"port": port, "secret": self._secret}, file)
        part.replace(self._path)

    async def close(self) -> None:
        """Answer no more. Closing again does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            with suppress(OSError):
                self._path.unlink()

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                writer.write(self._reply(await reader.readline()))
                await writer.drain()
        except (OSError, ValueError, RecursionError):  # a TimeoutError is an OSError, too long a line a ValueError
            pass
        finally:
            writer.close()

    def _reply(self, line: bytes) -> bytes:
        """The answer to one line; nothing to whoever does not know the secret."""
        question = json.loads(line)
        if not isinstance(question, dict):
            return b""
        secret = str(question.get("secret")).encode(errors="replace")
        if not secrets.compare_digest(secret, self._secret.encode()):
            return b""
        try:
            answer = self._answer(str(question.get("ask")))
        except KeyError:
            return b""
        return json.dumps(answer).encode() + b"\n"


def ask(folder: Path, word: str, seconds: float = SECONDS) -> Status:
    """What the party of that folder answers. Raises `NoAnswerError`."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="ascii"))
        port, secret = int(found["port"]), str(found["secret"])
    except FileNotFoundError:
        raise NoAnswerError("it is not running") from None
    except OSError as error:
        raise NoAnswerError(f"{folder / FILE} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise NoAnswerError(f"{folder / FILE} is damaged; starting the party writes it anew") from None
    try:
        with socket.create_connection((LOOPBACK, port), timeout=seconds) as connection:
            connection.sendall(json.dumps({"secret": secret, "ask": word}).encode() + b"\n")
            with connection.makefile("rb") as file:
                answer = json.loads(file.readline(MOST_ANSWER_BYTES))
    except (OSError, OverflowError):
        raise NoAnswerError("it is not running: nobody answers at its port") from None
    except ValueError:
        raise NoAnswerError("it is not running: somebody else answers at its port") from None
    if not isinstance(answer, dict):
        raise NoAnswerError("it is not running: somebody else answers at its port")
    return answer
