"""Opens the SQLite file so that what is committed stays, also on a network file system."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from notifyd.outbox.errors import FOUND, OutboxBusy, OutboxError, is_damage, refusal
from notifyd.outbox.salvage import Recovered, journal_of, rescue
from notifyd.outbox.statements import text_of

SCHEMA_VERSION = 4
_RELEASE = """
UPDATE deliveries SET state = 'pending', owner = NULL, leased_until = NULL
WHERE state = 'leased' AND leased_until IS NOT NULL
"""
_SMALL = 64 * 2**20
"""Bytes that are checked in a second or two."""


def open_database(
    path: Path, thorough: bool = False
) -> tuple[sqlite3.Connection, Recovered | None]:
    """Open or create the store, take hold of it, and mend it if it is damaged.

    All of it is read first if that is soon done, if the last daemon had no time to close it, or
    with `thorough`.

    Whoever held it before is gone, for the file lets in one at a time: what was in their
    hands is owed again. Raises OutboxError.
    """
    try:
        return _open(path, check=thorough or _is_worth_checking(path)), None
    except sqlite3.Error as error:
        if not is_damage(error):
            raise refusal(path, error) from error
    return mend_database(path)


def mend_database(path: Path, *, goes_on: bool = False) -> tuple[sqlite3.Connection, Recovered]:
    """Put a damaged store aside, and open a new one with all that can be read of it.

    A daemon that `goes_on` keeps what it has in hand. Raises OutboxError; then everything is
    where it was.
    """

    def open_again(file: Path) -> sqlite3.Connection:
        return _open(file, check=False, release=not goes_on)

    try:
        recovered = rescue(path, open_again, SCHEMA_VERSION)
        return open_again(path), recovered
    except (sqlite3.Error, OSError) as error:
        why = refusal(path, error)
        if isinstance(why, OutboxBusy):
            raise why from error
        raise OutboxError(f"{path} is damaged, and cannot be mended: {why}") from error


def _is_worth_checking(path: Path) -> bool:
    """Tell whether all of the file is read: if that is soon done, or if it was not closed.

    What is not found here is found when it is read; the store is mended then.
    """
    journal, draft = journal_of(path), path.with_name(f"{path.name}.new")
    was_left_open = journal.exists() and journal.stat().st_size > 0
    is_small = path.exists() and path.stat().st_size <= _SMALL
    return was_left_open or is_small or draft.exists()  # a rescue that was killed leaves its draft


def _open(path: Path, *, check: bool, release: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        take_hold(connection, path)
        if check:
            _check(connection)
        _migrate(connection, path)
        connection.executescript(text_of("temporary.sql"))
        if release:
            connection.execute(_RELEASE)
    except BaseException:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    # A byte that a bad disk has turned must not stop the channel whose row it is in.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def take_hold(connection: sqlite3.Connection, path: Path) -> None:
    """Keep everybody else out, and what is committed on the disk. Raises OutboxError."""
    # EXCLUSIVE keeps the WAL's index out of shared memory, which NFS and Lustre do not have,
    # and is at the same time the lock that keeps a second daemon out. It must come first.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode not in ("wal", "memory"):
        raise OutboxError(
            f"{path} cannot be kept safely there: SQLite uses journal mode {mode}, not WAL; "
            "use another --state-dir, on another file system"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("COMMIT")


def _check(connection: sqlite3.Connection) -> None:
    # The quick check leaves the indexes alone; but what one of them hides is never told.
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"{FOUND}{found}")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise OutboxError(
            f"{path} was written by a newer notifyd (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): use that version, or move the file away to start anew"
        )
    if version < 0:
        raise sqlite3.DatabaseError(f"{FOUND}schema {version}")
    if version == SCHEMA_VERSION:
        return
    steps = [f"migrations/{step}.sql" for step in range(version + 1, SCHEMA_VERSION + 1)]
    work = "".join(map(text_of, steps if version else ["schema.sql"]))
    connection.executescript(f"BEGIN; {work} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
