"""Nobody waits without an end while something is owed, and nobody is stopped by one message."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path

from notifyd.bus import NotTaken
from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.delivery.alarms import WORTH_TELLING
from notifyd.delivery.fleet import Fleet, Place
from notifyd.delivery.worker import PATIENCE, Worker
from notifyd.model import Delivery, DeliveryState, Event
from notifyd.outbox.records import Claim, Lease
from notifyd.outbox.store import Outbox
from tests.delivery.parts import TimedChannel, World, plain, play, states
from tests.fakes import a_delivery, owed
from tests.simulation.loop import START

GRACE = 6.0


def down(delivery: Delivery) -> Exception | None:
    return TemporaryFailure("down")


class Stubborn(TimedChannel):
    """Takes its leave of the service before it lets itself be cut off."""

    async def send(self, delivery: Delivery) -> Receipt:
        try:
            return await super().send(delivery)
        finally:
            await self.clock.wait(asyncio.Event(), 1.0)


def test_a_reload_while_a_message_hangs_loses_no_time() -> None:
    """It is cut off after the grace, and the new worker sends it when it is let go."""

    async def story(world: World) -> None:
        def spawn(work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
            return world.group.create_task(work, name=name)

        fleet = Fleet(world.desk(), spawn, GRACE)
        hanging = Stubborn(world.clock, takes=lambda delivery: 1e6)
        good = TimedChannel(world.clock)
        await world.outbox.add(owed(a_delivery()))
        await fleet.swap({"team": Place(channel=hanging, settings=plain())})
        await world.until(lambda: len(hanging.on_way) == 1)
        await fleet.swap({"team": Place(channel=good, settings=plain(timeout="5s"))})
        await world.until(lambda: good.ids == ["d1"], within=10)

    play(story)


def test_one_message_that_fails_for_long_is_told_of_in_time() -> None:
    """Its next try may be a quarter of an hour away; the trouble is looked at all the same."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock, takes=lambda delivery: 0.1, fails=down)
        await world.outbox.add(owed(a_delivery()))
        breaker = {"failure_threshold": 1}
        world.start(channel, plain(retry={"initial_delay": "15m"}, circuit_breaker=breaker))
        await world.until(lambda: bool(world.told), within=WORTH_TELLING + PATIENCE + 5)

    play(story)


def test_an_end_that_nobody_took_is_told_again() -> None:
    """The store was full when it was to be told; nothing else happens afterwards."""
    refused: list[str] = []
    taken: list[str] = []

    async def tell(events: Sequence[Event]) -> None:
        (event,) = events
        if event.type == "channel_recovered" and not refused:
            refused.append(event.type)
            raise NotTaken("the disk is full")
        taken.append(event.type)

    async def story(world: World) -> None:
        def fails(delivery: Delivery) -> Exception | None:
            return down(delivery) if world.clock.now() < START + 300 else None

        await world.outbox.add(owed(*(a_delivery(f"d{n}") for n in range(2))))
        desk = replace(world.desk(), tell=tell)
        world.start(TimedChannel(world.clock, fails=fails), plain(), desk=desk)
        await world.until(lambda: len(taken) == 2, within=7200)
        assert taken == ["channel_degraded", "channel_recovered"]

    play(story)


class StoppingOutbox(Outbox):
    """A real store; while it is looked into, its worker is told to stop."""

    worker: Worker | None = None

    async def claim(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        if self.worker is not None:
            self.worker.stop()
        return await super().claim(channel, lease, limit)


def test_a_stop_while_it_looks_begins_nothing() -> None:
    """What it has found then is owed again."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        await world.outbox.add(owed(a_delivery()))
        worker, task = world.start(channel, plain())
        assert isinstance(world.outbox, StoppingOutbox)
        world.outbox.worker = worker
        await asyncio.wait([task])
        assert channel.begun == []
        assert await states(world.outbox) == {"d1": DeliveryState.PENDING}

    play(story, store=StoppingOutbox)


def test_a_reason_that_cannot_be_stored_stops_nobody() -> None:
    """Half of an emoji, cut off by the service: it is one message's trouble, not the daemon's."""

    async def story(world: World) -> None:
        def fails(delivery: Delivery) -> Exception | None:
            if delivery.id == "bad" and len(channel.begun) == 1:
                return TemporaryFailure("oops \ud83d")
            return None

        channel = TimedChannel(world.clock, fails=fails)
        await world.outbox.add(owed(a_delivery("bad"), a_delivery("good")))
        world.start(channel, plain())
        await world.until_owed_nothing(within=600)
        assert sorted(channel.ids) == ["bad", "good"]

    play(story)


def test_a_refused_channel_is_mended_by_a_reload(tmp_path: Path) -> None:
    """What waited for it is sent then, and it is not knocked at before."""

    async def story(world: World) -> None:
        mended = False

        def fails(delivery: Delivery) -> Exception | None:
            return None if mended else PermanentFailure("401", fault=Fault.CHANNEL)

        channel = TimedChannel(world.clock, fails=fails)
        await world.outbox.add(owed(*(a_delivery(f"d{n}") for n in range(5))))
        worker, _ = world.start(channel, plain())
        await world.sleep(3600)
        assert len(channel.begun) == 1
        assert [event.type for event in world.told] == ["channel_disabled"]
        mended = True
        worker.readmit()
        await world.until_owed_nothing(within=60)
        assert len(channel.sent) == 5

    play(story, tmp_path / "outbox.sqlite")
