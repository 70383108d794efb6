"""Why the store cannot be used, for people."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_OF_WRITING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
FOUND = "malformed: "
"""How an error begins that says what a check has found."""


class OutboxError(Exception):
    """The store cannot be used. The text says which file, why, and what to do."""


class OutboxBusy(OutboxError):
    """Another daemon owns the store."""


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file is to blame, and not its surroundings."""
    # The whole code may say more, such as which part is corrupt; the lowest byte says what it is.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _DAMAGE or str(error).startswith(FOUND)


def cannot_write(error: sqlite3.Error) -> bool:
    """Tell whether it may be only the writing that fails: a full disk can still be read."""
    code = getattr(error, "sqlite_errorcode", 0)
    is_reading = code in (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ)
    return not is_reading and code & 0xFF in _OF_WRITING


def refusal(path: Path, error: Exception) -> OutboxError:
    """Return why the file cannot be opened, and what to do."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return OutboxBusy(
            f"another notifyd uses {path.parent}: stop it, or use another --state-dir"
        )
    if "readonly" in text or "unable to open" in text:
        return OutboxError(f"{path} cannot be written ({text}): check the folder and its owner")
    if "full" in text:
        return OutboxError(f"{path} cannot grow, the disk is full: make room, then start again")
    return OutboxError(f"{path} cannot be used: {text}")
