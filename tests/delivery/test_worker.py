"""A worker sends what is owed, in order, and each delivery has exactly one end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.clock import SystemClock
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.worker import Worker
from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Claim, Lease, Outcome
from notifyd.outbox.store import Outbox
from tests.delivery.parts import busy_for, states
from tests.fakes import FakeChannel, FakeClock, PlainSettings, a_delivery, drain, owed


def a_worker(outbox: Outbox, channel: FakeChannel, clock: FakeClock, **settings: object) -> Worker:
    desk = Desk(outbox=outbox, clock=clock, mutes=Mutes(outbox), chance=lambda: 1.0)
    checked = PlainSettings.model_validate({"type": "fake", "concurrency": 1, **settings})
    return Worker("team", channel, checked, desk, Gate(checked, clock.monotonic()))


async def test_what_is_owed_is_sent_in_order(outbox: Outbox) -> None:
    """Oldest first, each once."""
    channel, clock = FakeChannel(), FakeClock()
    await outbox.add(owed(*[a_delivery(f"d{n}") for n in range(5)]))
    await drain(a_worker(outbox, channel, clock), outbox)

    assert [delivery.id for delivery in channel.sent] == ["d0", "d1", "d2", "d3", "d4"]
    assert set((await states(outbox)).values()) == {DeliveryState.DELIVERED}


async def test_a_temporary_failure_is_tried_again_later(outbox: Outbox) -> None:
    """After 1, 2 and 4 seconds, with the same id."""
    channel = FakeChannel([TemporaryFailure("down")] * 3)
    clock = FakeClock()
    times: list[float] = []
    channel.on_send = lambda delivery: times.append(clock.now())
    await outbox.add(owed(a_delivery("d1")))
    await drain(a_worker(outbox, channel, clock), outbox)

    assert [round(time - times[0], 3) for time in times] == [0, 1, 3, 7]
    assert [delivery.id for delivery in channel.sent] == ["d1"]


async def test_in_order_whatever_is_retried(outbox: Outbox) -> None:
    """A job's `started` is not overtaken by its `completed`; other jobs go on."""
    channel = FakeChannel([TemporaryFailure("down")])
    await outbox.add(owed(*[a_delivery(id, group="job 1") for id in ("started", "completed")]))
    await outbox.add(owed(a_delivery("other")))
    await drain(a_worker(outbox, channel, FakeClock()), outbox)

    assert [delivery.id for delivery in channel.sent] == ["other", "started", "completed"]


async def test_a_permanent_failure_is_dead_and_blocks_nobody(outbox: Outbox) -> None:
    """It is listed with its reason, and the rest of the job's story goes on."""
    channel = FakeChannel([PermanentFailure("404 no such channel")])
    await outbox.add(owed(*[a_delivery(id, group="job 1") for id in ("poison", "next")]))
    await drain(a_worker(outbox, channel, FakeClock()), outbox)

    assert await states(outbox) == {
        "poison": DeliveryState.DEAD,
        "next": DeliveryState.DELIVERED,
    }


async def test_a_bug_in_a_channel_is_a_dead_letter_not_a_crash(outbox: Outbox) -> None:
    """Whatever a channel raises, the worker goes on."""
    channel = FakeChannel([ZeroDivisionError("oops")])
    await outbox.add(owed(a_delivery("d1"), a_delivery("d2")))
    await drain(a_worker(outbox, channel, FakeClock()), outbox)

    assert await states(outbox) == {"d1": DeliveryState.DEAD, "d2": DeliveryState.DELIVERED}


async def test_a_delivery_that_is_too_old_is_given_up(outbox: Outbox) -> None:
    """It is tried to the end of its life, and then it is dead, with the last reason."""
    channel = FakeChannel([TemporaryFailure("down")] * 1000)
    clock = FakeClock()
    await outbox.add(owed(dataclasses.replace(a_delivery("d1"), expires=1_003_600)))
    await drain(a_worker(outbox, channel, clock), outbox)
    (record,) = await outbox.history(1)

    assert (record.state, record.detail) == (DeliveryState.DEAD, "down")
    assert clock.now() - 1_000_000 >= 3600


