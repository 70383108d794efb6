"""Several messages on their way at a time: as many as may be, in order, and fair."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from notifyd.channels.failures import TemporaryFailure
from notifyd.delivery.breaker import State
from notifyd.model import Delivery, DeliveryState
from tests.delivery.parts import TimedChannel, World, at, busy_for, deliveries, plain, play, quick
from tests.fakes import a_delivery, owed
from tests.simulation.loop import START

SENT = DeliveryState.DELIVERED


def _by_lane(told: Sequence[Delivery]) -> dict[str, list[str]]:
    lanes: dict[str, list[str]] = {}
    for one in told:
        lanes.setdefault(one.event.group, []).append(one.id)
    return lanes


def _misfortune(luck: random.Random) -> Exception | None:
    kind = luck.random()
    if kind < 0.2:
        return TemporaryFailure("down")
    return busy_for(5) if kind < 0.3 else None


def test_no_more_are_on_their_way_than_it_may() -> None:
    """And as many as it may: forty messages of a second take a tenth of that."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        await world.outbox.add(owed(*deliveries(40)))
        world.start(channel, quick(concurrency=10))
        await world.until_owed_nothing(within=8)
        assert channel.most == 10
        assert len(channel.sent) == 40

    play(story)


@settings(max_examples=25, deadline=None)
@given(
    lanes=st.lists(st.integers(0, 5), min_size=1, max_size=25),
    seed=st.integers(0, 10**6),
    concurrency=st.integers(1, 8),
)
def test_two_of_a_lane_are_never_on_their_way(
    lanes: list[int], seed: int, concurrency: int
) -> None:
    """Whatever fails and however long it takes: each lane in order, and each message once."""
    luck = random.Random(seed)

    async def story(world: World) -> None:
        channel = TimedChannel(
            world.clock,
            takes=lambda delivery: luck.choice([0.0, 0.001, 0.5, 20.0]),
            fails=lambda delivery: _misfortune(luck),
        )
        owes = [
            at(a_delivery(f"{number:03}", group=f"lane {lane}"), created=START)
            for number, lane in enumerate(lanes)
        ]
        await world.outbox.add(owed(*owes))
        world.start(channel, quick(concurrency=concurrency))
        await world.until_owed_nothing(within=86400)
        assert channel.twice == []
        assert channel.most <= concurrency
        assert _by_lane(channel.sent) == _by_lane(owes)
        assert sorted(channel.ids) == [one.id for one in owes]

    play(story)


def test_one_probe_at_a_time_when_half_open() -> None:
    """Also with twenty lanes, and until it is closed again."""

    async def story(world: World) -> None:
        probing: list[int] = []

        def fails(delivery: Delivery) -> Exception | None:
            return TemporaryFailure("down") if world.clock.now() < START + 100 else None

        def takes(delivery: Delivery) -> float:
            if worker.gate.breaker.state(world.clock.monotonic()) is not State.CLOSED:
                probing.append(len(channel.on_way))
            return 1.0

        channel = TimedChannel(world.clock, takes=takes, fails=fails)
        breaker = {"success_threshold": 5}
        await world.outbox.add(owed(*deliveries(60)))
        worker, _ = world.start(channel, quick(concurrency=20, circuit_breaker=breaker))
        await world.until_owed_nothing(within=1000)
        assert len(probing) > 5
        assert set(probing) == {1}

    play(story)


def test_a_late_success_lets_no_second_probe_go() -> None:
    """What was sent before the outage, and ends during the probe, says nothing of the probe."""

    async def story(world: World) -> None:
        channel = TimedChannel(
            world.clock,
            takes=lambda one: {"late0": 3.0, "late1": 9.0, "probe": 30.0}.get(one.id, 1.0),
            fails=lambda one: TemporaryFailure("down") if one.id.startswith("bad") else None,
        )
        breaker = {"failure_threshold": 2, "success_threshold": 9, "timeout": 5}
        retry = {"initial_delay": "1h", "max_delay": "1h"}
        worker, _ = world.start(channel, quick(concurrency=9, circuit_breaker=breaker, retry=retry))
        batches = ["good"], ["late0", "late1", "bad0", "bad1"], ["probe", "next"]
        for names in batches:
            await world.outbox.add(owed(*map(a_delivery, names)))
            worker.wake()
            await world.sleep(2)
        await world.sleep(10)
        assert [one.id for one in channel.on_way] == ["probe"]
        assert "next" not in channel.ids

    play(story)


def test_nothing_goes_during_a_pause() -> None:
    """Twenty on their way hear 429: the next goes at its end, and none was an attempt."""

    async def story(world: World) -> None:
        def fails(delivery: Delivery) -> Exception | None:
            now = world.clock.now() - START
            return busy_for(60) if 5 <= now < 60 else None

        channel = TimedChannel(world.clock, fails=fails)
        worker, _ = world.start(channel, quick(concurrency=20))
        await world.outbox.add(owed(*deliveries(1, "first")))
        worker.wake()
        await world.sleep(5)
        await world.outbox.add(owed(*deliveries(50)))
        worker.wake()
        await world.until_owed_nothing(within=200)
        begun = [round(time, 2) for time, _ in channel.begun]
        assert begun.count(5.0) == 20
        assert [time for time in begun if 5.5 < time < 66] == []
        found = await world.outbox.history(100)
        assert {record.state for record in found} == {SENT}
        assert max(channel.counted) == 0

    play(story)


def test_lanes_take_turns() -> None:
    """A job with a backlog of 500 does not keep the one message of another waiting."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        await world.outbox.add(owed(*deliveries(500, "big", group="big")))
        world.start(channel, quick(concurrency=1))
        await world.until(lambda: len(channel.sent) >= 3)
        await world.outbox.add(owed(at(a_delivery("small"), created=world.clock.now())))
        await world.until(lambda: "small" in channel.ids, within=10)
        assert len(channel.sent) < 15

    play(story)


def test_a_slow_lane_does_not_stop_the_others() -> None:
    """While one message hangs for half a minute the others go."""

    async def story(world: World) -> None:
        slow = {"d0": 30.0}
        channel = TimedChannel(world.clock, takes=lambda one: slow.get(one.id, 0.1))
        await world.outbox.add(owed(a_delivery("before")))
        worker, _ = world.start(channel, quick(concurrency=2))
        await world.until(lambda: channel.ids == ["before"])
        await world.outbox.add(owed(*deliveries(50)))
        worker.wake()
        await world.until(lambda: len(channel.sent) == 50, within=20)
        assert [one.id for one in channel.on_way] == ["d0"]

    play(story)


def test_a_paused_target_does_not_stop_the_others() -> None:
    """However much is owed to it."""

    async def story(world: World) -> None:
        def fails(one: Delivery) -> Exception | None:
            return busy_for(3600, only_target=True) if one.target == "a" else None

        channel = TimedChannel(world.clock, fails=fails)
        to_a = [at(one, target="a") for one in deliveries(30, "a")]
        to_b = [at(one, target="b") for one in deliveries(5, "b")]
        await world.outbox.add(owed(*to_a, *to_b))
        world.start(channel, plain())
        await world.until(lambda: len(channel.sent) == 5, within=120)
        assert {one.target for one in channel.sent} == {"b"}

    play(story)
