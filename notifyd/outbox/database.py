"""Opens the SQLite file so that what is committed stays, also on a network file system."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

SCHEMA_VERSION = 2
_NAMED = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class OutboxError(Exception):
    """The store cannot be used. The text says which file, why, and what to do."""


class OutboxBusy(OutboxError):
    """Another daemon owns the store."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open or create the store and take hold of it. Raises OutboxError."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    except sqlite3.Error as error:
        raise OutboxError(f"{path} cannot be opened: {error}") from error
    try:
        _take_hold(connection)
        _migrate(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise _explain(path, error) from error
    except OutboxError:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    # A byte that a bad disk has turned must not stop the channel whose row it is in.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def _take_hold(connection: sqlite3.Connection) -> None:
    # EXCLUSIVE keeps the WAL's index out of shared memory, which NFS and Lustre do not have,
    # and is at the same time the lock that keeps a second daemon out. It must come first.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    if version:
        raise OutboxError(
            f"{path} was written by another version of notifyd (schema {version}, this one "
            f"knows {SCHEMA_VERSION}): use that version, or move the file away to start anew"
        )
    script = f"BEGIN; {_text('schema.sql')} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    connection.executescript(script)


def _explain(path: Path, error: sqlite3.Error) -> OutboxError:
    if "locked" in str(error) or "busy" in str(error):
        return OutboxBusy(
            f"another notifyd uses {path.parent}: stop it, or use another --state-dir"
        )
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        return OutboxError(f"{path} is damaged ({error}): move it away to start anew")
    return OutboxError(f"{path} cannot be used: {error}")


def load_queries() -> Mapping[str, str]:
    """Return the statements of `queries.sql` by their names."""
    pieces = _NAMED.split(_text("queries.sql"))
    return {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}


def _text(name: str) -> str:
    return resources.files("notifyd.outbox").joinpath(name).read_text("utf-8")
