"""Which channels are switched off for a while; remembered over a restart."""

from __future__ import annotations

import json
from typing import Protocol

from notifyd.units import timestamp

_NOTE = "mutes"


class Notes(Protocol):
    """Where mutes outlive the daemon."""

    async def note(self, name: str) -> str | None: ...
    async def write_note(self, name: str, value: str) -> None: ...


class Mutes:
    """Channel names and the end of their mute in Unix seconds; None is without an end."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._until: dict[str, float | None] = {}

    async def restore(self) -> None:
        """Read what an earlier daemon has stored."""
        self._until = json.loads(await self._notes.note(_NOTE) or "{}")

    async def mute(self, channel: str, until: float | None) -> None:
        """Switch a channel off until then."""
        await self._store({**self._until, channel: until})

    async def unmute(self, channel: str) -> None:
        """Switch a channel on again."""
        await self._store({name: end for name, end in self._until.items() if name != channel})

    def why(self, channel: str, now: float) -> str | None:
        """Return why the channel is silent now, or None when it is not."""
        if channel not in self._until:
            return None
        until = self._until[channel]
        if until is None:
            return "muted"
        return f"muted until {timestamp(until)}" if now < until else None

    async def _store(self, until: dict[str, float | None]) -> None:
        await self._notes.write_note(_NOTE, json.dumps(until))
        self._until = until
