"""What is owed: taken in, handed out under a lease, and put forward. Blocks; see `store`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from notifyd.outbox.records import By as By
from notifyd.outbox.records import Claim, Owed
from notifyd.outbox.records import Lease as Lease
from notifyd.outbox.rows import claim_of
from notifyd.outbox.settling import Settling
from notifyd.outbox.statements import Statements, Values
from notifyd.outbox.writing import write


@dataclass(frozen=True, slots=True)
class Queue:
    """The rows that are owed. Each call is one transaction."""

    sql: Statements

    def add(self, owed: Sequence[Owed]) -> int:
        """Store what is owed, and return how much of it was new."""
        with self.sql.transaction():
            return write(self.sql, owed)

    def claim(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        """Take what may be tried now in hand: one of each lane, in the order of their turns."""
        return self._take("ready", channel, lease, limit)

    def expired(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        """Take in hand what has been tried to the end of its life, each lane's in order."""
        return self._take("expired", channel, lease, limit)

    def next_due(self, channel: str, owner: str) -> float | None:
        """Return when there may be something for the owner to claim; None when there is nothing."""
        row = self.sql.one("next_due", {"channel": channel, "owner": owner})
        return None if row is None else row["due"]

    def hasten(self, channel: str, now: float) -> None:
        """Let everything that waits for its next try be tried now."""
        self.sql.run("hasten", {"channel": channel, "now": now})

    def suppress_strangers(self, channels: Iterable[str], before: float, now: float) -> None:
        """End what has been owed since before that time to channels other than these."""
        with self.sql.transaction():
            owing = {row["channel"] for row in self.sql.all("owing", {})}
            for stranger in owing.difference(channels):
                self._suppress(stranger, before, now)

    def _suppress(self, channel: str, before: float, now: float) -> None:
        self.sql.run("release_expired", {"channel": channel, "now": now, "owner": None})
        rows = self.sql.all("owed_for_long", {"channel": channel, "before": before})
        why = "its channel is not configured"
        self.sql.run_many("suppress", ({"id": row["id"], "now": now, "why": why} for row in rows))
        self.sql.run_many("let_members_go", ({"id": row["id"]} for row in rows))
        self.sql.run_many("next_head", ({"channel": channel, "lane": row["lane"]} for row in rows))

    def _take(self, which: str, channel: str, lease: Lease, limit: int) -> list[Claim]:
        values: Values = {
            "channel": channel,
            "now": lease.now,
            "owner": lease.owner,
            "limit": limit,
        }
        with self.sql.transaction():
            self.sql.run("release_expired", values)
            rows = self.sql.all(which, values)
            self.sql.run_many("lease", (_lease(row, lease) for row in rows))
            return [claim for row in rows if (claim := self._read(row, lease))]

    def _read(self, row: sqlite3.Row, lease: Lease) -> Claim | None:
        try:
            return claim_of(row, lease.until)
        except ValidationError:
            # Written by another version: one row must not stop its channel for ever.
            Settling(self.sql).bury(row, lease.now)
            return None


def _lease(row: sqlite3.Row, lease: Lease) -> Values:
    return {"seq": row["seq"], "owner": lease.owner, "until": lease.until}
