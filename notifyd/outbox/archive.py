"""What became of it: the history, and the dead letters. Blocks; see `store`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from notifyd.model import DeliveryState
from notifyd.outbox.records import Backlog, Record
from notifyd.outbox.rows import named, record_of
from notifyd.outbox.statements import Statements, Values, many
from notifyd.outbox.writing import pulling_forward

_LISTED = 10


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
        return self._with_others(rows[0]) if is_found else None

    def dead_counts(self) -> Mapping[str, int]:
        """Return how many dead letters each channel has."""
        return {row["channel"]: row["number"] for row in self.sql.all("dead_counts", {})}

    def find_dead(self, id: str | None, channel: str | None) -> list[int]:
        """Return which dead letters there are, one or all (of a channel), in their order."""
        which = "find_dead" if id is None else "find_one_dead"
        row = self.sql.one(which, {"id": id, "channel": channel})
        return sorted(json.loads(row["letters"])) if row else []

    def revive(self, letters: Sequence[int], now: float, expires: float) -> int:
        """Owe these again as far as they are dead still; return how many."""
        with self.sql.transaction():
            rows = self.sql.all("dead_among", {"letters": many(letters)})
            until: Values = {"now": now, "expires": expires}
            with pulling_forward(self.sql):
                self.sql.run_many("revive", ({**dict(row), **until} for row in rows))
                # First, for who comes first in its lane has nothing to pull forward.
                self.sql.run("next_heads", {"ended": many(row["id"] for row in rows)})
            return len(rows)

    def forget_dead(self, letters: Sequence[int]) -> int:
        """Forget these as far as they are dead still; return how many."""
        with self.sql.transaction():
            return self.sql.run("forget_dead", {"letters": many(letters)})

    def purge(self, ended: float, limit: int) -> int:
        """Forget some of what ended before that time, but no dead letters; return how many."""
        with self.sql.transaction():
            self.sql.run("purge_cards", {"before": ended})
            return self.sql.run("purge", {"before": ended, "limit": limit})

    def purge_dead(self, died: float, limit: int) -> int:
        """Forget some of what died before that time; return how many."""
        with self.sql.transaction():
            return self.sql.run("purge_dead", {"before": died, "limit": limit})

    def _with_others(self, row: sqlite3.Row) -> Record:
        others = self.sql.all("first_told_with", {"id": row["id"], "limit": _LISTED})
        return replace(self._record(row), others=tuple(map(named, others)))

    def _record(self, row: sqlite3.Row) -> Record:
        attempts = self.sql.all("attempts_of", {"seq": row["seq"]})
        told = self.sql.one("told_with", {"id": row["id"]})
        return record_of(row, attempts, told["number"] if told else 0)
