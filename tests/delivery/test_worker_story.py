"""Whole stories of a worker over a real store: bursts, fallbacks, stops and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from notifyd.channels.failures import TemporaryFailure
from notifyd.model import Delivery, DeliveryState, Severity
from notifyd.outbox.records import Outcome
from notifyd.outbox.store import Outbox
from tests.delivery.parts import (
    TimedChannel,
    World,
    at,
    busy_for,
    deliveries,
    plain,
    play,
    quick,
    states,
)
from tests.fakes import a_delivery, owed
from tests.simulation.loop import START

SENT, OWED = DeliveryState.DELIVERED, DeliveryState.PENDING


class SlowOutbox(Outbox):
    """A real store on a disk that takes a tenth of a second for each commit."""

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        await asyncio.sleep(0.1)
        return await super().settle(outcomes, notes)


def test_ten_thousand_alike_are_one_message() -> None:
    """The first goes at once, and the rest is one, with the number of them."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        alike = deliveries(10_000)
        burst = [at(one, due=START + 30) for one in alike[1:]]
        await world.outbox.add(owed(alike[0], *burst))
        world.start(channel, quick(batch={"max_size": 10}, concurrency=4))
        await world.until_owed_nothing(within=60)
        first, rest = channel.sent
        assert first.message.title == "Job 1 (train) completed"
        assert rest.message.title == "9999 notices: 9999 job completed"
        assert rest.message.body.splitlines()[-1] == "… and 9989 more"

    play(story)


def test_a_digest_of_thousands_is_one_message() -> None:
    """All that has gathered by then, of whatever job."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        eight = START + 3600
        await world.outbox.add(owed(*(at(one, due=eight) for one in deliveries(3000))))
        world.start(channel, quick(digest={"every": "1h"}, concurrency=4))
        await world.sleep(3590)
        await world.until_owed_nothing(within=60)
        (told,) = channel.sent
        assert told.event.data["count"] == 3000
        record = await world.outbox.record(told.id)
        assert record is not None
        assert record.told == told.message

    play(story)


def test_what_is_urgent_takes_the_news_of_its_job_along() -> None:
    """The others wait for the digest; and a story is told in its order."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        later = START + 3600
        await world.outbox.add(
            owed(
                at(a_delivery("started", group="a"), created=START, due=later),
                at(a_delivery("other", group="b"), created=START, due=later),
                at(a_delivery("failed", group="a", severity=Severity.ERROR), due=START),
            )
        )
        world.start(channel, quick(digest={"every": "1h"}))
        await world.sleep(100)
        (told,) = channel.sent
        assert (told.id, told.event.data["count"]) == ("started", 2)
        await world.until_owed_nothing()
        assert channel.ids == ["started", "other"]
        assert channel.begun[1][0] >= 3600

    play(story)


def test_a_batch_goes_to_the_fallback_as_a_whole() -> None:
    """Three are told in one; the channel does not take it; others are told all three."""

    async def story(world: World) -> None:
        refusal = TemporaryFailure("down")
        bad = TimedChannel(world.clock, fails=lambda delivery: refusal)
        good = TimedChannel(world.clock)
        three = [at(one, fallback=("mail",), expires=START) for one in deliveries(3)]
        await world.outbox.add(owed(*three))
        world.start(bad, quick(batch={}))
        await world.sleep(10)
        world.start(good, plain(), name="mail")
        await world.until_owed_nothing(within=100)
        told = sum(int(one.event.data.get("count") or 1) for one in good.sent)
        assert told == 3

    play(story)


def test_the_fallback_is_woken() -> None:
    """What is handed on does not wait until something else happens there."""

    async def story(world: World) -> None:
        bad = TimedChannel(world.clock, fails=lambda delivery: TemporaryFailure("down"))
        good = TimedChannel(world.clock)
        world.start(good, plain(), name="mail")
        await world.sleep(1)
        await world.outbox.add(owed(at(a_delivery(), fallback=("mail",), expires=START)))
        world.start(bad, plain())
        await world.until(lambda: len(good.sent) == 1, within=600)

    play(story)


