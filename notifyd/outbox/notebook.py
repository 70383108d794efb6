"""What the daemon remembers besides what it owes. Blocks; see `store`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from notifyd.outbox.statements import Statements


@dataclass(frozen=True, slots=True)
class Notebook:
    """Texts under names, the messages that are kept up to date, and what is known of jobs."""

    sql: Statements

    def note(self, name: str) -> str | None:
        """Return what was written under a name."""
        row = self.sql.one("note", {"name": name})
        return None if row is None else str(row["value"])

    def write_note(self, name: str, value: str) -> None:
        """Remember a text over a restart."""
        self.sql.run("write_note", {"name": name, "value": value})

    def card(self, channel: str, lane: str) -> str | None:
        """Return the service's own id of the message that this story is kept in."""
        row = self.sql.one("card", {"channel": channel, "lane": lane})
        return None if row is None else str(row["ref"])

    def load_watch(self, watch: str) -> dict[str, str]:
        """Return what is known of a watch: texts by their names."""
        rows = self.sql.all("watched", {"watch": watch})
        return {str(row["name"]): str(row["value"]) for row in rows}

    def save_watch(self, watch: str, changes: Mapping[str, str | None]) -> None:
        """Store what has changed of a watch, all of it or nothing; None forgets a text."""
        rows = [{"watch": watch, "name": name, "value": text} for name, text in changes.items()]
        with self.sql.transaction():
            self.sql.run_many("remember", [row for row in rows if row["value"] is not None])
            self.sql.run_many("forget", [row for row in rows if row["value"] is None])
