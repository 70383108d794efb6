"""What the tests of the delivery room share: settings, claims, and a world in virtual time."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from notifyd.channels.base import Channel, Receipt
from notifyd.channels.failures import TemporaryFailure
from notifyd.channels.settings import ChannelSettings, RateLimit
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.verdict import SettingsOf
from notifyd.delivery.worker import Worker
from notifyd.model import Delivery, DeliveryState, Event
from notifyd.outbox.records import Claim, Lease
from notifyd.outbox.store import Outbox
from tests.fakes import PlainSettings, a_delivery
from tests.simulation.loop import START, VirtualClock, run_virtual

IN_MEMORY = Path(":memory:")
"""Real SQLite, for tests that open very many stores."""


class ManySettings(PlainSettings):
    """Settings of a channel with several addresses behind it."""

    to: tuple[str, ...] = ("a", "b")
    to_one: RateLimit | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        return self.to

    @property
    def target_limit(self) -> RateLimit | None:
        return self.to_one


def plain(**changes: object) -> PlainSettings:
    return PlainSettings.model_validate({"type": "fake", **changes})


def many(**changes: object) -> ManySettings:
    return ManySettings.model_validate({"type": "fake", **changes})


def quick(**changes: object) -> PlainSettings:
    """Return settings of a channel that may be used as fast as it can be."""
    limit = {"max_requests": 1000, "window": 1, "burst": 1000}
    return plain(rate_limit=limit, **changes)


def deliveries(number: int, prefix: str = "d", group: str | None = None) -> list[Delivery]:
    """Return so many, each of a job of its own unless a group is named."""
    story = {} if group is None else {"group": group}
    return [at(a_delivery(f"{prefix}{n}", **story), created=START) for n in range(number)]


def a_claim(delivery: Delivery | None = None, **changes: object) -> Claim:
    """Return a delivery as it is in hand for the first time."""
    told = dataclasses.replace(delivery or a_delivery(), **changes)  # type: ignore[arg-type]
    return Claim(delivery=told, fence=1, lane=told.event.group)


SLOW = {"max_requests": 1, "window": 10, "burst": 2}
SLOWER = {"max_requests": 1, "window": 60, "burst": 1}


def a_gate(**changes: object) -> Gate:
    return Gate(plain(**changes), 0.0)


def a_gate_of_many(**changes: object) -> Gate:
    return Gate(many(**changes), 0.0)


def open_up(gate: Gate, now: float = 0.0) -> Gate:
    while not gate.failed(now):
        pass
    return gate


def waits(gate: Gate, now: float, target: str) -> float:
    """Return the seconds until a message to this address may go."""
    return max(gate.wait(now), gate.target_wait(now, target))


def busy_for(seconds: float, *, only_target: bool = False) -> TemporaryFailure:
    """Return what a service's 429 becomes."""
    return TemporaryFailure("429", seconds, status=429, only_target=only_target, busy=True)


def at(delivery: Delivery, **changes: object) -> Delivery:
    """Return the delivery with other times, or another target."""
    return dataclasses.replace(delivery, **changes)  # type: ignore[arg-type]


def a_lease() -> Lease:
    return Lease(owner="me", now=START, until=START + 95)


async def states(outbox: Outbox) -> dict[str, DeliveryState]:
    return {record.id: record.state for record in await outbox.history(100_000)}


@dataclass(slots=True)
class TimedChannel:
    """Takes its time over each message, fails as it is told, and notes what was on its way."""

    clock: VirtualClock
    takes: Callable[[Delivery], float] = lambda delivery: 1.0
    fails: Callable[[Delivery], Exception | None] = lambda delivery: None
    on_way: list[Delivery] = field(default_factory=list)
    begun: list[tuple[float, str]] = field(default_factory=list)
    """When (seconds from the start) each try began, and of what."""
    sent: list[Delivery] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    """How many attempts each had behind it when it was tried."""
    most: int = 0
    twice: list[str] = field(default_factory=list)
    """Lanes of which two were on their way at the same time."""

    async def send(self, delivery: Delivery) -> Receipt:
        self._begin(delivery)
        try:
            await self.clock.wait(asyncio.Event(), self.takes(delivery))
        finally:
            self.on_way.remove(delivery)
        failure = self.fails(delivery)
        if failure is not None:
            raise failure
        self.sent.append(delivery)
        return Receipt(ref=f"ref-{delivery.id}", status=200)

    def _begin(self, delivery: Delivery) -> None:
        lane = (delivery.target, delivery.event.group)
        if lane in [(one.target, one.event.group) for one in self.on_way]:
            self.twice.append(delivery.event.group)
        self.on_way.append(delivery)
        self.most = max(self.most, len(self.on_way))
        self.begun.append((self.clock.now() - START, delivery.id))
        self.counted.append(delivery.attempts)

    @property
    def ids(self) -> list[str]:
        return [delivery.id for delivery in self.sent]


@dataclass(slots=True, kw_only=True)
class World:
    """A store, a clock, and the tasks of whoever works here."""

    outbox: Outbox
    clock: VirtualClock
    group: asyncio.TaskGroup
    told: list[Event] = field(default_factory=list)
    """What was said of channels in trouble."""
    workers: dict[str, Worker] = field(default_factory=dict)

    async def _tell(self, events: Sequence[Event]) -> None:
        self.told.extend(events)

    def _wake(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.workers:
                self.workers[name].wake()

    def desk(self, settings_of: SettingsOf = lambda name: PlainSettings()) -> Desk:
        return Desk(
            outbox=self.outbox,
            clock=self.clock,
            mutes=Mutes(self.outbox),
            tell=self._tell,
            wake=self._wake,
            settings_of=settings_of,
            chance=lambda: 1.0,
        )

    def start(
        self,
        channel: Channel,
        settings: ChannelSettings,
        name: str = "team",
        desk: Desk | None = None,
    ) -> tuple[Worker, asyncio.Task[None]]:
        gate = Gate(settings, self.clock.monotonic())
        worker = Worker(name, channel, settings, desk or self.desk(), gate)
        self.workers[name] = worker
        return worker, self.group.create_task(worker.run())

    async def sleep(self, seconds: float) -> None:
        await self.clock.wait(asyncio.Event(), seconds)

    async def until(self, done: Callable[[], bool], within: float = 3600.0) -> None:
        """Let virtual time pass until it is so; fail after so many seconds of it."""
        end = self.clock.monotonic() + within
        while not done():
            assert self.clock.monotonic() < end, f"not so within {within:g} s"
            await self.sleep(0.1)

    async def until_owed_nothing(self, within: float = 3600.0) -> None:
        end = self.clock.monotonic() + within
        while backlog := await self.outbox.backlog():
            assert self.clock.monotonic() < end, f"after {within:g} s there is still {backlog}"
            await self.sleep(1.0)


@asynccontextmanager
async def a_world(clock: VirtualClock, outbox: Outbox) -> AsyncIterator[World]:
    """Open the store; at the end everybody who still works is cancelled, and the store closed."""
    await outbox.open()
    try:
        async with asyncio.TaskGroup() as group:
            before = asyncio.all_tasks()
            yield World(outbox=outbox, clock=clock, group=group)
            for task in asyncio.all_tasks() - before:
                task.cancel()
    finally:
        await outbox.close()


def play(
    story: Callable[[World], Awaitable[None]],
    path: Path = IN_MEMORY,
    store: Callable[[Path], Outbox] = Outbox,
) -> None:
    """Play a story in virtual time, from the opening of its store to the close."""

    async def whole(clock: VirtualClock) -> None:
        async with a_world(clock, store(path)) as world:
            await story(world)

    run_virtual(whole)
