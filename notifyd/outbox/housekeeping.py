"""Keeps the store its daemon's own, and from growing for ever, and from owing to nobody."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from notifyd.clock import Clock
from notifyd.outbox.errors import OutboxBusy, OutboxError
from notifyd.outbox.missing import missed_since
from notifyd.outbox.ownership import LASTS, Deed
from notifyd.outbox.store import Outbox

T = TypeVar("T")
KEPT = 30 * 86400.0
"""Seconds for which ended deliveries stay in the history."""
DEAD_KEPT = 90 * 86400.0
"""Seconds for which a dead letter can be sent again."""
ORPHANS_WAIT = 86400.0
"""Seconds for which something stays owed to a channel from when it was first missed."""
CLEANING = 3600.0
PAUSE = 0.5
"""Seconds in which another host that has looked before may still write its name over this one's."""


@dataclass(frozen=True, slots=True)
class Housekeeper:
    """Looks after the store of one daemon."""

    outbox: Outbox
    clock: Clock
    host: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def _deed(self) -> Deed:
        return Deed(self.outbox.path.parent)

    async def move_in(self) -> None:
        """Make the store this host's, if it was not, before it is opened; then `renew` it.

        Raises OutboxBusy while another host's daemon has it, OutboxError when the folder cannot
        be written.
        """
        if not await self._in_thread(self._enter):
            return
        # Two hosts that look at once both see that it is free: it is the last one's that writes.
        await self.clock.wait(asyncio.Event(), PAUSE)
        if not await self._in_thread(lambda: self._deed.names(self.token)):
            raise OutboxBusy(
                f"another daemon has just taken {self.outbox.path.parent}: stop it, or use "
                "another --state-dir"
            )

    async def renew(self) -> None:
        """Let it be this host's for longer. Raises as `move_in` does."""
        await self._in_thread(self._renew)

    async def move_out(self) -> None:
        """Let another host's daemon in at once; if that fails, its lease runs out."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._deed.give_up, self.token)

    async def keep(self, channels: Callable[[], Iterable[str]], stopping: asyncio.Event) -> None:
        """Renew the ownership, and clean up now and every hour, until the event is set.

        Raises OutboxBusy when another host has taken over, as it may while this one sleeps.
        """
        log = structlog.get_logger("outbox")
        cleaned = float("-inf")
        while not stopping.is_set():
            now = self.clock.now()
            try:
                await self.renew()
                if now - cleaned >= CLEANING:
                    await self._clean_up(channels(), now)
                    cleaned = now
            except OutboxBusy:
                raise
            except OutboxError as error:
                log.error("housekeeping_failed", action="try_later", error=str(error))
            await self.clock.wait(stopping, LASTS / 3)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise OutboxError(f"{self.outbox.path.parent} cannot be written: {error}") from error

    def _enter(self) -> bool:
        """Take the folder; but where this host had it last, the file's lock decides."""
        if self._deed.last_host() == self.host:
            return False  # its daemon may only have been asleep
        self._renew()
        return True

    def _renew(self) -> None:
        now, held = self.clock.now(), self.outbox.held
        owner = self._deed.other_owner(self.host, now)
        if owner is None and held is not None and self._deed.may_be_lost(held, now):
            raise OutboxBusy(
                f"{self.outbox.path.parent} was not this daemon's for a while, and another host "
                "may have used it: start again"
            )
        if owner is not None:
            raise OutboxBusy(
                f"the daemon on {owner.host} uses this state folder: stop it, or use another "
                f"--state-dir. If it is gone, try again in {owner.until - now:.0f} s"
            )
        self.outbox.held = self._deed.renew(self.host, now, self.token)

    async def _clean_up(self, channels: Iterable[str], now: float) -> None:
        forgotten = await self.outbox.purge(now - KEPT, now - DEAD_KEPT)
        if forgotten:
            log = structlog.get_logger("outbox")
            log.info("dead_letters_forgotten", number=forgotten, days=DEAD_KEPT / 86400)
        gone = await missed_since(self.outbox, channels, now - ORPHANS_WAIT, now)
        await self.outbox.suppress_strangers(gone, now - ORPHANS_WAIT, now)
