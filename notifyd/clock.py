"""The only place that tells the time or waits for it."""

from __future__ import annotations

import asyncio
import datetime
import time
from typing import Protocol

_TICK = 0.001
"""Seconds: uvloop rounds to them."""


class Clock(Protocol):
    """What the daemon knows of time; tests pass one that they turn by hand."""

    def now(self) -> float:
        """Return Unix seconds: for what is stored or shown."""

    def monotonic(self) -> float:
        """Return seconds that never go back: for how long something took."""

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait until the event is set (True) or the seconds are over (False)."""


def local_time(seconds: float, precision: str = "seconds") -> str:
    """Return Unix seconds as local date and time with its offset: `2026-11-21 14:03:07 +01:00`."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC).astimezone()
    text = moment.isoformat(" ", precision)
    return f"{text[:-6]} {text[-6:]}"


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        if seconds is None:
            return await event.wait()
        end = self.monotonic() + seconds
        while not await _is_set_within(event, end - self.monotonic()):
            # uvloop's timers come too early: by a millisecond, or by as long as the loop was busy.
            if self.monotonic() >= end:
                return False
        return True


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(seconds, 0.0) + _TICK):
            return await event.wait()
    except TimeoutError:
        return False
