"""The only place that tells the time or waits for it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the daemon knows of time; tests pass one that they turn by hand."""

    def now(self) -> float:
        """Return Unix seconds: for what is stored or shown."""

    def monotonic(self) -> float:
        """Return seconds that never go back: for how long something took."""

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait until the event is set (True) or the seconds are over (False)."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True
