"""The bus hands events on in order, and waits for those who must not miss any."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from notifyd.bus import Bus, NotTaken, Subscription
from notifyd.model import Event
from tests.fakes import an_event


def batch(number: int) -> Sequence[Event]:
    return [an_event(id=f"e{number}")]


async def take_one(subscription: Subscription) -> str:
    async with subscription.take() as events:
        return events[0].id


async def test_publishing_returns_when_it_is_taken() -> None:
    """The publisher may forget a batch only when the lossless subscriber has it."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True) as inbox:
        async with asyncio.TaskGroup() as group:
            publishing = group.create_task(bus.publish(batch(1)))
            async with inbox.take() as events:
                assert [event.id for event in events] == ["e1"]
                assert not publishing.done()
        assert publishing.done()


async def test_a_refused_batch_goes_back_to_its_publisher() -> None:
    """What could not be stored is the publisher's to publish again."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True) as inbox:

        async def fail() -> None:
            with pytest.raises(OSError, match="disk full"):
                async with inbox.take():
                    raise OSError("disk full")

        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            with pytest.raises(NotTaken, match="disk full"):
                await bus.publish(batch(1))


async def test_batches_arrive_in_order() -> None:
    """What is published first is taken first."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True) as inbox:
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(bus.publish(batch(number)))
            taken = [await take_one(inbox) for _ in range(5)]

    assert taken == ["e0", "e1", "e2", "e3", "e4"]


async def test_what_waits_can_be_taken_together() -> None:
    """Each publisher is told of the end of its own; what comes later waits for the next time."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True) as inbox:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            publishing = [group.create_task(bus.publish(batch(number))) for number in range(5)]
            await asyncio.sleep(0)
            async with inbox.take(most=3) as events:
                assert [event.id for event in events] == ["e0", "e1", "e2"]
            await asyncio.wait(publishing[:3])
            assert [task.done() for task in publishing] == [True, True, True, False, False]
            assert [await take_one(inbox), await take_one(inbox)] == ["e3", "e4"]


async def test_a_slow_viewer_loses_its_oldest_and_it_is_counted() -> None:
    """Who only looks on never holds up who must not lose anything."""
    bus = Bus()
    with bus.subscribe("viewer", lossless=False, size=2) as viewer:
        for number in range(5):
            await bus.publish(batch(number))

        assert viewer.dropped == 3
        assert [await take_one(viewer) for _ in range(2)] == ["e3", "e4"]


async def test_nobody_listening_is_no_error() -> None:
    """Events without a listener are gone, and an empty batch is none."""
    await Bus().publish(batch(1))
    await Bus().publish([])


async def test_a_viewer_that_hangs_in_a_batch_holds_up_nobody() -> None:
    """Also one that has taken a batch and does not come back from it."""
    bus = Bus()
    with bus.subscribe("viewer", lossless=False, size=1) as viewer:
        await bus.publish(batch(0))
        async with viewer.take(), asyncio.timeout(5):
            for number in range(1, 4):
                await bus.publish(batch(number))

        assert (viewer.dropped, await take_one(viewer)) == (2, "e3")


async def test_a_publisher_that_is_cancelled_breaks_no_later_batch() -> None:
    """Before its batch is taken or while it is: the batch is taken whole, and so is the next."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True) as inbox:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            first, second, third = (group.create_task(bus.publish(batch(n))) for n in range(3))
            await asyncio.sleep(0)
            first.cancel()
            taken = [await take_one(inbox)]
            async with inbox.take() as events:
                second.cancel()
                await asyncio.wait([second])
                taken.append(events[0].id)
            taken.append(await take_one(inbox))

    assert taken == ["e0", "e1", "e2"]
    assert [task.cancelled() for task in (first, second, third)] == [True, True, False]


async def test_a_publisher_that_is_cancelled_while_it_waits_takes_no_room() -> None:
    """There is room for one: it was never handed over, and the next one gets the place."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True, size=1) as inbox:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            first, second, third = (group.create_task(bus.publish(batch(n))) for n in range(3))
            await asyncio.sleep(0)
            second.cancel()
            taken = [await take_one(inbox), await take_one(inbox)]

    assert taken == ["e0", "e2"]
    assert first.done()
    assert third.done()


async def test_an_intake_that_is_cancelled_refuses_its_batch() -> None:
    """The publisher must not believe that it is stored, nor wait for ever."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True) as inbox:

        async def hang() -> None:
            async with inbox.take():
                intake.cancel()
                await asyncio.Event().wait()

        intake = asyncio.create_task(hang())
        async with asyncio.timeout(5):
            with pytest.raises(NotTaken, match="intake could not take it"):
                await bus.publish(batch(1))
            await asyncio.wait([intake])
        assert intake.cancelled()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(bus.publish(batch(2)))
            assert await take_one(inbox) == "e2"