async def test_a_receiver_that_asks_for_a_pause_gets_it(outbox: Outbox) -> None:
    """Nothing is sent before its end, it counts as no failure, and then all of it goes."""
    channel = FakeChannel([busy_for(30)])
    clock = FakeClock()
    tries: list[tuple[float, int, bool]] = []
    worker = a_worker(outbox, channel, clock, circuit_breaker={"failure_threshold": 1})
    channel.on_send = lambda one: tries.append(
        (clock.now() - 1_000_000, one.attempts, worker.gate.is_open)
    )
    await outbox.add(owed(a_delivery("d1"), a_delivery("d2")))
    await drain(worker, outbox)

    assert tries[0][0] == 0
    assert min(time for time, _, _ in tries[1:]) >= 30
    assert {(counted, is_open) for _, counted, is_open in tries} == {(0, False)}
    assert set((await states(outbox)).values()) == {DeliveryState.DELIVERED}


async def test_a_broken_receiver_is_left_alone(outbox: Outbox) -> None:
    """Down for an hour, it is knocked at a few times, not once for each message."""
    clock = FakeClock()
    channel = FakeChannel()

    def down_for_an_hour(delivery: Delivery) -> None:
        if clock.now() < 1_003_600:
            raise TemporaryFailure("down")

    channel.on_send = down_for_an_hour
    await outbox.add(owed(*[a_delivery(f"d{n}") for n in range(200)]))
    await drain(a_worker(outbox, channel, clock), outbox)

    assert channel.tried - 200 <= 5 + 65
    assert set((await states(outbox)).values()) == {DeliveryState.DELIVERED}


async def test_a_muted_channel_says_nothing_and_notes_why(outbox: Outbox) -> None:
    """What it would have told is suppressed, with the mute that did it."""
    channel, clock = FakeChannel(), FakeClock()
    worker = a_worker(outbox, channel, clock)
    await worker._desk.mutes.mute("team", clock.now() + 3600)
    await outbox.add(owed(a_delivery("d1")))
    await drain(worker, outbox)
    (record,) = await outbox.history(1)

    assert record.state is DeliveryState.SUPPRESSED
    assert (record.detail or "").startswith("muted until")
    assert channel.tried == 0


async def test_it_wakes_for_what_is_new_and_ends_when_told(outbox: Outbox) -> None:
    """With nothing owed it waits without an end; a wake or a stop is enough to rouse it."""
    sent = asyncio.Event()
    channel = FakeChannel(on_send=lambda delivery: sent.set())
    worker = a_worker(outbox, channel, FakeClock())
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        await outbox.add(owed(a_delivery("d1")))
        worker.wake()
        async with asyncio.timeout(5):
            await sent.wait()
        worker.stop()

    assert [delivery.id for delivery in channel.sent] == ["d1"]


async def test_the_rate_limit_is_kept(outbox: Outbox) -> None:
    """A burst at once, then one a second."""
    channel, clock = FakeChannel(), FakeClock()
    times: list[float] = []
    channel.on_send = lambda delivery: times.append(round(clock.now() - 1_000_000, 3))
    await outbox.add(owed(*[a_delivery(f"d{n}") for n in range(5)]))
    limit = {"max_requests": 1, "window": "1s", "burst": 3}
    await drain(a_worker(outbox, channel, clock, rate_limit=limit), outbox)

    assert times == [0, 0, 0, 1, 2]


@dataclass(slots=True)
class Refusals:
    """How often a store still refuses, and whom it tells."""

    left: int
    happened: asyncio.Event = field(default_factory=asyncio.Event)


class FullOutbox(Outbox):
    """A real store on a disk that is full for the next outcomes."""

    def __init__(self, path: Path, refusals: Refusals) -> None:
        super().__init__(path)
        self._refusals = refusals

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        if self._refusals.left and any(one.attempts for one in outcomes):
            self._refusals.left -= 1
            self._refusals.happened.set()
            raise OutboxError("database or disk is full")
        return await super().settle(outcomes, notes)


async def test_a_full_disk_is_no_flood(tmp_path: Path) -> None:
    """What is sent is sent once, however long its outcome cannot be written."""
    outbox = FullOutbox(tmp_path / "outbox.sqlite", Refusals(50))
    await outbox.open()
    channel, clock = FakeChannel(), FakeClock()
    await outbox.add(owed(a_delivery("d1"), a_delivery("d2")))
    await drain(a_worker(outbox, channel, clock), outbox)

    assert [delivery.id for delivery in channel.sent] == ["d1", "d2"]
    assert set((await states(outbox)).values()) == {DeliveryState.DELIVERED}
    assert clock.now() - 1_000_000 >= 50, "it did not hammer at the disk either"
    await outbox.close()


