"""Dead letters: shown, owed again, or forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from notifyd.clock import Clock
from notifyd.control.actions import NotAllowed
from notifyd.control.names import find_record, find_worker
from notifyd.control.views import DeadLetters, Retried
from notifyd.delivery.fleet import Fleet
from notifyd.delivery.mutes import Mutes
from notifyd.model import DeliveryState
from notifyd.outbox.records import Record
from notifyd.outbox.store import Outbox

TRIED_AGAIN = 86400.0
"""Seconds for which a dead letter that is owed again is tried."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters of all channels."""

    outbox: Outbox
    fleet: Fleet
    mutes: Mutes
    clock: Clock

    async def show(self, limit: int, channel: str | None) -> DeadLetters:
        """Return the newest, and how many there are."""
        counts = await self.outbox.dead_counts()
        self._check_name(channel, counts)
        letters = await self.outbox.history(limit, channel, DeliveryState.DEAD)
        return DeadLetters(counts=counts, deliveries=tuple(letters))

    async def retry(self, id: str | None, channel: str | None) -> Retried:
        """Owe one again, or all of a channel, or all of every channel that can be told now."""
        if id is None and channel is None:
            return await self._retry_all()
        if id is not None:
            letter = await self._letter(id)
            id, channel = letter.id, letter.channel
        return Retried(retried=await self._revive(id, self._open(channel or "")), left={})

    async def purge(self, id: str | None, channel: str | None) -> int:
        """Forget one, or all (of a channel, which need not be configured any more)."""
        if id is not None:
            id = (await self._letter(id)).id
        else:
            self._check_name(channel, await self.outbox.dead_counts())
        return await self.outbox.forget_dead(id, channel)

    def _check_name(self, channel: str | None, counts: Mapping[str, int]) -> None:
        """Raise NotAllowed for a channel that is not configured, and has left nothing either."""
        if channel is not None and channel not in counts:
            find_worker(self.fleet, channel)

    async def _retry_all(self) -> Retried:
        counts = await self.outbox.dead_counts()
        shut = {name: number for name, number in counts.items() if self._why_shut(name)}
        retried = [await self._revive(None, name) for name in counts if name not in shut]
        return Retried(retried=sum(retried), left=shut)

    async def _revive(self, id: str | None, channel: str) -> int:
        now = self.clock.now()
        number = await self.outbox.revive(id, channel, now, now + TRIED_AGAIN)
        self.fleet.wake([channel])
        return number

    async def _letter(self, id: str) -> Record:
        record = await find_record(self.outbox, id)
        if record.state is not DeliveryState.DEAD:
            raise NotAllowed(f"{record.id[:8]} is no dead letter, it is {record.state}")
        return record

    def _open(self, channel: str) -> str:
        """Return the channel if it would tell: what a muted one is owed is suppressed."""
        find_worker(self.fleet, channel)
        why = self._why_shut(channel)
        if why is not None:
            raise NotAllowed(
                f"{channel} is {why}, and tells nobody; `notifyd unmute {channel}` first"
            )
        return channel

    def _why_shut(self, channel: str) -> str | None:
        if channel not in self.fleet.workers:
            return "not configured"
        return self.mutes.why(channel, self.clock.now())
