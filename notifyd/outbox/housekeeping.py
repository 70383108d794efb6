"""Keeps the store its daemon's own, and from growing for ever, and from owing to nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from notifyd.clock import Clock
from notifyd.outbox.errors import OutboxBusy, OutboxError
from notifyd.outbox.ownership import LASTS, Deed
from notifyd.outbox.store import Outbox

KEPT = 30 * 86400.0
"""Seconds for which ended deliveries stay in the history."""
DEAD_KEPT = 90 * 86400.0
"""Seconds for which a dead letter can be sent again."""
ORPHANS_WAIT = 86400.0
"""Seconds for which something stays owed to a channel that nobody has configured."""
CLEANING = 3600.0


@dataclass(frozen=True, slots=True)
class Housekeeper:
    """Looks after the store of one daemon."""

    outbox: Outbox
    clock: Clock
    host: str

    @property
    def _deed(self) -> Deed:
        return Deed(self.outbox.path.parent)

    async def move_in(self) -> None:
        """Make the store this host's, before it is opened.

        Raises OutboxBusy while another host's daemon has it, OutboxError when the folder cannot
        be written.
        """
        try:
            await asyncio.to_thread(self._renew)
        except OSError as error:
            raise OutboxError(f"{self.outbox.path.parent} cannot be written: {error}") from error

    async def move_out(self) -> None:
        """Let another host's daemon in at once; if that fails, its lease runs out."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._deed.give_up)

    async def keep(self, channels: Callable[[], Iterable[str]], stopping: asyncio.Event) -> None:
        """Renew the ownership, and clean up now and every hour, until the event is set.

        Raises OutboxBusy when another host has taken over, as it may while this one sleeps.
        """
        log = structlog.get_logger("outbox")
        cleaned = float("-inf")
        while not stopping.is_set():
            now = self.clock.now()
            try:
                await self.move_in()
                if now - cleaned >= CLEANING:
                    await self._clean_up(channels(), now)
                    cleaned = now
            except OutboxBusy:
                raise
            except OutboxError as error:
                log.error("housekeeping_failed", action="try_later", error=str(error))
            await self.clock.wait(stopping, LASTS / 3)

    def _renew(self) -> None:
        now = self.clock.now()
        owner = self._deed.other_owner(self.host, now)
        if owner is not None:
            raise OutboxBusy(
                f"the daemon on {owner.host} uses this state folder: stop it, or use another "
                f"--state-dir. If it is gone, try again in {owner.until - now:.0f} s"
            )
        self._deed.renew(self.host, now)

    async def _clean_up(self, channels: Iterable[str], now: float) -> None:
        await self.outbox.purge(now - KEPT, now - DEAD_KEPT)
        await self.outbox.suppress_strangers(channels, now - ORPHANS_WAIT, now)
