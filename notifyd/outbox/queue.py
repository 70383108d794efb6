"""What is owed: taken in, handed out under a lease, and put forward. Blocks; see `store`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from pydantic import ValidationError

from notifyd.outbox.records import Claim, Lease, Owed
from notifyd.outbox.rows import claim_of
from notifyd.outbox.settling import Settling
from notifyd.outbox.statements import Statements, Values, many
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
        with self.sql.transaction():
            values = self._asked(channel, lease, limit)
            # Where all is put off, as for a digest, that is seen at once.
            is_any = self.sql.one("any_due", values) is not None
            return self._take(self.sql.all("ready", values) if is_any else [], lease)

    def expired(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        """Take in hand what has been tried to the end of its life, each lane's in order."""
        with self.sql.transaction():
            values = self._asked(channel, lease, limit)
            rows = self.sql.all("expired", values)
            for first in tuple(rows):
                rows += self._expired_behind(first, values, limit - len(rows))
            return self._take(rows, lease)

    def take_back(self, channel: str, owner: str, known: Sequence[str]) -> None:
        """Owe again what the owner has in hand, but for what it knows of."""
        values = {"channel": channel, "owner": owner, "known": many(known)}
        self.sql.run("take_back", values)

    def next_due(self, channel: str, owner: str, resting: Sequence[str] = ()) -> float | None:
        """Return when there may be something for the owner to claim; None when there is nothing."""
        values: Values = {"channel": channel, "owner": owner, "resting": _lines(resting)}
        row = self.sql.one("next_due", values)
        return None if row is None else row["due"]

    def hasten(self, channel: str, now: float) -> None:
        """Let everything that waits for its next try be tried now."""
        self.sql.run("hasten", {"channel": channel, "now": now})

    def suppress(self, channel: str, before: float, now: float, limit: int) -> int:
        """End some of what a channel has been owed since before that time; return how many."""
        values: Values = {"channel": channel, "before": before, "now": now, "limit": limit}
        with self.sql.transaction():
            self.sql.run("release_expired", {**values, "owner": None})
            ids = [row["id"] for row in self.sql.all("owed_for_long", values)]
            why = "its channel is not configured"
            self.sql.run("suppress", {"ended": many(ids), "now": now, "why": why})
            if self.sql.one("any_member", values):
                self.sql.run_many("let_members_go", ({"id": id} for id in ids))
            self.sql.run("next_heads", {"ended": many(ids)})
            return len(ids)

    def _asked(self, channel: str, lease: Lease, limit: int) -> Values:
        who = lease.owner
        values: Values = {
            "channel": channel,
            "now": lease.now,
            "owner": who,
            "limit": limit,
            "resting": _lines(lease.resting),
        }
        self.sql.run("release_expired", values)
        return values

    def _expired_behind(self, first: sqlite3.Row, values: Values, limit: int) -> list[sqlite3.Row]:
        """Return what may be given up with the first of its lane: all up to what may not."""
        if limit <= 0:
            return []
        place = {"lane": first["lane"], "seq": first["seq"], "limit": limit}
        rows = self.sql.all("behind", {**values, **place})
        return list(takewhile(lambda row: row["is_over"], rows))

    def _take(self, rows: Sequence[sqlite3.Row], lease: Lease) -> list[Claim]:
        if rows:
            taken = many(row["seq"] for row in rows)
            self.sql.run("lease", {"taken": taken, "owner": lease.owner, "until": lease.until})
        return [claim for row in rows if (claim := self._read(row, lease))]

    def _read(self, row: sqlite3.Row, lease: Lease) -> Claim | None:
        try:
            return claim_of(row, lease.until)
        except ValidationError:
            # Written by another version: one row must not stop its channel for ever.
            Settling(self.sql).bury(row, lease.now)
            return None


def _lines(targets: Sequence[str]) -> str:
    """Return targets as one text in which each can be looked for."""
    return "".join(f"\n{target}\n\t" for target in targets)
