"""One task at a time beside the caller's own work, where the interpreter's lock is let go: arrays and compiled code."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Background:
    """Runs a task in a second thread, or at once where there is none; leaving waits for it, whatever happened."""

    def __init__(self, threaded: bool) -> None:
        self._pool = ThreadPoolExecutor(1) if threaded else None
        self._task: Future[None] | None = None

    def __enter__(self) -> Self:
        """Begin without a task."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread once its task is done."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def start(self, function: Callable[..., None], *args: object) -> None:
        """Begin a task; the one before has to be waited for."""
        if self._pool is None:
            function(*args)
        else:
            self._task = self._pool.submit(function, *args)

    def wait(self) -> None:
        """Wait for the task, if there is one; raises what it raised."""
        if self._task is not None:
            task, self._task = self._task, None
            task.result()
