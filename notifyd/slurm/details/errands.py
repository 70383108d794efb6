"""Work that may hang for days: a dead file server, a directory service that does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

MOST_HUNG = 2
"""Errands that may hang at a time. While so many do, no other is begun."""


class Errands:
    """Runs errands one at a time, in threads that nobody waits for in the end."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._hung: list[Future[object]] = []
        self.skipped = 0
        """Errands not even begun, because too many hung."""

    async def run(self, work: Callable[[], T], timeout: float) -> T:
        """Return what the work returns. Raises TimeoutError, OSError if others hang."""
        async with asyncio.timeout(timeout), self._turn:
            self._hung = [errand for errand in self._hung if not errand.done()]
            if len(self._hung) >= MOST_HUNG:
                self.skipped += 1
                raise OSError(f"{MOST_HUNG} others hang")
            result: Future[T] = Future()
            _start(work, result)
            try:
                return await asyncio.wrap_future(result)
            finally:
                if not result.done():
                    self._hung.append(result)  # type: ignore[arg-type]


def _start(work: Callable[[], T], result: Future[T]) -> None:
    """Work in a thread of its own. At its end, Python waits for the threads of an executor;
    for this one it does not.
    """
    result.set_running_or_notify_cancel()  # who waits may go away; the thread does not notice

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    Thread(target=run, name="errand", daemon=True).start()
