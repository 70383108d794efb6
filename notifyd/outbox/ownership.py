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
    token: str = ""
    """The same for all that one daemon writes, and for no other's."""


_OWNERSHIP = TypeAdapter(Ownership)


@dataclass(frozen=True, slots=True)
class Deed:
    """The file in a state folder that says whose it is. Its calls raise OSError."""

    folder: Path

    def owner(self, now: float) -> Ownership | None:
        """Return whose daemon may still run, if there is one."""
        owner = self._read()
        # A clock that runs ahead must not keep the store for ever.
        is_alive = owner is not None and now < owner.until <= now + 2 * LASTS
        return owner if is_alive else None

    def last_host(self) -> str | None:
        """Return whose it was last, in time or not."""
        owner = self._read()
        return None if owner is None else owner.host

    def other_owner(self, host: str, now: float) -> Ownership | None:
        """Return who owns the folder, if it is another host's daemon that may still run."""
        owner = self.owner(now)
        return owner if owner is not None and owner.host != host else None

    def renew(self, host: str, now: float, token: str) -> Ownership:
        """Let a host's daemon own the folder from now on."""
        owner = Ownership(host, now + LASTS, token)
        draft = self._path.with_name(f"{NOTE}.{host}.new")
        draft.write_bytes(_OWNERSHIP.dump_json(owner))
        draft.replace(self._path)
        return owner

    def may_be_lost(self, mine: Ownership, now: float) -> bool:
        """Tell whether another host may have used the folder since it was mine."""
        return now >= mine.until and not self.names(mine.token)

    def names(self, token: str) -> bool:
        """Tell whether it is this daemon's, in time or not."""
        owner = self._read()
        return owner is not None and owner.token == token

    def give_up(self, token: str) -> None:
        """Let the folder be anybody's, if it is still this daemon's."""
        if self.names(token):
            self._path.unlink(missing_ok=True)

    def _read(self) -> Ownership | None:
        try:
            return _OWNERSHIP.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    @property
    def _path(self) -> Path:
        return self.folder / f"{NOTE}.json"
