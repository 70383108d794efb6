"""The outbox: every delivery is written here before it is tried, and until it has its end.

SQLite does its work in one thread of its own, so that a slow disk never stops the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from notifyd.clock import Clock, SystemClock
from notifyd.model import DeliveryState
from notifyd.outbox.archive import Archive
from notifyd.outbox.database import mend_database, open_database
from notifyd.outbox.errors import OutboxBusy, OutboxError, cannot_write, is_damage
from notifyd.outbox.folding import Folding
from notifyd.outbox.notebook import Notebook
from notifyd.outbox.ownership import Deed, Ownership
from notifyd.outbox.queue import Queue
from notifyd.outbox.records import Backlog, By, Claim, Folded, Lease, Outcome, Owed, Record
from notifyd.outbox.salvage import Recovered
from notifyd.outbox.settling import Settling
from notifyd.outbox.statements import Statements

T = TypeVar("T")
_AT_ONCE = 1000
"""So many rows are forgotten, suppressed or owed again in one transaction."""

_MENDING = 60.0
"""Seconds between two rescues: each reads and writes all of the file."""


class Outbox:
    """The store of one daemon. `open` it first, `close` it last.

    Every call raises OutboxError when the file cannot be read or written; then nothing of
    the call has happened, or of what can be many rows only the first of them.
    """

    def __init__(
        self, path: Path, executor: Executor | None = None, clock: Clock | None = None
    ) -> None:
        """`executor` has one thread, and is the store's own."""
        self.path = path
        self._thread = executor or ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._sql: Statements | None = None
        self._clock = clock or SystemClock()
        self._is_damaged = False
        self._mended = float("-inf")
        self.held: Ownership | None = None
        """Until when the state folder is this daemon's; None where nobody else is minded."""
        self._cannot_write = False
        self.trouble: str | None = None
        """Why it failed: until a call succeeds; if it could not be written, until one has."""

    async def open(self, thorough: bool = False) -> Recovered | None:
        """Return what had to be mended, if anything had; `thorough` reads all of it to know.

        Raises OutboxError when the file cannot be used, OutboxBusy when another daemon does.
        """
        connection, recovered = await self._in_thread(lambda: open_database(self.path, thorough))
        self._sql = Statements(connection)
        return recovered

    async def close(self) -> None:
        """Let go of the file. Everything that was begun is stored, awaited or not."""
        if self._sql is not None:
            # Closing writes, too: what another host has by now is left as it is.
            with contextlib.suppress(OutboxBusy):
                await self._in_thread(self._let_go)
        self._thread.shutdown()

    def _let_go(self) -> None:
        # In the thread, behind the last write: whoever waited for that may be cancelled.
        sql, self._sql = self._sql, None
        if sql is not None:
            sql.close()

    async def add(self, owed: Sequence[Owed]) -> int:
        """Store what is owed, in one transaction, and return how much of it was new."""
        return await self._queue(lambda queue: queue.add(owed)) if owed else 0

    async def claim(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        """Take what may be tried now in hand: one of each lane, in the order of their turns."""
        return await self._queue(lambda queue: queue.claim(channel, lease, limit))

    async def expired(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        """Take in hand what has been tried to the end of its life."""
        return await self._queue(lambda queue: queue.expired(channel, lease, limit))

    async def take_back(self, channel: str, owner: str, known: Sequence[str]) -> None:
        """Owe again what the owner has in hand, but for what it knows of (ids)."""
        await self._queue(lambda queue: queue.take_back(channel, owner, known))

    async def fold(self, leader: Claim, by: By, lease: Lease, limit: int) -> Folded:
        """Take in hand what can be told in the leader's message too; list the first of it."""
        return await self._run(lambda sql: Folding(sql).fold(leader, by, lease, limit))

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        """Write down what became of claims; return how many of them were still theirs."""
        return await self._run(lambda sql: Settling(sql).settle(outcomes, notes or {}))

    async def next_due(
        self, channel: str, owner: str = "", resting: Sequence[str] = ()
    ) -> float | None:
        """Return when (Unix seconds) there may be something for the owner to claim, if ever."""
        return await self._queue(lambda queue: queue.next_due(channel, owner, resting))

    async def hasten(self, channel: str, now: float) -> None:
        """Let everything that waits for its next try be tried now."""
        await self._queue(lambda queue: queue.hasten(channel, now))

    async def suppress_strangers(self, strangers: Iterable[str], before: float, now: float) -> None:
        """End what these channels, which nobody has configured, are owed since before that time."""
        for name in strangers:
            await self._bit_by_bit(partial(_suppressed, name, before, now))

    async def backlog(self) -> Mapping[str, Backlog]:
        """Return what each channel still owes."""
        return await self._archive(lambda archive: archive.backlog())

    async def history(
        self, limit: int, channel: str | None = None, state: DeliveryState | None = None
    ) -> list[Record]:
        """Return the last deliveries with their attempts, newest first."""
        return await self._archive(lambda archive: archive.history(limit, channel, state))

    async def record(self, id: str) -> Record | None:
        """Return the delivery with that id, or with the only one that begins so."""
        return await self._archive(lambda archive: archive.record(id))

    async def dead_counts(self) -> Mapping[str, int]:
        """Return how many dead letters each channel has."""
        return await self._archive(lambda archive: archive.dead_counts())

    async def revive(self, id: str | None, channel: str | None, now: float, expires: float) -> int:
        """Owe dead letters again, one or all (of a channel); return how many."""
        return await self._with_dead(id, channel, lambda old, some: old.revive(some, now, expires))

    async def forget_dead(self, id: str | None, channel: str | None) -> int:
        """Forget dead letters, one or all (of a channel); return how many."""
        return await self._with_dead(id, channel, Archive.forget_dead)

    async def purge(self, ended: float, died: float) -> int:
        """Forget what ended before the one time, and died before the other (Unix seconds).

        Returns how many dead letters were among it.
        """
        await self._bit_by_bit(lambda sql: Archive(sql).purge(ended, _AT_ONCE))
        return await self._bit_by_bit(lambda sql: Archive(sql).purge_dead(died, _AT_ONCE))

    async def _with_dead(
        self, id: str | None, channel: str | None, work: Callable[[Archive, list[int]], int]
    ) -> int:
        """Do it with what is dead now, so many in a transaction and in their order; sum it up."""
        dead = await self._archive(lambda archive: archive.find_dead(id, channel))
        done = 0
        for first in range(0, len(dead), _AT_ONCE):
            done += await self._archive(partial(_done_with, dead[first : first + _AT_ONCE], work))
        return done

    async def _bit_by_bit(self, work: Callable[[Statements], int]) -> int:
        """Do it until it finds nothing more, for others wait for the thread; sum it up."""
        done = 0
        while number := await self._run(work):
            done += number
        return done

    async def note(self, name: str) -> str | None:
        """Return what was written under a name."""
        return await self._notebook(lambda notebook: notebook.note(name))

    async def write_note(self, name: str, value: str) -> None:
        """Remember a text over a restart."""
        await self._notebook(lambda notebook: notebook.write_note(name, value))

    async def card(self, channel: str, lane: str) -> str | None:
        """Return the service's own id of the message that this story is kept in."""
        return await self._notebook(lambda notebook: notebook.card(channel, lane))

    async def load_watch(self, watch: str) -> dict[str, str]:
        """Return what is known of a watch: texts by their names."""
        return await self._notebook(lambda notebook: notebook.load_watch(watch))

    async def save_watch(self, watch: str, changes: Mapping[str, str | None]) -> None:
        """Store what has changed of a watch, all of it or nothing; None forgets a text."""
        await self._notebook(lambda notebook: notebook.save_watch(watch, changes))

    async def _queue(self, work: Callable[[Queue], T]) -> T:
        return await self._run(lambda sql: work(Queue(sql)))

    async def _archive(self, work: Callable[[Archive], T]) -> T:
        return await self._run(lambda sql: work(Archive(sql)))

    async def _notebook(self, work: Callable[[Notebook], T]) -> T:
        return await self._run(lambda sql: work(Notebook(sql)))

    async def _run(self, work: Callable[[Statements], T]) -> T:
        return await self._in_thread(lambda: work(self._statements()))

    def _statements(self) -> Statements:
        self._mend_if_damaged()
        if self._sql is None:
            raise OutboxError(f"{self.path} is closed")
        return self._sql

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            before = self._sql.changes if self._sql else 0
            try:
                self._mind_others()
                result = work()
            except sqlite3.Error as error:
                self.trouble, self._cannot_write = str(error), cannot_write(error)
                self._is_damaged |= is_damage(error)
                raise OutboxError(f"{self.path}: {error}") from error
            except OutboxError as error:
                self.trouble, self._cannot_write = str(error), False
                raise
            except (OSError, OverflowError, UnicodeError) as error:
                raise OutboxError(f"{self.path}: {error}") from error
            # A full disk can still be read: that it is full is over when something was stored.
            if not self._cannot_write or (self._sql and self._sql.changes > before):
                self.trouble, self._cannot_write = None, False
            return result

        # Shielded: a write that has begun is finished, whatever is being cancelled.
        return await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(self._thread, guarded)
        )

    def _mind_others(self) -> None:
        """Raise OutboxBusy when another host may have the file by now."""
        # It names itself some time before it opens the file: until then the old name is there.
        folder, held = self.path.parent, self.held
        if held is not None and Deed(folder).may_be_lost(held, self._clock.now()):
            raise OutboxBusy(f"{folder} is not this daemon's any more; another host may use it")

    def _mend_if_damaged(self) -> None:
        """Go on with what can be saved of a file that turned out to be damaged."""
        if not self._is_damaged:
            return
        now = self._clock.monotonic()
        if now < self._mended + _MENDING:
            raise OutboxError(self.trouble)
        self._mended = now
        self._let_go()
        connection, recovered = mend_database(self.path, goes_on=True)
        self._sql = Statements(connection)
        self._is_damaged, self.trouble = False, None
        log = structlog.get_logger("outbox")
        log.error(
            "store_was_damaged",
            action="started_anew",
            saved=recovered.rows,
            missing=recovered.missing,
            kept=str(recovered.kept),
        )


def _done_with(some: list[int], work: Callable[[Archive, list[int]], int], on: Archive) -> int:
    return work(on, some)


def _suppressed(channel: str, before: float, now: float, sql: Statements) -> int:
    return Queue(sql).suppress(channel, before, now, _AT_ONCE)