async def test_a_dead_letter_is_not_sent_again_while_the_disk_is_full(tmp_path: Path) -> None:
    """A refusal of the receiver is an outcome like any other."""
    outbox = FullOutbox(tmp_path / "outbox.sqlite", Refusals(5))
    await outbox.open()
    channel = FakeChannel([PermanentFailure("404")])
    await outbox.add(owed(a_delivery("d1")))
    await drain(a_worker(outbox, channel, FakeClock()), outbox)

    assert channel.tried == 1
    assert await states(outbox) == {"d1": DeliveryState.DEAD}
    await outbox.close()


async def test_a_stop_ends_a_worker_that_cannot_write(tmp_path: Path) -> None:
    """The daemon's stop does not wait for somebody to tidy up a disk."""
    refusals = Refusals(1_000_000)
    outbox = FullOutbox(tmp_path / "outbox.sqlite", refusals)
    await outbox.open()
    channel = FakeChannel()
    await outbox.add(owed(a_delivery("d1")))
    desk = Desk(outbox=outbox, clock=SystemClock(), mutes=Mutes(outbox))
    settings = PlainSettings()
    worker = Worker("team", channel, settings, desk, Gate(settings, desk.clock.monotonic()))
    async with asyncio.timeout(3), asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        await refusals.happened.wait()
        worker.stop()
    await outbox.close()
    after = Outbox(tmp_path / "outbox.sqlite")
    await after.open()
    states_after = await states(after)
    await after.close()

    assert channel.tried == 1
    assert states_after == {"d1": DeliveryState.PENDING}, "it is told once more, under its old id"


async def test_a_worker_outlives_trouble_with_its_store(tmp_path: Path) -> None:
    """A store that cannot be read for a while is asked again."""
    sent = asyncio.Event()

    class BadDay(Outbox):
        bad = 3

        async def claim(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
            if self.bad:
                self.bad -= 1
                raise OutboxError("disk I/O error")
            return await super().claim(channel, lease, limit)

    outbox = BadDay(tmp_path / "outbox.sqlite")
    await outbox.open()
    await outbox.add(owed(a_delivery("d1")))
    worker = a_worker(outbox, FakeChannel(on_send=lambda delivery: sent.set()), FakeClock())
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        await sent.wait()
        worker.stop()
    await outbox.close()


@pytest.mark.parametrize(
    "content", ["'not JSON'", "'{}'", "'{\"event\": 1}'", "''", "CAST(x'ff7b00' AS TEXT)"]
)
async def test_a_row_that_cannot_be_read_stops_nobody(tmp_path: Path, content: str) -> None:
    """It is dead, with the reason, and the next one is sent."""
    path = tmp_path / "outbox.sqlite"
    before = Outbox(path)
    await before.open()
    await before.add(owed(a_delivery("bad", group="job 1"), a_delivery("good", group="job 1")))
    await before.close()
    with contextlib.closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(f"UPDATE deliveries SET content = {content} WHERE id = 'bad'")
    outbox, channel = Outbox(path), FakeChannel()
    await outbox.open()
    async with asyncio.timeout(10):
        await drain(a_worker(outbox, channel, FakeClock()), outbox)
    good, bad = await outbox.history(2)
    await outbox.close()

    assert [delivery.id for delivery in channel.sent] == ["good"]
    assert good.state is DeliveryState.DELIVERED
    assert (bad.state, bad.detail) == (DeliveryState.DEAD, "this version of notifyd cannot read it")


async def test_the_last_error_shows_until_something_works(outbox: Outbox) -> None:
    """A dead letter is a trouble that `status` shows; the next success ends it."""
    channel = FakeChannel([PermanentFailure("404 no such channel")])
    worker = a_worker(outbox, channel, FakeClock())
    seen: list[str | None] = []
    channel.on_send = lambda delivery: seen.append(worker.last_error)
    await outbox.add(owed(a_delivery("poison"), a_delivery("next")))
    await drain(worker, outbox)

    assert seen == [None, "404 no such channel"]
    assert worker.last_error is None
