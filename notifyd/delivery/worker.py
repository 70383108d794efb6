"""The loop that sends: one worker a channel, so that no channel waits for another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from notifyd.channels.base import Channel
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.settings import ChannelSettings
from notifyd.clock import Clock
from notifyd.delivery import backoff
from notifyd.delivery.gate import Gate
from notifyd.delivery.mutes import Mutes
from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.database import OutboxError
from notifyd.outbox.records import Attempt
from notifyd.outbox.store import Outbox

_STORE_TROUBLE_PAUSE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all workers share."""

    outbox: Outbox
    clock: Clock
    mutes: Mutes
    chance: Callable[[], float] = random.random


class Worker:
    """Sends what one channel is owed, oldest first."""

    def __init__(
        self, name: str, channel: Channel, settings: ChannelSettings, desk: Desk, gate: Gate
    ) -> None:
        self.name = name
        self.channel = channel
        self.settings = settings
        self.gate = gate
        self.last_error: str | None = None
        self._desk = desk
        self._wake = asyncio.Event()
        self._stopping = False
        self._log = structlog.get_logger("delivery").bind(channel=name)

    def wake(self) -> None:
        """Tell the worker that something new is owed, or that a mute has changed."""
        self._wake.set()

    def stop(self) -> None:
        """Let the worker end after the message that it is sending."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Send until told to stop; wake for new rows, for the next due one, and for the stop."""
        while not self._stopping:
            self._wake.clear()
            try:
                pause = await self.send_next()
            except OutboxError as error:
                self._log.error("store_trouble", error=str(error))
                pause = _STORE_TROUBLE_PAUSE
            if pause != 0 and not self._stopping:
                await self._desk.clock.wait(self._wake, pause)

    async def send_next(self) -> float | None:
        """Send one delivery if one may go. Return the seconds to wait: None without an end."""
        clock = self._desk.clock
        delivery = await self._desk.outbox.next(self.name, clock.now())
        if delivery is None:
            due = await self._desk.outbox.next_due(self.name)
            return None if due is None else max(due - clock.now(), 0.01)
        why = self._desk.mutes.why(self.name, clock.now())
        if why is not None:
            await self._desk.outbox.suppress(delivery.id, clock.now(), why)
            self._log.info("suppressed", job=delivery.event.subject, why=why)
            return 0
        pause = self.gate.wait(clock.monotonic())
        if pause > 0:
            return pause
        await self._attempt(delivery)
        return 0

    async def _attempt(self, delivery: Delivery) -> None:
        clock = self._desk.clock
        at, began = clock.now(), clock.monotonic()
        self.gate.take(began)
        failure = await self._try(delivery)
        attempt = Attempt(
            at=at,
            seconds=clock.monotonic() - began,
            outcome=_outcome(failure),
            detail=failure.reason if failure else None,
        )
        match failure:
            case None:
                await self._delivered(delivery, attempt)
            case PermanentFailure():
                await self._dead(delivery, attempt)
            case TemporaryFailure():
                await self._failed(delivery, attempt, failure.retry_after)

    async def _try(self, delivery: Delivery) -> TemporaryFailure | PermanentFailure | None:
        # A channel keeps its own time-outs; this one is for the channel that forgets.
        limit = self.settings.timeout * 2 + 5
        try:
            async with asyncio.timeout(limit):
                await self.channel.send(delivery)
        except (TemporaryFailure, PermanentFailure) as failure:
            return failure
        except TimeoutError:
            return TemporaryFailure(f"no end within {limit:g} s")
        except Exception as error:
            self._log.exception("channel_bug", delivery=delivery.id)
            return PermanentFailure(f"a bug in this channel: {type(error).__name__}")
        return None

    async def _delivered(self, delivery: Delivery, attempt: Attempt) -> None:
        outbox = self._desk.outbox
        await self._written(lambda: outbox.finish(delivery.id, DeliveryState.DELIVERED, attempt))
        self.gate.succeeded()
        if self.last_error is not None:
            self._log.info("works_again")
        self.last_error = None
        self._log.info("delivered", job=delivery.event.subject, what=delivery.event.type)

    async def _dead(self, delivery: Delivery, attempt: Attempt) -> None:
        outbox = self._desk.outbox
        await self._written(lambda: outbox.finish(delivery.id, DeliveryState.DEAD, attempt))
        self._note_failure(attempt)
        self.last_error = attempt.detail
        self._log.error("dead", job=delivery.event.subject, error=attempt.detail)

    async def _failed(
        self, delivery: Delivery, attempt: Attempt, retry_after: float | None
    ) -> None:
        clock, retry = self._desk.clock, self.settings.retry
        if backoff.is_over(retry, delivery.created, clock.now()):
            await self._dead(delivery, attempt)
            return
        if retry_after is None:
            pause = backoff.delay(retry, delivery.attempts + 1, self._desk.chance())
            self._note_failure(attempt)
        else:
            pause = retry_after
            self.gate.pause(clock.monotonic() + retry_after)
        counted, due, outbox = retry_after is None, clock.now() + pause, self._desk.outbox
        await self._written(lambda: outbox.postpone(delivery.id, attempt, due, counted))
        self._log_change(attempt, pause)

    async def _written(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write an outcome, however long the store takes to allow it.

        Going on without would send the same message again and again: a full disk must not
        become a flood. Only a stop ends the waiting.
        """
        while True:
            try:
                await write()
                return
            except OutboxError as error:
                if self._stopping:
                    raise
                self._log.error("outcome_not_stored", error=str(error))
            self._wake.clear()
            await self._desk.clock.wait(self._wake, _STORE_TROUBLE_PAUSE)

    def _note_failure(self, attempt: Attempt) -> None:
        if self.gate.failed(self._desk.clock.monotonic()):
            wait = round(self.gate.breaker.wait(self._desk.clock.monotonic()))
            self._log.warning("breaker_open", seconds=wait, error=attempt.detail)

    def _log_change(self, attempt: Attempt, pause: float) -> None:
        """A trouble is a log line when it comes or changes, not at each try."""
        if attempt.detail != self.last_error:
            self._log.warning("will_retry", error=attempt.detail, in_seconds=round(pause, 1))
        self.last_error = attempt.detail


def _outcome(failure: TemporaryFailure | PermanentFailure | None) -> str:
    match failure:
        case None:
            return "delivered"
        case TemporaryFailure():
            return "temporary"
        case PermanentFailure():
            return "permanent"
