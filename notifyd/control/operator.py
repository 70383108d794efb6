"""Carries out what is asked on the control socket, with the parts that the daemon hands it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from notifyd import __version__
from notifyd.bus import Bus, NotTaken
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.clock import Clock
from notifyd.control.actions import NotAllowed
from notifyd.control.letters import Letters
from notifyd.control.names import find_record, find_worker
from notifyd.control.overview import Stock, channel_view, cluster_view, collection_views
from notifyd.control.spoken import test_delivery, text_event
from notifyd.control.views import CollectionView, DeadLetters, Retried, StatusView
from notifyd.delivery.fleet import Fleet
from notifyd.delivery.mutes import Mutes
from notifyd.model import DeliveryState
from notifyd.outbox.records import Record
from notifyd.outbox.store import Outbox
from notifyd.slurm.poller import Poller
from notifyd.user import user_name


@dataclass(slots=True)
class ConfigState:
    """Which configuration runs, and what became of the last try to change it."""

    path: str
    loaded: float
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Implements Actions."""

    outbox: Outbox
    bus: Bus
    fleet: Fleet
    mutes: Mutes
    clock: Clock
    config: ConfigState
    started: float
    pollers: Callable[[], Sequence[Poller]]
    reload_config: Callable[[], Awaitable[None]]
    set_collection: Callable[[str, Mapping[str, object] | None], Awaitable[None]]

    async def status(self) -> StatusView:
        """Return how the daemon, the watching, the store and each channel are."""
        stock = await Stock.take(self.outbox)
        workers = self.fleet.workers
        return StatusView(
            version=__version__,
            user=user_name(),
            pid=os.getpid(),
            started=self.started,
            uptime_seconds=self.clock.now() - self.started,
            config=self.config.path,
            config_loaded=self.config.loaded,
            config_trouble=self.config.trouble,
            store=stock.view,
            clusters=tuple(map(cluster_view, self.pollers())),
            channels=tuple(
                channel_view(one, stock, self.mutes, self.clock) for one in workers.values()
            ),
            unconfigured_backlog=stock.strangers(workers),
        )

    async def history(
        self, limit: int, channel: str | None, state: DeliveryState | None
    ) -> list[Record]:
        """Return the last deliveries, newest first."""
        return await self.outbox.history(limit, channel, state)

    async def delivery(self, id: str) -> Record:
        """Return one delivery."""
        return await find_record(self.outbox, id)

    async def dead(self, limit: int, channel: str | None) -> DeadLetters:
        """Return what was given up, newest first."""
        return await self._letters.show(limit, channel)

    async def retry(self, id: str | None, channel: str | None) -> Retried:
        """Owe dead letters again."""
        return await self._letters.retry(id, channel)

    async def purge(self, id: str | None, channel: str | None) -> int:
        """Forget dead letters."""
        return await self._letters.purge(id, channel)

    async def reload(self) -> None:
        """Read the configuration anew."""
        await self.reload_config()

    async def collections(self) -> list[CollectionView]:
        """Return the collections that are told of, and how far each is."""
        return [view for poller in self.pollers() for view in collection_views(poller)]

    async def change_collection(self, name: str, settings: Mapping[str, object] | None) -> None:
        """Set or remove a collection; what is configured elsewhere cannot be removed here."""
        await self.set_collection(name, settings)

    async def mute(self, channel: str, seconds: float | None) -> None:
        """Switch a channel off."""
        worker = find_worker(self.fleet, channel)
        await self.mutes.mute(channel, None if seconds is None else self.clock.now() + seconds)
        worker.wake()

    async def unmute(self, channel: str) -> None:
        """Switch a channel on again."""
        worker = find_worker(self.fleet, channel)
        await self.mutes.unmute(channel)
        worker.wake()

    async def test(self, channel: str) -> None:
        """Try the channel at once, past its queue; when it works again, its queue moves on."""
        worker = find_worker(self.fleet, channel)
        try:
            await worker.channel.send(test_delivery(channel, self.clock.now()))
        except (TemporaryFailure, PermanentFailure) as failure:
            raise NotAllowed(f"{channel}: {failure.reason}", status=502) from failure
        if worker.gate.refusal is not None:
            worker.readmit()

    async def send(self, text: str, channel: str, id: str | None) -> str:
        """Owe a text to a channel; return the event's id."""
        find_worker(self.fleet, channel)
        event = text_event(text, channel, id, self.clock.now())
        try:
            await self.bus.publish([event])
        except NotTaken as error:
            raise NotAllowed(f"not stored: {error}", status=503) from error
        return event.id

    @property
    def _letters(self) -> Letters:
        return Letters(self.outbox, self.fleet, self.mutes, self.clock)
