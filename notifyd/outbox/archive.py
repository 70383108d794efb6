"""What became of it: the history, and the dead letters. Blocks; see `store`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from notifyd.model import DeliveryState
from notifyd.outbox.records import Backlog, Record
from notifyd.outbox.rows import record_of
from notifyd.outbox.statements import Statements, many
from notifyd.outbox.writing import pulling_forward


@dataclass(frozen=True, slots=True)
class Archive:
    """Everything that was ever owed, until it is purged."""

    sql: Statements

    def backlog(self) -> Mapping[str, Backlog]:
        """Return what each channel still owes."""
        rows = self.sql.all("backlog", {})
        return {row["channel"]: Backlog(pending=row[1], oldest=row[2]) for row in rows}

    def history(
        self, limit: int, channel: str | None = None, state: DeliveryState | None = None
    ) -> list[Record]:
        """Return the last deliveries with their attempts, newest first."""
        values = {"limit": limit, "channel": channel, "state": state}
        which = "history" if channel is None else "history_of_channel"
        if state is DeliveryState.DEAD:
            which = "dead_letters"
        return [self._record(row) for row in self.sql.all(which, values)]

    def record(self, id: str) -> Record | None:
        """Return the delivery with that id, or with the only one that begins so."""
        rows = self.sql.all("delivery", {"id": id}) if id else []
        is_found = len(rows) == 1 or (rows and rows[0]["id"] == id)
        return self._record(rows[0]) if is_found else None

    def dead_counts(self) -> Mapping[str, int]:
        """Return how many dead letters each channel has."""
        return {row["channel"]: row["number"] for row in self.sql.all("dead_counts", {})}

    def revive(self, id: str | None, channel: str | None, now: float, expires: float) -> int:
        """Owe dead letters again, one or all (of a channel); return how many."""
        with self.sql.transaction():
            rows = self._find_dead(id, channel)
            with pulling_forward(self.sql):
                for row in rows:
                    self.sql.run("revive", {**dict(row), "now": now, "expires": expires})
            self.sql.run("next_heads", {"ended": many(row["id"] for row in rows)})
            return len(rows)

    def forget_dead(self, id: str | None, channel: str | None) -> int:
        """Forget dead letters, one or all (of a channel); return how many."""
        with self.sql.transaction():
            rows = self._find_dead(id, channel)
            return self.sql.run_many("forget_dead", map(dict, rows))

    def purge(self, ended: float, died: float, limit: int) -> int:
        """Forget some of what ended before the one time, and died before the other; how many."""
        with self.sql.transaction():
            self.sql.run("purge_cards", {"before": ended})
            forgotten = self.sql.run("purge", {"before": ended, "limit": limit})
            return forgotten + self.sql.run("purge_dead", {"before": died, "limit": limit})

    def _find_dead(self, id: str | None, channel: str | None) -> list[sqlite3.Row]:
        which = "find_dead" if id is None else "find_one_dead"
        return self.sql.all(which, {"id": id, "channel": channel})

    def _record(self, row: sqlite3.Row) -> Record:
        attempts = self.sql.all("attempts_of", {"seq": row["seq"]})
        told = self.sql.one("told_with", {"id": row["id"]})
        return record_of(row, attempts, told["number"] if told else 0)
