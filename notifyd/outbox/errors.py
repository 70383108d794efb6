"""Why the store cannot be used, for people."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_DAMAGE = ("malformed", "not a database", "corrupt")


class OutboxError(Exception):
    """The store cannot be used. The text says which file, why, and what to do."""


class OutboxBusy(OutboxError):
    """Another daemon owns the store."""


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file is to blame, and not its surroundings."""
    return any(word in str(error) for word in _DAMAGE)


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
