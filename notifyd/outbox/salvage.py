"""Saves what can still be read of a damaged store."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from notifyd.outbox.errors import is_damage
from notifyd.outbox.statements import text_of
from notifyd.outbox.walking import Key, Table, beyond, further

_KEYS = {
    "deliveries": ("seq",),
    "attempts": ("delivery",),
    "cards": ("channel", "lane"),
    "notes": ("rowid",),
    "watched": ("watch", "name"),
}
"""By which each table is read, from both ends; deliveries first, for others belong to them."""
_PARTS = "SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'index'"
"""What a file is made of: tables, and then their indexes."""
_NEWEST = 4
"""So many damaged files are kept besides the first."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The file was damaged, and is kept under another name; so many of its rows were saved."""

    kept: Path
    rows: int
    missing: int | None = None
    """How many rows were not, as far as an index tells; None when none could be read."""


def rescue(path: Path, make: Callable[[Path], sqlite3.Connection], version: int) -> Recovered:
    """Put a new file with what can be read in the damaged one's place.

    `make` opens a store of that version, or brings an earlier one up to date. Raises
    sqlite3.Error and OSError; then the damaged file is where it was.
    """
    with _held(path) as source, _draft_of(path) as draft:
        _lay_out(source, draft, make, version)
        _fill(source, draft)
        with contextlib.closing(make(draft)) as fresh:
            fresh.executescript(text_of("mend.sql"))
            (rows,) = fresh.execute("SELECT count(*) FROM deliveries").fetchone()
        known = _known(source)
        kept = _put_aside(path)
        # The damaged file keeps its own name until the new one takes it: no moment is without.
        draft.replace(path)
    _forget_some(path)
    return Recovered(kept, rows, None if known is None else max(known - rows, 0))


def journal_of(path: Path) -> Path:
    """Return where SQLite keeps what is not yet in the file itself."""
    return path.with_name(f"{path.name}-wal")


@contextlib.contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """Leave nothing of the new file but what has taken its place."""
    draft = path.with_name(f"{path.name}.new")
    try:
        _remove(draft)
        yield draft
    finally:
        _remove(draft)


def _remove(file: Path) -> None:
    for one in (file, journal_of(file)):
        one.unlink(missing_ok=True)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[sqlite3.Connection]:
    """Keep others from the damaged file, and bring into it what is beside it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as source:
        source.text_factory = lambda raw: raw.decode("utf-8", "replace")
        # Before all else: nothing is read where shared memory cannot be had, as on NFS and Lustre.
        source.execute("PRAGMA locking_mode = EXCLUSIVE")
        source.execute("PRAGMA writable_schema = ON")  # else a file that was cut short is not read
        with _in_spite_of_damage():
            source.execute("BEGIN EXCLUSIVE")
            source.execute("COMMIT")
            # Two files cannot change places at once; and the old one's WAL would ruin the new one.
            source.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        yield source


def _lay_out(
    source: sqlite3.Connection,
    draft: Path,
    make: Callable[[Path], sqlite3.Connection],
    version: int,
) -> None:
    """Make a file like the damaged one: an earlier version is brought up to date when saved."""
    found, schema = 0, list[str]()
    with _in_spite_of_damage():
        (found,) = source.execute("PRAGMA user_version").fetchone()
        parts = source.execute(_PARTS).fetchall()
        schema = [sql for table, sql in parts if table in _KEYS]
    if found <= 0 or found == version:
        make(draft).close()
        return
    with contextlib.closing(sqlite3.connect(draft)) as fresh:
        fresh.executescript(";".join([*schema, f"PRAGMA user_version = {found}"]))


def _fill(source: sqlite3.Connection, draft: Path) -> None:
    """Copy every row that can be reached into the new file."""
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as fresh:
        fresh.execute("PRAGMA locking_mode = EXCLUSIVE")
        fresh.execute("PRAGMA foreign_keys = ON")
        fresh.execute("PRAGMA cache_size = -65536")  # else it is the indexes that take the time
        fresh.execute("BEGIN")
        for name, key in _KEYS.items():
            types = _columns(source, name)
            columns = tuple(column for column in _columns(fresh, name) if column in types)
            is_text = types.get(key[0]) == "TEXT"  # as a rowid, which is no column, is not
            if columns:
                _copy(Table(name, key, columns, is_text), source, fresh)
        fresh.execute("COMMIT")


def _copy(table: Table, source: sqlite3.Connection, fresh: sqlite3.Connection) -> None:
    first, last = table.ends
    came = _copy_on(table, first, True, source, fresh)
    if came is not None:  # back from there: what a leap went over is reached from its other side
        _copy_on(table, last if came == first else came, False, source, fresh)


def _copy_on(
    table: Table, start: Key, up: bool, source: sqlite3.Connection, fresh: sqlite3.Connection
) -> Key | None:
    """Copy from a key on, also behind damaged places; return how far it came if there were any."""
    key, failures, is_sound = start, 0, True
    while (place := beyond(key, failures, up)) is not None:
        before = key
        # Behind an error one by one: Python drops the row before one that cannot be read.
        limit = 1 if failures else -1
        with _in_spite_of_damage():
            for row in source.execute(table.select(len(place), up), (*place, limit)):
                key = further(key, row[: len(start)], up)
                with contextlib.suppress(sqlite3.IntegrityError):  # a row that is no row any more
                    fresh.execute(table.insert, row[len(start) :])
            if not failures:
                break
        is_sound = False
        failures = 0 if key != before else failures + 1
    return None if is_sound else key


def _known(source: sqlite3.Connection) -> int | None:
    """Return how many deliveries there were: SQLite counts in an index, which may be sound."""
    with _in_spite_of_damage():
        (number,) = source.execute("SELECT count(*) FROM deliveries").fetchone()
        return int(number)
    return None


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return a table's columns and their types."""
    with _in_spite_of_damage():
        return {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table})")}
    return {}


@contextlib.contextmanager
def _in_spite_of_damage() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # A length that a bad disk has turned asks for more memory than SQLite allows. What is
        # not the file's own fault is raised: later, all of it may be read.
        if not is_damage(error) and "too big" not in str(error):
            raise


def _put_aside(path: Path) -> Path:
    """Keep the damaged file under another name too, with what could not be brought into it."""
    number = max(_aside(path), default=0) + 1
    kept = path.with_name(f"{path.name}.damaged-{number}")
    try:
        kept.hardlink_to(path)
    except OSError:  # some file systems know no second name; the copy lets go of our lock
        shutil.copyfile(path, kept)
    journal = journal_of(path)
    if journal.exists() and journal.stat().st_size > 0:
        shutil.copyfile(journal, journal_of(kept))
    journal.unlink(missing_ok=True)
    return kept


def _forget_some(path: Path) -> None:
    """Keep the first damaged file and the newest: a disk that goes on failing must not fill up."""
    aside = _aside(path)
    for number in sorted(aside)[1:-_NEWEST]:
        _remove(aside[number])


def _aside(path: Path) -> dict[int, Path]:
    """Return the damaged files that are kept, by their numbers."""
    prefix = f"{path.name}.damaged-"
    ends = (one.name.removeprefix(prefix) for one in path.parent.glob(f"{prefix}*"))
    return {int(end): path.with_name(prefix + end) for end in ends if end.isdecimal()}
