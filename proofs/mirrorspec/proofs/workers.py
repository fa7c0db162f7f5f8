"""Work on several cores: one function over many things, the answers in their order.

Each worker is a fresh interpreter and not a fork: the caller may have threads, and a solver's state is not to be shared. What
crosses to it are the function, by its name, and small things that name the work. However the caller ends, its workers end too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


def spread(function: Callable[[Thing], Answer], things: Sequence[Thing], jobs: int) -> Generator[Answer, None, None]:
    """The answer for each of *things*, in order, by so many processes; with one, in this process."""
    if jobs == 1:
        yield from map(function, things)
        return
    context = multiprocessing.get_context("spawn")
    ended, open_while_wanted = context.Pipe(duplex=False)
    try:
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=_follow_the_parent, initargs=(ended,)) as pool:
            try:
                yield from pool.map(function, things)
            except BaseException:
                open_while_wanted.close()  # nobody waits for what the workers are still at
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    finally:
        open_while_wanted.close()
        ended.close()


def _follow_the_parent(ended: Connection) -> None:
    """Leave interrupts to the parent, and end with it however it ends: then the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(ended,), daemon=True).start()


def _end_with(ended: Connection) -> None:
    with suppress(EOFError, OSError):
        ended.recv_bytes()
    os._exit(1)
