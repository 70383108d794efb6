"""Saves what can still be read of a damaged store."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from notifyd.outbox.statements import text_of

_KEYS = {
    "deliveries": "seq",
    "attempts": "delivery, number",
    "cards": "channel, lane",
    "notes": "name",
    "watched": "watch, name",
}
"""Each table's key, by which it is read from both ends: what lies between is lost."""
_ONCE = {"lane": "grp", "head": "0", "turn": "created", "expires": "created + 86400"}
"""Where earlier versions had what they had no column for."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The file was damaged, and is kept under another name; so many of its rows were saved."""

    kept: Path
    rows: int


def rescue(path: Path, create: Callable[[Path], sqlite3.Connection]) -> Recovered:
    """Put a new file with what can be read in the damaged one's place. Raises OSError too."""
    draft, kept = path.with_name(f"{path.name}.new"), _free_name(path)
    draft.unlink(missing_ok=True)
    with contextlib.closing(create(draft)) as fresh:
        rows = _salvage(path, fresh)
    # The damaged file keeps its own name until the new one takes it: no moment is without one.
    kept.hardlink_to(path)
    with contextlib.suppress(FileNotFoundError):
        path.with_name(f"{path.name}-wal").rename(kept.with_name(f"{kept.name}-wal"))
    draft.replace(path)
    return Recovered(kept=kept, rows=rows)


def _salvage(damaged: Path, fresh: sqlite3.Connection) -> int:
    """Copy every row that can be reached into the new file; return how many deliveries."""
    fresh.execute("BEGIN")
    with contextlib.closing(sqlite3.connect(damaged, isolation_level=None, timeout=0)) as source:
        source.text_factory = lambda raw: raw.decode("utf-8", "replace")
        source.execute("PRAGMA writable_schema = ON")  # else a file that was cut short is not read
        for table, key in _KEYS.items():
            _copy(table, key, source, fresh)
    fresh.execute("COMMIT")
    fresh.executescript(text_of("mend.sql"))
    (rows,) = fresh.execute("SELECT count(*) FROM deliveries").fetchone()
    return int(rows)


def _copy(table: str, key: str, source: sqlite3.Connection, fresh: sqlite3.Connection) -> None:
    found = _columns(source, table)
    there = {**_ONCE, **{name: name for name in found}}
    columns = {name: there[name] for name in _columns(fresh, table) if name in there}
    if not found:
        return
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"
    backwards = ", ".join(f"{part} DESC" for part in key.split(", "))
    for order in (key, backwards):
        query = f"SELECT {', '.join(columns.values())} FROM {table} ORDER BY {order}"
        for row in _until_damage(source, query):
            with contextlib.suppress(sqlite3.IntegrityError):  # a row that is no row any more
                fresh.execute(insert, row)


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    try:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    except sqlite3.Error:
        return []


def _until_damage(source: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...]]:
    with contextlib.suppress(sqlite3.Error):
        yield from source.execute(query)


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.damaged-{number}") for number in range(1, 1000))
    return next(name for name in names if not name.exists())
