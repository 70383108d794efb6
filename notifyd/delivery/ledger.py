"""What became of one channel's deliveries, on its way into the store: many in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from notifyd.clock import Clock
from notifyd.outbox.protocols import Books
from notifyd.outbox.records import Outcome

MOST = 100
"""So many outcomes are written at once."""
GATHERING = 0.010
"""Seconds in which others may join a commit while messages are on their way."""

Notes = Callable[[], Mapping[str, str]]
Written = Callable[[Sequence[Outcome]], None]


def _nothing(outcomes: Sequence[Outcome]) -> None:
    """Nobody waits for them."""


class Ledger:
    """Gathers outcomes and writes them together; what could not be written stays in it."""

    def __init__(
        self, books: Books, clock: Clock, notes: Notes, written: Written = _nothing
    ) -> None:
        """`notes` is stored with every commit; `written` is told what a commit held."""
        self._books = books
        self._clock = clock
        self._notes = notes
        self._written = written
        self._outcomes: list[Outcome] = []
        self._writing = asyncio.Lock()
        self._full = asyncio.Event()
        self._gathering = False
        self._failed = False

    @property
    def is_stuck(self) -> bool:
        """Whether the last write has failed: what it was to write is still here."""
        return self._failed

    @property
    def holds_back(self) -> bool:
        """Whether there is something that is not written yet."""
        return bool(self._outcomes)

    def inherit(self, before: Ledger) -> None:
        """Have written first what one that has ended could not write."""
        self._outcomes[:0] = before._outcomes
        self._failed = self._failed or bool(before._outcomes)

    async def put(self, outcome: Outcome, busy: bool) -> None:
        """Write an outcome, with those of others while the channel is busy. Raises OutboxError.

        Whoever comes while another is gathering leaves it to them.
        """
        self._outcomes.append(outcome)
        if len(self._outcomes) >= MOST:
            self._full.set()
        if self._gathering:
            return
        if busy:
            await self._gather()
        await self.flush()

    def keep(self, outcome: Outcome) -> None:
        """Have an outcome written with the next ones."""
        self._outcomes.append(outcome)

    async def flush(self) -> None:
        """Write what there is. Raises OutboxError; then it is still there."""
        async with self._writing:
            while self._outcomes:
                await self._write(self._outcomes[:MOST])

    async def _gather(self) -> None:
        self._full.clear()
        self._gathering = True
        try:
            if len(self._outcomes) < MOST:
                await self._clock.wait(self._full, GATHERING)
        finally:
            self._gathering = False

    async def _write(self, outcomes: Sequence[Outcome]) -> None:
        try:
            await self._books.settle(outcomes, self._notes())
        except BaseException:
            self._failed = True
            raise
        self._failed = False
        del self._outcomes[: len(outcomes)]
        self._written(outcomes)
