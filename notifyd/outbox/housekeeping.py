"""Keeps the store from growing for ever, and from owing to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from notifyd.clock import Clock
from notifyd.outbox.database import OutboxError
from notifyd.outbox.store import Outbox

KEPT = 30 * 86400.0
"""Seconds for which ended deliveries stay in the history."""
ORPHANS_WAIT = 86400.0
"""Seconds for which something stays owed to a channel that nobody has configured."""
EVERY = 3600.0


async def keep_house(
    outbox: Outbox, clock: Clock, channels: Callable[[], Iterable[str]], stopping: asyncio.Event
) -> None:
    """Clean up now and every hour, until the event is set."""
    log = structlog.get_logger("outbox")
    while not stopping.is_set():
        now = clock.now()
        try:
            await outbox.purge(now - KEPT)
            await outbox.suppress_orphans(channels(), now - ORPHANS_WAIT, now)
        except OutboxError as error:
            log.error("housekeeping_failed", action="try_later", error=str(error))
        await clock.wait(stopping, EVERY)
