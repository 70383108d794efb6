"""One daemon's life: the real parts, joined as the daemon joins them, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from notifyd.bus import Bus
from notifyd.clock import Clock
from notifyd.delivery.desk import Desk
from notifyd.delivery.fleet import Fleet, Place
from notifyd.delivery.intake import Intake, Rules
from notifyd.delivery.mutes import Mutes
from notifyd.model import Event
from notifyd.outbox.errors import OutboxError
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router, Subscriber
from tests.simulation.disk import Disk, SimulatedOutbox
from tests.simulation.receiver import Door, Receiver
from tests.simulation.scenario import Channels

GRACE = 6.0
Publish = Callable[[Sequence[Event]], Awaitable[None]]
the_renderer = functools.cache(Renderer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What outlives a daemon."""

    clock: Clock
    disk: Disk
    receivers: Callable[[str], Receiver]
    chance: Random
    source: Callable[[Life], Coroutine[None, None, None]]
    """Publishes what there is to tell."""


class Life:
    """A daemon that is started, and ends when it is stopped or killed."""

    def __init__(self, machine: Machine, channels: Channels) -> None:
        self.outbox = SimulatedOutbox(machine.disk, self._die)
        self.bus = Bus()
        self.stopping = asyncio.Event()
        self._has_begun = False
        self.task: asyncio.Task[None] | None = None
        self._machine = machine
        self._channels = channels
        self._reloading = asyncio.Lock()
        self._passing: list[asyncio.Task[None]] = []
        self._mutes = Mutes(self.outbox)
        desk = Desk(
            outbox=self.outbox,
            clock=machine.clock,
            mutes=self._mutes,
            tell=self.bus.publish,
            wake=self._wake,
            settings_of=lambda name: self.intake.rules.channels.get(name),
            chance=machine.chance.random,
        )
        self.fleet = Fleet(desk, self._spawn, GRACE)
        self.intake = Intake(self.outbox, machine.clock, self._wake, rules_of(channels))

    @property
    def is_well(self) -> bool:
        """Whether it has begun, and nothing ends it yet."""
        return self._has_begun and not (self.stopping.is_set() or self.outbox.is_dead)

    async def live(self) -> None:
        """Run until it is stopped or killed."""
        try:
            await self.outbox.open()
            await self._mutes.restore()
            with self.bus.subscribe("intake", lossless=True) as inbox:
                async with asyncio.TaskGroup() as self._group:
                    intake = self._spawn(self.intake.run(inbox), "intake")
                    await self.fleet.swap(self._places(self._channels))
                    self._has_begun = True
                    self.let(self._machine.source(self))
                    await self.stopping.wait()
                    await self._stop(intake)
        finally:
            await self.outbox.bury()

    def let(self, work: Coroutine[None, None, None]) -> None:
        """Do something for as long as it lives."""
        self._passing.append(self._spawn(work, "passing"))

    def attempt(self, work: Coroutine[None, None, None]) -> None:
        """Do something that a failing disk may keep from being done."""
        self.let(_attempted(work))

    async def reload(self, channels: Channels) -> None:
        """Swap the settings."""
        async with self._reloading:
            self.intake.rules = rules_of(channels)
            await self.fleet.swap(self._places(channels))

    async def mute(self, name: str, seconds: float) -> None:
        """Switch a channel off for a while."""
        await self._mutes.mute(name, self._machine.clock.now() + seconds)
        self.fleet.wake([name])

    def readmit(self) -> None:
        """Let the channels that were refused try again; no other one is woken by this."""
        for worker in self.fleet.workers.values():
            if worker.gate.refusal is not None:
                worker.readmit()

    def _wake(self, names: Iterable[str]) -> None:
        self.fleet.wake(sorted(names))  # in one order, so that a run can be replayed

    async def _stop(self, intake: asyncio.Task[None]) -> None:
        for task in self._passing:
            task.cancel()
        await self.fleet.stop()
        intake.cancel()

    def _places(self, channels: Channels) -> dict[str, Place]:
        door = Door(
            worker=self.fleet.workers.get,
            is_open=lambda: not self.outbox.is_dead,
            kill=self.outbox.kill,
        )
        return {
            name: Place(channel=self._machine.receivers(name).channel(door), settings=one)
            for name, one in channels.items()
        }

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        return self._group.create_task(work, name=name)

    def _die(self) -> None:
        if self.task is not None:
            self.task.cancel()


async def _attempted(work: Coroutine[None, None, None]) -> None:
    with contextlib.suppress(OutboxError):
        await work


def rules_of(channels: Channels) -> Rules:
    """Return the rules that come from these settings."""
    subscribers = tuple(
        Subscriber(channel=name, patterns=one.events) for name, one in channels.items()
    )
    return Rules(
        router=Router(subscribers=subscribers), renderer=the_renderer(), channels=dict(channels)
    )
