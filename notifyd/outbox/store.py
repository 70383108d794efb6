"""The outbox: every delivery is written here before it is tried, and until it has its end.

SQLite does its work in one thread of its own, so that a slow disk never stops the loop.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.database import OutboxError, load_queries, open_database
from notifyd.outbox.records import CONTENT, Attempt, Backlog, Content, Record

T = TypeVar("T")
Values = Mapping[str, str | int | float | None]


class Outbox:
    """The store of one daemon. `open` it first, `close` it last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._queries = load_queries()
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Raises OutboxError when the file cannot be used, OutboxBusy when another daemon does."""
        self._connection = await self._in_thread(lambda: open_database(self._path))

    async def close(self) -> None:
        """Let go of the file. Everything that was begun is stored, awaited or not."""
        if self._connection is not None:
            await self._in_thread(self._let_go)
        self._thread.shutdown()

    def _let_go(self) -> None:
        # In the thread, behind the last write: whoever waited for that may be cancelled.
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def add(self, deliveries: Sequence[Delivery]) -> int:
        """Store what is owed, in one transaction, and return how much of it was new."""
        rows = [_row(delivery) for delivery in deliveries]

        def work() -> int:
            with self._transaction():
                return self._execute_many("add", rows)

        return await self._in_thread(work) if rows else 0

    async def next(self, channel: str, now: float) -> Delivery | None:
        """Return the oldest delivery that may be tried, keeping each group in order."""
        while row := await self._one("next", {"channel": channel, "now": now}):
            try:
                return _delivery(row)
            except ValidationError:
                # Written by another version: one row must not stop its channel for ever.
                await self._end(row["id"], DeliveryState.DEAD, now, "this version cannot read it")
        return None

    async def next_due(self, channel: str) -> float | None:
        """Return when (Unix seconds) the next delivery may be tried; None when none is owed."""
        row = await self._one("next_due", {"channel": channel})
        return None if row is None else row[0]

    async def postpone(self, id: str, attempt: Attempt, due: float, counted: bool) -> None:
        """Note a try that did not succeed, and when the next may be."""
        values: Values = {"id": id, "due": due, "counted": counted, "detail": attempt.detail}
        await self._note_attempt(id, "postpone", values, attempt)

    async def finish(self, id: str, state: DeliveryState, attempt: Attempt) -> None:
        """Note the try with which a delivery ended."""
        now = attempt.at + attempt.seconds
        detail = None if state is DeliveryState.DELIVERED else attempt.detail
        values: Values = {"id": id, "state": state, "now": now, "counted": 1, "detail": detail}
        await self._note_attempt(id, "finish", values, attempt)

    async def suppress(self, id: str, now: float, why: str) -> None:
        """End a delivery without a try, and say what suppressed it."""
        await self._end(id, DeliveryState.SUPPRESSED, now, why)

    async def suppress_orphans(self, channels: Iterable[str], before: float, now: float) -> None:
        """End what is owed since before that time to channels other than these."""
        names = json.dumps(list(channels))
        why = "its channel is not configured"
        await self._write(
            "suppress_orphans", {"channels": names, "before": before, "now": now, "why": why}
        )

    async def _end(self, id: str, state: DeliveryState, now: float, why: str) -> None:
        values: Values = {"id": id, "state": state, "now": now, "counted": 0, "detail": why}
        await self._write("finish", values)

    async def backlog(self) -> dict[str, Backlog]:
        """Return what each channel still owes."""
        rows = await self._all("backlog", {})
        return {row["channel"]: Backlog(pending=row[1], oldest=row[2]) for row in rows}

    async def history(self, limit: int, channel: str | None = None) -> list[Record]:
        """Return the last deliveries with their attempts, newest first."""

        def work() -> list[Record]:
            rows = self._execute("history", {"limit": limit, "channel": channel}).fetchall()
            return [_record(row, self._execute("attempts_of", {"id": row["id"]})) for row in rows]

        return await self._in_thread(work)

    async def purge(self, before: float) -> None:
        """Forget deliveries that ended before that time (Unix seconds)."""
        await self._write("purge", {"before": before})

    async def note(self, name: str) -> str | None:
        """Return what was written under a name."""
        row = await self._one("note", {"name": name})
        return None if row is None else str(row["value"])

    async def write_note(self, name: str, value: str) -> None:
        """Remember a text over a restart."""
        await self._write("write_note", {"name": name, "value": value})

    async def load_watch(self, watch: str) -> dict[str, str]:
        """Return what is known of a watch: texts by their names."""
        rows = await self._all("watched", {"watch": watch})
        return {str(row["name"]): str(row["value"]) for row in rows}

    async def save_watch(self, watch: str, changes: Mapping[str, str | None]) -> None:
        """Store what has changed of a watch, all of it or nothing; None forgets a text."""

        rows = [{"watch": watch, "name": name, "value": text} for name, text in changes.items()]

        def work() -> None:
            with self._transaction():
                self._execute_many("remember", [row for row in rows if row["value"] is not None])
                self._execute_many("forget", [row for row in rows if row["value"] is None])

        await self._in_thread(work)

    async def _note_attempt(self, id: str, name: str, values: Values, attempt: Attempt) -> None:
        tried: Values = {
            "id": id,
            "at": attempt.at,
            "seconds": attempt.seconds,
            "outcome": attempt.outcome,
            "detail": attempt.detail,
        }

        def work() -> None:
            with self._transaction() as sql:
                if sql(name, values).rowcount:
                    sql("add_attempt", tried)

        await self._in_thread(work)

    async def _write(self, name: str, values: Values) -> None:
        def work() -> None:
            with self._transaction() as sql:
                sql(name, values)

        await self._in_thread(work)

    async def _one(self, name: str, values: Values) -> sqlite3.Row | None:
        rows = await self._all(name, values)
        return rows[0] if rows else None

    async def _all(self, name: str, values: Values) -> list[sqlite3.Row]:
        return await self._in_thread(lambda: self._execute(name, values).fetchall())

    def _execute(self, name: str, values: Values) -> sqlite3.Cursor:
        if self._connection is None:
            raise OutboxError(f"{self._path} is closed")
        return self._connection.execute(self._queries[name], values)

    def _execute_many(self, name: str, rows: Sequence[Values]) -> int:
        if self._connection is None:
            raise OutboxError(f"{self._path} is closed")
        return self._connection.executemany(self._queries[name], rows).rowcount if rows else 0

    @contextmanager
    def _transaction(self) -> Iterator[Callable[[str, Values], sqlite3.Cursor]]:
        if self._connection is None:
            raise OutboxError(f"{self._path} is closed")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._execute
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have ended it already
                self._connection.execute("ROLLBACK")
            raise

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                return work()
            except sqlite3.Error as error:
                raise OutboxError(f"{self._path}: {error}") from error

        # Shielded: a write that has begun is finished, whatever is being cancelled.
        return await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(self._thread, guarded)
        )


def _row(delivery: Delivery) -> Values:
    content = Content(event=delivery.event, message=delivery.message)
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "grp": delivery.event.group,
        "event_type": delivery.event.type,
        "subject": delivery.event.subject,
        "content": CONTENT.dump_json(content).decode(),
        "created": delivery.created,
    }


def _delivery(row: sqlite3.Row) -> Delivery:
    content = CONTENT.validate_json(row["content"])
    return Delivery(
        id=row["id"],
        channel=row["channel"],
        event=content.event,
        message=content.message,
        attempts=row["attempts"],
        created=row["created"],
    )


def _title(row: sqlite3.Row) -> str:
    try:
        return CONTENT.validate_json(row["content"]).message.title
    except ValidationError:
        return str(row["event_type"])


def _record(row: sqlite3.Row, attempts: sqlite3.Cursor) -> Record:
    return Record(
        id=row["id"],
        channel=row["channel"],
        event_type=row["event_type"],
        subject=row["subject"],
        title=_title(row),
        state=DeliveryState(row["state"]),
        created=row["created"],
        due=row["due"],
        finished=row["finished"],
        detail=row["detail"],
        attempts=tuple(Attempt(**dict(attempt)) for attempt in attempts),
    )
