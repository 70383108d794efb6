"""Takes events off the bus: decides who hears them, what is said, and stores what is owed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from notifyd.bus import Subscription
from notifyd.channels.settings import ChannelSettings
from notifyd.clock import Clock
from notifyd.delivery.cards import is_story
from notifyd.delivery.timetable import Timetable
from notifyd.model import Delivery, Event, Message, delivery_id, derived_id
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.protocols import Inlet
from notifyd.outbox.records import Owed
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router

AT_ONCE = 100
"""So many batches that wait are stored in one transaction."""


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
        """Store what is owed for events, and wake those who owe it. Raises OutboxError."""
        by_event = [list(self._owed(event)) for event in events]
        try:
            await self._store([one for owed in by_event for one in owed])
        except OutboxError:
            raise
        except Exception:
            # One of them cannot be written: the others must not pay for it.
            for event, owed in zip(events, by_event, strict=True):
                await self._store_alone(event, owed)
        for event in events:
            self._log.debug(event.type, action="event", job=event.subject)

    async def _store_alone(self, event: Event, owed: Sequence[Owed]) -> None:
        try:
            await self._store(owed)
        except OutboxError:
            raise
        except Exception:
            self._log.exception("event_bug", what=event.type)
            await self._store(list(self._owed(_bare(event))))

    async def _store(self, owed: Sequence[Owed]) -> None:
        await self._outbox.add(owed)
        # Known already or not: of an add that failed nobody knows how far it went.
        self._wake({one.delivery.channel for one in owed})

    def _owed(self, event: Event) -> Iterator[Owed]:
        channels = self.rules.router.route(event)
        if not channels:
            return
        message = self._words(event)
        now = self._clock.now()
        for channel in channels:
            settings = self.rules.channels[channel]
            alone = settings.keeps_cards and settings.digest is None and is_story(event)
            due = now if alone else self._timetable.due(channel, settings, event, now)
            whole = Delivery(
                id="",
                channel=channel,
                event=event,
                message=message,
                fallback=settings.fallback,
                alone=alone,
                created=now,
                due=due,
                expires=due + settings.retry.give_up_after[event.severity],
            )
            for target in settings.targets:
                id = delivery_id(event.id, channel, target)
                one = dataclasses.replace(whole, id=id, target=target)
                yield _once(one, settings.deduplicate)

    def _words(self, event: Event) -> Message:
        try:
            return self.rules.renderer.render(event)
        except Exception:
            self._log.exception("not_rendered", what=event.type)
            title = f"{event.type.replace('_', ' ')}: {event.subject}"
            return Message(title=title, body="notifyd found no words for it; its log says why.")


def _once(delivery: Delivery, within: float | None) -> Owed:
    """Owe a delivery, but not if the same was said within so many seconds."""
    if within is None:
        return Owed(delivery=delivery)
    message = delivery.message
    facts = (text for fact in message.facts for text in fact)
    words = derived_id(delivery.target, message.title, message.body, *facts)
    return Owed(delivery=delivery, fingerprint=words, alike_since=delivery.created - within)


def _bare(event: Event) -> Event:
    """Return what can be told of an event that cannot be written down as it is."""
    subject, group = (
        text.encode("utf-8", "replace").decode() for text in (event.subject, event.group)
    )
    return dataclasses.replace(event, subject=subject, group=group, data={})
