"""Sends what one channel is owed: a worker a channel, so that no channel waits for another.

Its lanes send side by side; one at a time they choose what goes next. There is one wait:
for something new, for the next moment at which a message may go, or for the stop.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Sequence

import structlog

from notifyd.channels.base import Channel
from notifyd.channels.settings import ChannelSettings
from notifyd.delivery.condition import Condition
from notifyd.delivery.courier import Courier
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.hand import Hand
from notifyd.delivery.ledger import Ledger
from notifyd.delivery.verdict import Policy, Tried, heirs, put_back, verdict
from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Claim, Outcome

PATIENCE = 30.0
"""Seconds: what cannot go sooner is put back; and how often a channel in trouble is looked at."""
_AT_LEAST = 300.0
"""Seconds: the same once somebody knows of the trouble, and only lifetimes run out."""
_TOO_MANY = 3
"""After so many refusals in a row nobody asks for each part of a digest by itself any more."""
_STORE_TROUBLE_PAUSE = 5.0


class Worker:
    """Sends what one channel is owed, each lane's deliveries in order."""

    def __init__(
        self, name: str, channel: Channel, settings: ChannelSettings, desk: Desk, gate: Gate
    ) -> None:
        self.name = name
        self.channel = channel
        self.settings = settings
        self.gate = gate
        self.condition = Condition(name, gate, desk)
        self._desk = desk
        self._clock = desk.clock
        self._policy = Policy(settings.retry, desk.settings_of)
        self._courier = Courier(channel, settings.longest_try, desk.clock, settings.cards)
        self._ledger = Ledger(
            desk.outbox,
            desk.clock,
            self.condition.notes,
            self._written,
        )
        self._hand = Hand(name, settings, desk, gate, self._policy)
        self._sending = 0
        self._probe: Claim | None = None
        """The one message by which it is seen how a receiver fares that is not trusted."""
        self._choosing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._stopping = False
        self._log = structlog.get_logger("delivery").bind(channel=name)

    @property
    def last_error(self) -> str | None:
        """What the last try failed with; None if it did not."""
        return self.condition.last_error

    def wake(self) -> None:
        """Tell the worker that something new is owed, or that a mute has changed."""
        self._wake.set()

    def stop(self) -> None:
        """Let the worker end after the messages that it is sending."""
        self._stopping = True
        self._wake.set()

    def readmit(self) -> None:
        """Try again if the service has refused us: somebody may have changed something."""
        self.gate.readmit()
        self._wake.set()

    def inherit(self, before: Worker) -> None:
        """Go on with what this channel's worker before has left, now that it has ended."""
        self._ledger.inherit(before._ledger)
        self._hand.inherit(before._hand)
        self._wake.set()

    async def run(self) -> None:
        """Send until told to stop; what is in hand then is owed again."""
        try:
            async with asyncio.TaskGroup() as lanes:
                for number in range(self.settings.concurrency):
                    lanes.create_task(self._lane(), name=f"worker {self.name} {number}")
        finally:
            await self._leave()

    async def _leave(self) -> None:
        for last in (self._ledger.flush, self._hand.put_back):
            try:
                await last()
            except OutboxError as error:
                self._log.error("store_trouble", error=str(error))

    def _written(self, outcomes: Sequence[Outcome]) -> None:
        self._hand.written(outcomes)
        self._desk.wake(heirs(outcomes))

    async def _lane(self) -> None:
        while (claim := await self._next()) is not None:
            try:
                await self._send(claim)
            finally:
                self._sending -= 1
                self._probe = None if self._probe is claim else self._probe
                self._wake.set()

    async def _next(self) -> Claim | None:
        """Return what goes next, when it may go; None when the worker stops."""
        async with self._choosing:
            while not self._stopping:
                self._wake.clear()
                try:
                    pause = await self._pause()
                except OutboxError as error:
                    self._log.error("store_trouble", error=str(error))
                    self._hand.doubt()
                    pause = _STORE_TROUBLE_PAUSE
                if self._stopping:
                    break
                if pause is None:
                    return self._taken()
                await self._clock.wait(self._wake, None if math.isinf(pause) else pause)
        return None

    def _taken(self) -> Claim:
        claim = self._hand.take()
        if self.gate.is_open or not self.gate.trusted:
            self._probe = claim
        self.gate.spend(self._clock.monotonic(), claim.delivery.target)
        self._sending += 1
        return claim

    async def _pause(self) -> float | None:
        """Return the seconds until it is worth looking again; None if what is first in hand may go.

        Raises OutboxError.
        """
        await self.condition.attend()
        if self._ledger.is_stuck:
            # Going on would send what the store does not know to be sent.
            await self._ledger.flush()
        why = self._desk.mutes.why(self.name, self._clock.now())
        if why is not None:
            return min(await self._hand.hush(why), self._patience())
        if self._probe and (self.gate.is_open or not self.gate.trusted):
            return math.inf  # until it is known how that one fares
        if self.gate.wait(self._clock.monotonic()) > 0:
            return await self._shut()
        return await self._open()

    async def _open(self) -> float | None:
        """Bring something to hand that may go now; return the seconds if there is nothing."""
        if not self._hand:
            pause = await self._fill_hand()
            if not self._hand:
                return pause
            # What was open before the store was asked may be shut by now.
            if self.gate.wait(self._clock.monotonic()) > 0:
                return await self._shut()
        is_late = self._hand.is_stale(self._clock.now())
        if is_late or self._hand.bring_forward(self._clock.monotonic()) > 0:
            await self._hand.put_back()  # or only its targets rest: others may be owed something
            return 0.0
        return None

    async def _fill_hand(self) -> float:
        """Return the seconds until there is something to take, if there is nothing now."""
        pause = await self._hand.fill()
        if not self._hand and self._ledger.holds_back:
            await self._ledger.flush()  # what comes next in its lanes waits for it
            pause = await self._hand.fill()
        return min(pause, self._patience())

    async def _shut(self) -> float:
        """Wait for the gate; nothing stays in hand that others could tell."""
        pause = self.gate.wait(self._clock.monotonic())
        if self._sending:
            return pause
        if self._hand and pause > PATIENCE:
            await self._hand.put_back()
        if not self.gate.in_trouble(self._clock.monotonic()):
            return pause
        if await self._hand.turn_away(self.gate.refusal or self.last_error or "it was down"):
            return 0.0
        return min(pause, self._patience())

    def _patience(self) -> float:
        """Return the seconds after which a channel in trouble is looked at, whatever it owes."""
        if not self.gate.in_trouble(self._clock.monotonic()):
            return PATIENCE if self.gate.told else math.inf
        return _AT_LEAST if self.gate.told else PATIENCE

    async def _send(self, claim: Claim) -> None:
        try:
            outcome = await self._outcome(claim)
        except OutboxError as error:
            self._log.error("store_trouble", error=str(error))
            outcome = put_back(claim, self._clock.now())
        except asyncio.CancelledError:
            outcome = put_back(claim, self._clock.now())
            self._ledger.keep(dataclasses.replace(outcome, tried=True))
            raise
        try:
            await self._ledger.put(outcome, busy=self._sending > 1)
        except OutboxError as error:
            self._log.error("outcome_not_stored", error=str(error))

    async def _outcome(self, claim: Claim) -> Outcome:
        tried = await self._tried(claim)
        now = self._clock.now()
        outcome = verdict(claim, tried, self._policy, now, self._desk.chance())
        self.condition.learn(tried.end, claim.delivery.target)
        if outcome.state is DeliveryState.DEAD and self.condition.refusals >= _TOO_MANY:
            outcome = dataclasses.replace(outcome, together=True)
        self._log_end(claim.delivery, outcome)
        return outcome

    async def _tried(self, claim: Claim) -> Tried:
        delivery = await self._hand.folded(claim)
        card = None
        if self._courier.keeps_card(delivery):
            card = await self._desk.outbox.card(self.name, claim.lane)
        tried = await self._courier.carry(delivery, card)
        for _ in tried.attempts[1:]:
            self.gate.spend(self._clock.monotonic(), delivery.target)
        if delivery is claim.delivery:
            return tried
        return dataclasses.replace(tried, told=delivery.message)

    def _log_end(self, delivery: Delivery, outcome: Outcome) -> None:
        about = {"job": delivery.event.subject, "what": delivery.event.type}
        match outcome.state:
            case DeliveryState.DELIVERED:
                self._log.debug("delivered", **about)
            case DeliveryState.DEAD:
                self._log.error("dead", error=outcome.detail, **about)
            case DeliveryState.SUPPRESSED:
                self._log.warning("handed_on", why=outcome.detail, **about)
