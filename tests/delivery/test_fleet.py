"""The fleet runs the channels of the configuration, and no others, to the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from notifyd.channels.base import Receipt
from notifyd.delivery.desk import Desk
from notifyd.delivery.fleet import Fleet, Place
from notifyd.delivery.gate import Gate
from notifyd.delivery.mutes import Mutes
from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Outcome
from notifyd.outbox.store import Outbox
from tests.fakes import FakeChannel, FakeClock, PlainSettings, a_delivery, owed

LONG = 30.0
SHORT = 0.05


@dataclass(slots=True)
class SlowChannel:
    """Comes back from a message when it is told to."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[str] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> Receipt:
        self.begun.set()
        await self.goes_on.wait()
        self.sent.append(delivery.id)
        return Receipt()


class FailingOutbox(Outbox):
    """A real store that writes down no outcome while it fails."""

    fails = False

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        if self.fails:
            raise OutboxError("disk full")
        return await super().settle(outcomes, notes)


@dataclass(slots=True)
class Harbour:
    """A fleet, and every task that it has started."""

    outbox: Outbox
    grace: float = LONG
    tasks: dict[str, list[asyncio.Task[None]]] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        desk = Desk(outbox=self.outbox, clock=self.clock, mutes=Mutes(self.outbox))
        self.fleet = Fleet(desk, self._spawn, self.grace)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.setdefault(name.removeprefix("worker "), []).append(task)
        return task

    @property
    def all_tasks(self) -> list[asyncio.Task[None]]:
        return [task for started in self.tasks.values() for task in started]

    async def ended(self, name: str, number: int = 0) -> asyncio.Task[None]:
        """Wait for the end of the n-th worker of that name."""
        task = self.tasks[name][number]
        async with asyncio.timeout(10):
            await asyncio.wait([task])
        return task

    async def all_ended(self) -> None:
        """Wait for the end of every worker. Raises TimeoutError."""
        async with asyncio.timeout(10):
            await asyncio.wait(self.all_tasks)


@asynccontextmanager
async def a_harbour(outbox: Outbox, grace: float = LONG) -> AsyncIterator[Harbour]:
    harbour = Harbour(outbox, grace)
    try:
        async with asyncio.timeout(20):
            yield harbour
    finally:
        for task in harbour.all_tasks:
            task.cancel()
        await asyncio.gather(*harbour.all_tasks, return_exceptions=True)


def a_place(channel: FakeChannel | SlowChannel | None = None, **settings: object) -> Place:
    checked = PlainSettings.model_validate({"type": "fake", **settings})
    return Place(channel=channel or FakeChannel(), settings=checked)


async def hanging(harbour: Harbour, channel: SlowChannel, name: str = "team") -> None:
    """Start this channel, and wait until it hangs in a message."""
    await harbour.outbox.add(owed(a_delivery("d1", channel=name)))
    await harbour.fleet.swap({name: a_place(channel)})
    await channel.begun.wait()


async def end_of(outbox: Outbox) -> DeliveryState:
    (record,) = await outbox.history(1)
    return record.state


async def test_what_has_not_changed_goes_on_untouched(outbox: Outbox) -> None:
    """A reload that changes one channel leaves the others' worker, queue and gate alone."""
    async with a_harbour(outbox) as harbour:
        await harbour.fleet.swap({"team": a_place(), "mail": a_place()})
        before = dict(harbour.fleet.workers)
        await harbour.fleet.swap({"team": a_place(), "mail": a_place(timeout="5s")})

        assert harbour.fleet.workers["team"] is before["team"]
        assert harbour.fleet.workers["mail"] is not before["mail"]
        assert [len(harbour.tasks[name]) for name in ("team", "mail")] == [1, 2]


async def test_a_changed_channel_sends_with_its_new_settings(outbox: Outbox) -> None:
    """The old worker has ended before the new one begins: nothing is sent by both."""
    new = FakeChannel()
    async with a_harbour(outbox) as harbour:
        await harbour.fleet.swap({"team": a_place()})
        sent = asyncio.Event()
        new.on_send = lambda delivery: sent.set()
        await harbour.fleet.swap({"team": a_place(new, timeout="5s")})
        assert harbour.tasks["team"][0].done()
        await outbox.add(owed(a_delivery("d1")))
        harbour.fleet.wake(["team", "nobody"])
        await sent.wait()

    assert [delivery.id for delivery in new.sent] == ["d1"]


async def test_a_reload_does_not_refill_a_bucket_or_close_a_breaker(outbox: Outbox) -> None:
    """While the limits are the same, the new worker goes on with the old gate."""
    async with a_harbour(outbox) as harbour:
        await harbour.fleet.swap({"team": a_place()})
        gate = harbour.fleet.workers["team"].gate
        await harbour.fleet.swap({"team": a_place(timeout="5s")})
        assert harbour.fleet.workers["team"].gate is gate

        await harbour.fleet.swap({"team": a_place(rate_limit={"burst": 3})})
        changed = harbour.fleet.workers["team"].gate
        assert changed is not gate
        assert changed.bucket.burst == 3

        breaker = {"failure_threshold": 1}
        await harbour.fleet.swap(
            {"team": a_place(rate_limit={"burst": 3}, circuit_breaker=breaker)}
        )
        assert harbour.fleet.workers["team"].gate is not changed


async def test_a_reload_forgets_no_pause_that_was_not_read_yet(outbox: Outbox) -> None:
    """It comes so soon after the start that the old worker has not looked at what is stored."""
    before = Gate(a_place().settings, 0.0)
    before.pause(60.0)
    await outbox.write_note("gate/team", before.dump(0.0, FakeClock().now()))
    async with a_harbour(outbox) as harbour:
        await harbour.fleet.swap({"team": a_place()})
        await harbour.fleet.swap({"team": a_place(rate_limit={"burst": 3})})
        worker = harbour.fleet.workers["team"]
        await worker.condition.attend()

        assert worker.gate.wait(FakeClock().monotonic()) == 60


