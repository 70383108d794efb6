"""Takes events off the bus: decides who hears them, what is said, and stores what is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from notifyd.bus import Subscription
from notifyd.channels.settings import ChannelSettings
from notifyd.clock import Clock
from notifyd.delivery.timetable import Timetable
from notifyd.model import Delivery, Event, Message, derived_id
from notifyd.outbox.protocols import Inlet
from notifyd.outbox.records import Owed
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router

AT_ONCE = 100
"""So many batches that wait are stored in one transaction."""
RULE = "channel"
"""The rule in a delivery's key: a channel's own list of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Who hears what, in which words, and when. Swapped as a whole by a reload."""

    router: Router
    renderer: Renderer
    channels: Mapping[str, ChannelSettings]


class Intake:
    """The lossless listener."""

    def __init__(
        self,
        outbox: Inlet,
        clock: Clock,
        wake: Callable[[Iterable[str]], None],
        rules: Rules,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._wake = wake
        self._timetable = Timetable()
        self.rules = rules
        self._log = structlog.get_logger("intake")

    async def run(self, subscription: Subscription) -> None:
        """Take in batches for ever. A batch that cannot be stored goes back to its publisher."""
        while True:
            try:
                async with subscription.take(AT_ONCE) as events:
                    await self.take_in(events)
            except Exception as error:
                self._log.error("not_stored", error=str(error))

    async def take_in(self, events: Sequence[Event]) -> None:
        """Store what one batch owes, in one transaction, and wake those who owe it."""
        owed = [one for event in events for one in self._owed(event)]
        await self._outbox.add(owed)
        for event in events:
            self._log.debug(event.type, action="event", job=event.subject)
        # Known already or not: of an add that failed nobody knows how far it went.
        self._wake({one.delivery.channel for one in owed})

    def _owed(self, event: Event) -> Iterator[Owed]:
        channels = self.rules.router.route(event)
        if not channels:
            return
        message = self.rules.renderer.render(event)
        now = self._clock.now()
        for channel in channels:
            settings = self.rules.channels[channel]
            due = self._timetable.due(channel, settings, event, now)
            for target in settings.targets:
                yield self._one(event, message, channel, target, now, due)

    def _one(
        self, event: Event, message: Message, channel: str, target: str, now: float, due: float
    ) -> Owed:
        settings = self.rules.channels[channel]
        same = settings.deduplicate
        delivery = Delivery(
            id=derived_id(event.id, RULE, channel, *([target] if target else [])),
            channel=channel,
            target=target,
            event=event,
            message=message,
            fallback=settings.fallback,
            created=now,
            due=due,
            expires=due + settings.retry.give_up_after[event.severity],
        )
        if same is None:
            return Owed(delivery=delivery)
        facts = (text for fact in message.facts for text in fact)
        words = derived_id(target, message.title, message.body, *facts)
        return Owed(delivery=delivery, fingerprint=words, alike_since=now - same)
