"""Carries out what is asked on the control socket, with the parts that the daemon hands it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifyd import __version__
from notifyd.bus import Bus, NotTaken
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.clock import Clock
from notifyd.control.actions import ChannelView, ClusterView, CollectionView, NotAllowed, StatusView
from notifyd.delivery.breaker import State
from notifyd.delivery.fleet import Fleet
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.worker import Worker
from notifyd.events.catalogue import CATALOGUE
from notifyd.model import Delivery, Event, Scalar, derived_id
from notifyd.outbox.records import Backlog, Record
from notifyd.outbox.store import Outbox
from notifyd.rendering.renderer import Renderer
from notifyd.slurm.collections.chapter import summary
from notifyd.slurm.poller import Poller


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
        """Return how the daemon, the watching and each channel are."""
        now = self.clock.now()
        backlog = await self.outbox.backlog()
        workers = self.fleet.workers
        return StatusView(
            version=__version__,
            pid=os.getpid(),
            started=self.started,
            uptime_seconds=now - self.started,
            config=self.config.path,
            config_loaded=self.config.loaded,
            config_trouble=self.config.trouble,
            clusters=tuple(_cluster(poller) for poller in self.pollers()),
            channels=tuple(self._channel(one, backlog.get(one.name)) for one in workers.values()),
            unconfigured_backlog={
                name: owed.pending for name, owed in backlog.items() if name not in workers
            },
        )

    async def history(self, limit: int, channel: str | None) -> list[Record]:
        """Return the last deliveries, newest first."""
        return await self.outbox.history(limit, channel)

    async def reload(self) -> None:
        """Read the configuration anew."""
        await self.reload_config()

    async def collections(self) -> list[CollectionView]:
        """Return the collections that are told of, and how far each is."""
        return [view for poller in self.pollers() for view in _collections(poller)]

    async def change_collection(self, name: str, settings: Mapping[str, object] | None) -> None:
        """Set or remove a collection; what is configured elsewhere cannot be removed here."""
        await self.set_collection(name, settings)

    async def mute(self, channel: str, seconds: float | None) -> None:
        """Switch a channel off."""
        worker = self._worker(channel)
        await self.mutes.mute(channel, None if seconds is None else self.clock.now() + seconds)
        worker.wake()

    async def unmute(self, channel: str) -> None:
        """Switch a channel on again."""
        worker = self._worker(channel)
        await self.mutes.unmute(channel)
        worker.wake()

    async def test(self, channel: str) -> None:
        """Try the channel at once, past its queue, and say how it went."""
        worker = self._worker(channel)
        try:
            await worker.channel.send(self.test_delivery(channel, self.clock.now()))
        except (TemporaryFailure, PermanentFailure) as failure:
            raise NotAllowed(f"{channel}: {failure.reason}", status=502) from failure

    @staticmethod
    def test_delivery(channel: str, now: float) -> Delivery:
        """Return a message that says only that the channel works."""
        event = _spoken("test", secrets.token_hex(8), now, {"channel": channel})
        message = Renderer().render(event)
        return Delivery(
            id=derived_id(event.id, channel), channel=channel, event=event, message=message
        )

    async def send(self, text: str, channel: str, id: str | None) -> str:
        """Owe a text to a channel; return the event's id."""
        self._worker(channel)
        clean = text.encode("utf-8", "replace").decode()
        data: dict[str, Scalar] = {"text": clean, "channel": channel}
        event = _spoken("message", id or secrets.token_hex(16), self.clock.now(), data)
        try:
            await self.bus.publish([event])
        except NotTaken as error:
            raise NotAllowed(f"not stored: {error}", status=503) from error
        return event.id

    def _worker(self, channel: str) -> Worker:
        try:
            return self.fleet.workers[channel]
        except KeyError:
            there = ", ".join(self.fleet.workers) or "none"
            text = f"no channel `{channel}`; there are: {there}"
            raise NotAllowed(text, status=404) from None

    def _channel(self, worker: Worker, owed: Backlog | None) -> ChannelView:
        now = self.clock.monotonic()
        muted = self.mutes.why(worker.name, self.clock.now())
        return ChannelView(
            name=worker.name,
            kind=worker.settings.type,
            state=_state(worker, muted, now),
            events=worker.settings.events,
            breaker=worker.gate.breaker.state(now),
            tokens=round(worker.gate.bucket.level(now), 1),
            burst=worker.gate.bucket.burst,
            backlog=owed.pending if owed else 0,
            oldest=owed.oldest if owed else None,
            muted=muted,
            last_error=worker.last_error,
        )


def _cluster(poller: Poller) -> ClusterView:
    health = poller.health
    return ClusterView(
        name=health.cluster or poller.watch or None,
        jobs=health.jobs,
        last_poll=health.last_poll,
        next_poll=health.next_poll,
        unreachable_since=health.unreachable_since,
        trouble=health.trouble,
        accounting=health.accounting,
        accounting_trouble=health.accounting_trouble,
    )


def _collections(poller: Poller) -> Iterator[CollectionView]:
    for chapter in poller.chapters.values():
        yield CollectionView(
            name=chapter.name,
            cluster=chapter.cluster,
            total=chapter.known,
            done=chapter.done,
            outcomes=summary(chapter),
        )


def _state(worker: Worker, muted: str | None, now: float) -> str:
    if muted:
        return "muted"
    if worker.gate.breaker.state(now) is not State.CLOSED:
        return "down"
    return "failing" if worker.last_error else "ok"


def _spoken(kind: str, id: str, now: float, data: dict[str, Scalar]) -> Event:
    """Return an event that a person made with a command."""
    event_id = derived_id(kind, id)
    return Event(
        id=event_id,
        type=kind,
        severity=CATALOGUE[kind].severity,
        time=now,
        source="/notifyd",
        subject=kind,
        group=f"{kind}/{event_id}",
        data=data,
    )