async def test_what_the_old_worker_could_not_give_back_is_sent_by_the_new(tmp_path: Path) -> None:
    """The store fails while it ends: no lease has to run out first."""
    outbox = FailingOutbox(tmp_path / "outbox.sqlite")
    await outbox.open()
    old, new, told = SlowChannel(), FakeChannel(), asyncio.Event()
    new.on_send = lambda delivery: told.set() if len(new.sent) == 3 else None
    async with a_harbour(outbox, SHORT) as harbour:
        await outbox.add(owed(*(a_delivery(f"d{n}") for n in range(4))))
        await harbour.fleet.swap({"team": a_place(old, concurrency=1)})
        await old.begun.wait()
        outbox.fails = True
        await harbour.fleet.swap({"team": a_place(new, concurrency=1, timeout="5s")})
        outbox.fails = False
        began = harbour.clock.now()
        await told.wait()
        assert harbour.clock.now() - began < 60
        await harbour.fleet.stop()

    assert sorted(one.id for one in new.sent) == ["d0", "d1", "d2", "d3"]
    await outbox.close()


async def test_a_removed_channel_stops(outbox: Outbox) -> None:
    """Its worker ends by itself, and what it owes stays owed."""
    async with a_harbour(outbox) as harbour:
        await harbour.fleet.swap({"team": a_place(), "mail": a_place()})
        await harbour.fleet.swap({"mail": a_place()})
        task = await harbour.ended("team")
        await outbox.add(owed(a_delivery("d1")))
        harbour.fleet.wake(["team"])

        assert not task.cancelled()
        assert set(harbour.fleet.workers) == {"mail"}
        assert (await outbox.backlog())["team"].pending == 1


async def test_a_stop_lets_the_message_in_flight_finish(outbox: Outbox) -> None:
    """Within the grace it is sent, and noted as sent; the next one is not begun."""
    channel = SlowChannel()
    async with a_harbour(outbox) as harbour:
        await hanging(harbour, channel)
        await outbox.add(owed(a_delivery("d2")))
        async with asyncio.TaskGroup() as group:
            group.create_task(harbour.fleet.stop())
            asyncio.get_running_loop().call_soon(channel.goes_on.set)
        task = await harbour.ended("team")
        newest, oldest = await outbox.history(2)

        assert not task.cancelled()
        assert channel.sent == ["d1"]
        assert (oldest.state, newest.state) == (DeliveryState.DELIVERED, DeliveryState.PENDING)


async def test_a_stop_cuts_off_what_takes_longer_than_the_grace(outbox: Outbox) -> None:
    """It stays owed, without an attempt that failed, for the next start."""
    channel = SlowChannel()
    async with a_harbour(outbox, SHORT) as harbour:
        await hanging(harbour, channel)
        await harbour.fleet.stop()
        task = await harbour.ended("team")
        (record,) = await outbox.history(1)

        assert task.cancelled()
        assert (record.state, record.attempts) == (DeliveryState.PENDING, ())
        assert harbour.fleet.workers == {}


async def test_the_grace_is_one_for_all(outbox: Outbox) -> None:
    """Five channels that hang stop side by side, not one after the other."""
    channels = {f"c{number}": SlowChannel() for number in range(5)}
    async with a_harbour(outbox, grace=0.5) as harbour:
        await outbox.add(owed(*[a_delivery(name, channel=name) for name in channels]))
        await harbour.fleet.swap({name: a_place(channel) for name, channel in channels.items()})
        for channel in channels.values():
            await channel.begun.wait()
        async with asyncio.timeout(2):
            await harbour.fleet.stop()
            await harbour.all_ended()


async def test_after_a_stop_a_swap_starts_nothing(outbox: Outbox) -> None:
    """A reload that comes too late leaves no worker behind that nobody would stop."""
    async with a_harbour(outbox) as harbour:
        await harbour.fleet.swap({"team": a_place()})
        await harbour.fleet.stop()
        await harbour.fleet.swap({"team": a_place(), "mail": a_place()})

        assert harbour.fleet.workers == {}
        await harbour.all_ended()
        assert set(harbour.tasks) == {"team"}


async def test_a_stop_in_the_middle_of_a_swap_ends_both(outbox: Outbox) -> None:
    """The swap waits for a message that hangs; what it was to start is not started."""
    channel = SlowChannel()
    async with a_harbour(outbox, SHORT) as harbour:
        await hanging(harbour, channel)
        async with asyncio.TaskGroup() as group:
            group.create_task(harbour.fleet.swap({"mail": a_place()}))
            group.create_task(harbour.fleet.stop())

        await harbour.all_ended()
        assert set(harbour.tasks) == {"team"}
        assert harbour.fleet.workers == {}


async def test_a_swap_that_is_cancelled_leaves_no_task_behind(outbox: Outbox) -> None:
    """A daemon that stops during a reload is not held up by a worker that nobody knows of."""
    channel = SlowChannel()
    async with a_harbour(outbox) as harbour:
        await hanging(harbour, channel)
        swap = asyncio.create_task(harbour.fleet.swap({"mail": a_place()}))
        await asyncio.sleep(0)
        assert not swap.done()
        swap.cancel()
        await asyncio.wait([swap])

        assert (await harbour.ended("team")).cancelled()
        assert set(harbour.tasks) == {"team"}
        assert harbour.fleet.workers == {}
        assert await end_of(outbox) is DeliveryState.PENDING
