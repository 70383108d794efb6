"""Takes events off the bus: decides who hears them, what is said, and stores what is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import structlog

from notifyd.bus import Subscription
from notifyd.clock import Clock
from notifyd.model import Delivery, Event, derived_id
from notifyd.outbox.store import Outbox
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router

RULE = "channel"
"""The rule in a delivery's key: a channel's own list of events."""


class Intake:
    """The lossless listener. Router and renderer are swapped by a reload."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        wake: Callable[[Iterable[str]], None],
        router: Router,
        renderer: Renderer,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._wake = wake
        self.router = router
        self.renderer = renderer
        self._log = structlog.get_logger("intake")

    async def run(self, subscription: Subscription) -> None:
        """Take in batches for ever. A batch that cannot be stored goes back to its publisher."""
        while True:
            try:
                async with subscription.take() as events:
                    await self.take_in(events)
            except Exception as error:
                self._log.error("not_stored", error=str(error))

    async def take_in(self, events: Sequence[Event]) -> None:
        """Store what one batch owes, in one transaction, and wake those who owe it."""
        deliveries = [delivery for event in events for delivery in self._deliveries(event)]
        new = await self._outbox.add(deliveries)
        for event in events:
            self._log.debug(event.type, action="event", job=event.subject)
        if new:
            self._wake({delivery.channel for delivery in deliveries})

    def _deliveries(self, event: Event) -> Iterator[Delivery]:
        channels = self.router.route(event)
        if not channels:
            return
        message = self.renderer.render(event)
        for channel in channels:
            yield Delivery(
                id=derived_id(event.id, RULE, channel),
                channel=channel,
                event=event,
                message=message,
                created=self._clock.now(),
            )
