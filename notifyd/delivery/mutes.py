"""Which channels are switched off for a while; remembered over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from pydantic import TypeAdapter, ValidationError

from notifyd.outbox.protocols import Notes
from notifyd.units import timestamp

_NOTE = "mutes"
_UNTIL: TypeAdapter[Mapping[str, float | None]] = TypeAdapter(Mapping[str, float | None])


class Mutes:
    """Channel names and the end of their mute in Unix seconds; None is without an end."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._until: Mapping[str, float | None] = {}
        self._changing = asyncio.Lock()

    async def restore(self) -> None:
        """Read what an earlier daemon has stored."""
        try:
            self._until = _UNTIL.validate_json(await self._notes.note(_NOTE) or "{}")
        except ValidationError:  # a bad disk; what is told too much is better than no daemon
            structlog.get_logger("delivery").warning("mutes_forgotten", action="mute_again")

    async def mute(self, channel: str, until: float | None) -> None:
        """Switch a channel off until then."""
        async with self._changing:
            await self._store({**self._until, channel: until})

    async def unmute(self, channel: str) -> None:
        """Switch a channel on again."""
        async with self._changing:
            await self._store({name: end for name, end in self._until.items() if name != channel})

    def why(self, channel: str, now: float) -> str | None:
        """Return why the channel is silent now, or None when it is not."""
        if channel not in self._until:
            return None
        until = self._until[channel]
        if until is None:
            return "muted"
        return f"muted until {timestamp(until)}" if now < until else None

    async def _store(self, until: Mapping[str, float | None]) -> None:
        await self._notes.write_note(_NOTE, _UNTIL.dump_json(until).decode())
        self._until = until
