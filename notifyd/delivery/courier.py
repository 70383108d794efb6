"""Tries one delivery on one channel: as an edit of its story's card, in full, in plain."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import structlog

from notifyd.channels.base import Channel, Editable, Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.clock import Clock
from notifyd.delivery.cards import is_quiet, is_story
from notifyd.delivery.verdict import Failure, Tried
from notifyd.model import Delivery
from notifyd.outbox.records import Attempt, Card

Try = Callable[[Delivery], Awaitable[Receipt]]


class Courier:
    """Hands deliveries to a channel, and notes every try."""

    def __init__(self, channel: Channel, limit: float, clock: Clock, cards: bool) -> None:
        """`limit` (seconds) is for a channel that forgets its own time-outs."""
        self._channel = channel
        self._limit = limit
        self._clock = clock
        self._editable = channel if cards and isinstance(channel, Editable) else None
        self._log = structlog.get_logger("delivery")

    def keeps_card(self, delivery: Delivery) -> bool:
        """Tell whether the delivery belongs into a message that is kept up to date."""
        return self._editable is not None and is_story(delivery.event)

    async def carry(self, delivery: Delivery, card: str | None) -> Tried:
        """Try to tell a delivery; `card` is the message that its story is kept in, if any."""
        attempts: list[Attempt] = []
        quiet = is_quiet(delivery.event)
        if card is not None and self._editable is not None:
            editable = self._editable
            end = await self._in_form(attempts, delivery, lambda one: editable.edit(one, card))
            # What is loud is a message of its own; but a pause that is asked for comes first.
            told = quiet or not isinstance(end, Receipt)
            if told and not _needs_a_new_one(end):
                return self._tried(attempts, end, quiet)
        end = await self._in_form(attempts, delivery, self._channel.send)
        return self._tried(attempts, end, quiet)

    async def _in_form(
        self, attempts: list[Attempt], delivery: Delivery, send: Try
    ) -> Receipt | Failure:
        """Try it in full, and in plain if it is the form that is refused."""
        end = await self._try(attempts, delivery, send)
        if isinstance(end, PermanentFailure) and end.fault is Fault.FORM and not delivery.plain:
            plain = dataclasses.replace(delivery, plain=True)
            end = await self._try(attempts, plain, send)
        return end

    def _tried(self, attempts: list[Attempt], end: Receipt | Failure, quiet: bool) -> Tried:
        card = None
        if quiet and isinstance(end, Receipt) and end.ref and self._editable is not None:
            card = Card(ref=end.ref, written=self._clock.now())
        return Tried(attempts=tuple(attempts), end=end, card=card)

    async def _try(
        self, attempts: list[Attempt], delivery: Delivery, send: Try
    ) -> Receipt | Failure:
        if attempts and _is_cancelled():
            raise asyncio.CancelledError  # a library has swallowed it: nothing more is begun
        at, began = self._clock.now(), self._clock.monotonic()
        end = await self._ended(delivery, send)
        failure = None if isinstance(end, Receipt) else end
        attempts.append(
            Attempt(
                at=at,
                seconds=self._clock.monotonic() - began,
                outcome=_outcome(end),
                status=end.status,
                detail=failure.reason if failure else None,
            )
        )
        return end

    async def _ended(self, delivery: Delivery, send: Try) -> Receipt | Failure:
        try:
            async with asyncio.timeout(self._limit):
                return await send(delivery)
        except (TemporaryFailure, PermanentFailure) as failure:
            return failure
        except TimeoutError:
            return TemporaryFailure(f"no end within {self._limit:g} s")
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            # Nobody has cancelled us: a library has let one of its own out.
            return TemporaryFailure("the connection was given up")
        except Exception as error:
            self._log.exception("channel_bug")
            return PermanentFailure(f"a bug in this channel: {type(error).__name__}")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _needs_a_new_one(end: Receipt | Failure) -> bool:
    """Tell whether the card is gone: somebody has deleted it, or it is too old to change."""
    return isinstance(end, PermanentFailure) and end.fault is not Fault.CHANNEL


def _outcome(end: Receipt | Failure) -> str:
    match end:
        case Receipt():
            return "delivered"
        case TemporaryFailure():
            return "temporary"
        case PermanentFailure():
            return "permanent"
