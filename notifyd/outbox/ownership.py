"""Which host's daemon owns the store, where the file system's own locks may not reach.

On one host the file's lock decides. Some network file systems are mounted without locks
between hosts; there a lease that is renewed keeps the second daemon out. It is kept beside the
store, for even to look into that would disturb whoever writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

NOTE = "owner"
"""The name under which it is kept."""
LASTS = 90.0
"""Seconds without a renewal, after which a daemon counts as gone."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose the store is, and until when (Unix seconds)."""

    host: str
    until: float


_OWNERSHIP = TypeAdapter(Ownership)


@dataclass(frozen=True, slots=True)
class Deed:
    """The file in a state folder that says whose it is. Its calls raise OSError."""

    folder: Path

    def other_owner(self, host: str, now: float) -> Ownership | None:
        """Return who owns the folder, if it is another host's daemon that may still run."""
        try:
            return other_owner(self._path.read_text("utf-8", "replace"), host, now)
        except FileNotFoundError:
            return None

    def renew(self, host: str, now: float) -> None:
        """Let a host own the folder from now on."""
        draft = self._path.with_name(f"{NOTE}.{host}.new")
        draft.write_text(renewed(host, now))
        draft.replace(self._path)

    def give_up(self) -> None:
        """Let the folder be anybody's."""
        self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return self.folder / f"{NOTE}.json"


def renewed(host: str, now: float) -> str:
    """Return the text by which a host owns the store from now on."""
    return _OWNERSHIP.dump_json(Ownership(host, now + LASTS)).decode()


def other_owner(text: str | None, host: str, now: float) -> Ownership | None:
    """Return who owns the store, if it is another host's daemon that may still run."""
    try:
        owner = _OWNERSHIP.validate_json(text or "")
    except ValidationError:
        return None
    # A clock that runs ahead must not keep the store for ever.
    is_alive = now < owner.until <= now + 2 * LASTS
    return owner if owner.host != host and is_alive else None