def test_a_slow_channel_tells_nothing_twice() -> None:
    """What waits in hand for its turn is still in hand when its turn comes."""

    async def story(world: World) -> None:
        slow = TimedChannel(world.clock, takes=lambda delivery: 14.0 if delivery.id != "d1" else 20)
        await world.outbox.add(owed(*deliveries(30)))
        world.start(slow, plain(concurrency=2))
        await world.until_owed_nothing()
        assert sorted(slow.ids) == sorted({f"d{number}" for number in range(30)})

    play(story)


def test_what_was_told_is_written_down_before_a_long_wait() -> None:
    """Two end together, and the channel is paused for an hour: a crash tells neither twice."""

    async def story(world: World) -> None:
        def fails(delivery: Delivery) -> Exception | None:
            return busy_for(3600) if delivery.id == "d2" else None

        seconds = {"d0": 1.0, "d1": 1.05}
        channel = TimedChannel(world.clock, lambda one: seconds.get(one.id, 0.5), fails)
        await world.outbox.add(owed(a_delivery("first")))
        worker, _ = world.start(channel, quick(concurrency=9))
        await world.until(lambda: channel.ids == ["first"])
        await world.outbox.add(owed(*deliveries(3)))
        worker.wake()
        await world.sleep(60)
        found = await states(world.outbox)
        assert {id for id, state in found.items() if state is SENT} == set(channel.ids)
        assert set(channel.ids) == {"first", "d0", "d1"}

    play(story, store=SlowOutbox)


def test_a_cancellation_leaves_what_is_sent_owed() -> None:
    """Without an attempt; whoever comes next sends it at once."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock, takes=lambda delivery: 10.0)
        await world.outbox.add(owed(a_delivery()))
        _, task = world.start(channel, plain())
        await world.until(lambda: len(channel.on_way) == 1)
        task.cancel()
        await asyncio.wait([task])
        (record,) = await world.outbox.history(9)
        assert (record.state, record.attempts) == (OWED, ())
        world.start(channel, plain())
        await world.until(lambda: len(channel.on_way) == 1, within=1)

    play(story)


def test_a_stop_puts_back_what_is_in_hand() -> None:
    """What is on its way is finished; the rest is owed, for whoever comes next."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        await world.outbox.add(owed(*deliveries(10)))
        worker, task = world.start(channel, plain(concurrency=3))
        await world.until(lambda: len(channel.on_way) == 3)
        on_way = {delivery.id for delivery in channel.on_way}
        worker.stop()
        await asyncio.wait([task])
        found = await states(world.outbox)
        assert {id for id, state in found.items() if state is SENT} == set(channel.ids)
        assert on_way <= set(channel.ids)
        assert {state for id, state in found.items() if id not in channel.ids} == {OWED}

    play(story)


def test_a_restart_in_the_middle_of_a_batch_tells_the_same_again(tmp_path: Path) -> None:
    """It may have been taken: it keeps its id and what it tells; what is new comes after it."""
    tried: list[Delivery] = []
    three = plain(batch={"max_size": 3})

    async def killed(world: World) -> None:
        await world.outbox.add(owed(*deliveries(5)))
        world.start(TimedChannel(world.clock, lambda one: _kept(tried, one)), three)
        await world.until(lambda: len(tried) == 1)
        await world.outbox.add(owed(*deliveries(2, "new")))

    async def after(world: World) -> None:
        world.start(TimedChannel(world.clock, lambda one: _kept(tried, one)), three)
        await world.until_owed_nothing(within=100)

    play(killed, tmp_path / "outbox.sqlite")
    play(after, tmp_path / "outbox.sqlite")
    once, again, new = tried

    assert (once.id, once.event.data["count"]) == ("d0", 5)
    assert (again.id, again.message) == (once.id, once.message)
    assert (new.id, new.event.data["count"]) == ("new0", 2)


def _kept(tried: list[Delivery], delivery: Delivery) -> float:
    tried.append(delivery)
    return 10.0
