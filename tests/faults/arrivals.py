"""What has come to a receiver: the only place where told, lost and repeated are counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

NO_ANSWER = 0
"""The status of a call that is never answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One message that has come as a whole, whatever was answered."""

    at: float
    """On the monotonic clock."""
    id: str
    """What a receiver knows it by when it comes again: `webhook-id`, or `Message-ID`."""
    event: str
    """What it tells of, as whoever owed it knows it."""
    status: int

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


@dataclass(slots=True)
class Arrivals:
    """The calls of one receiver in their order, and what they tell."""

    calls: list[Call] = field(default_factory=list)
    told: dict[str, float] = field(default_factory=dict)
    """When each event was told for the first time."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, call: Call) -> None:
        """Keep a call, and let those look who wait for one."""
        self.calls.append(call)
        if call.taken:
            self.told.setdefault(call.event, call.at)
        self.change()

    def change(self) -> None:
        """Let those look who wait: something has happened that is no call."""
        self._changed.set()

    async def until(self, done: Callable[[], bool], seconds: float) -> None:
        """Return when the condition holds. Raises TimeoutError after so many seconds."""
        async with asyncio.timeout(seconds):
            while not done():
                self._changed.clear()
                await self._changed.wait()

    async def until_told(self, owed: Collection[str], seconds: float) -> None:
        """Return when all of it has been told, or after so many seconds: the figures will tell."""
        with suppress(TimeoutError):
            await self.until(
                lambda: len(self.told) >= len(owed) and not self.missing(owed), seconds
            )

    def missing(self, owed: Collection[str]) -> set[str]:
        """Return what has not been told."""
        return set(owed) - self.told.keys()

    def repeated(self) -> list[Call]:
        """Return what was told under an id that had been taken before."""
        first: dict[str, Call] = {}
        taken = [call for call in self.calls if call.taken]
        return [call for call in taken if first.setdefault(call.id, call) is not call]

    def told_anew(self) -> int:
        """Return how often an event came under a second id: what honouring the id cannot mend."""
        return len({(call.event, call.id) for call in self.calls if call.taken}) - len(self.told)

    @property
    def first(self) -> float:
        """When the first event was told."""
        return min(self.told.values(), default=0.0)

    @property
    def last(self) -> float:
        """When the last event was told for the first time."""
        return max(self.told.values(), default=0.0)
