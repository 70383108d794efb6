"""Who publishes what is to be told, as the poller does: again and again until it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from notifyd.bus import NotTaken
from notifyd.model import Event
from tests.simulation.life import Life
from tests.simulation.loop import VirtualClock
from tests.simulation.scenario import Batch

AGAIN = 30.0
"""Seconds until what was not taken is published again."""


@dataclass(slots=True)
class Feed:
    """Goes on where the daemon before has stopped."""

    batches: Sequence[Batch]
    clock: VirtualClock
    owes: dict[str, set[str]] = field(default_factory=dict)
    """By the id of each event that was taken in: the channels that it must be owed to."""
    events: dict[str, Event] = field(default_factory=dict)
    """What was taken in, in that order."""
    _next: int = 0

    @property
    def is_over(self) -> bool:
        """Whether everything was taken in."""
        return self._next == len(self.batches)

    async def publish(self, life: Life) -> None:
        """Publish what is left, each batch when its time has come."""
        while not self.is_over:
            batch = self.batches[self._next]
            await asyncio.sleep(max(batch.at - self.clock.monotonic(), 0.0))
            before = _routes(life, batch)
            try:
                await life.bus.publish(batch.events)
            except NotTaken:
                await asyncio.sleep(AGAIN)
            else:
                self._taken(batch, before, _routes(life, batch))

    def _taken(self, batch: Batch, before: Routes, after: Routes) -> None:
        # A reload may have come in between: what both would have told must be told.
        self._next += 1
        for event in batch.events:
            self.events[event.id] = event
            self.owes[event.id] = set(before[event.id]) & set(after[event.id])


Routes = Mapping[str, Sequence[str]]


def _routes(life: Life, batch: Batch) -> Routes:
    return {event.id: life.intake.rules.router.route(event) for event in batch.events}
