"""The hand: what a worker has taken out of the store, and puts back."""

from __future__ import annotations

import dataclasses
import math

from notifyd.delivery.verdict import put_back
from notifyd.model import DeliveryState
from notifyd.outbox.store import Outbox
from tests.delivery.holder import BATCH, Holder
from tests.delivery.parts import a_claim, at, plain, states
from tests.fakes import a_delivery

OWED = DeliveryState.PENDING


async def test_it_takes_what_may_go_now(outbox: Outbox) -> None:
    """One of each lane, oldest first; what is due later stays where it is."""
    holder = Holder(outbox)
    later = at(a_delivery("later"), due=holder.clock.now() + 60)
    await holder.owes(a_delivery("a"), a_delivery("b"), a_delivery("b2", group="b"), later)

    assert await holder.hand.fill() == 0
    assert holder.empties() == ["a", "b"]


async def test_it_takes_no_more_than_there_are_tokens(outbox: Outbox) -> None:
    """The rest is left for later, but one is always taken."""
    holder = Holder(outbox, plain(rate_limit={"burst": 3}))
    await holder.owes(*(a_delivery(f"d{n}") for n in range(9)))
    await holder.hand.fill()
    assert holder.empties() == ["d0", "d1", "d2"]

    for _ in range(3):
        holder.gate.spend(holder.clock.monotonic())
    await holder.hand.fill()
    assert len(holder.hand) == 1


async def test_an_empty_store_says_when_to_look_again(outbox: Outbox) -> None:
    """At the next moment at which something is due, or when somebody calls."""
    holder = Holder(outbox)
    assert await holder.hand.fill() == math.inf
    await holder.owes(at(a_delivery(), due=holder.clock.now() + 60))

    assert await holder.hand.fill() == 60


async def test_what_somebody_else_lost_is_looked_for_again(outbox: Outbox) -> None:
    """A hand whose owner is gone lets go when its lease is over; somebody has to look then."""
    gone, holder = Holder(outbox), Holder(outbox)
    await gone.owes(a_delivery())
    await gone.hand.fill()
    pause = await holder.hand.fill()

    assert 0 < pause < 300


async def test_it_puts_back_all_that_it_has(outbox: Outbox) -> None:
    """Owed again, without an attempt, in the same order."""
    holder = Holder(outbox)
    await holder.owes(*(a_delivery(f"d{n}") for n in range(5)))
    await holder.hand.fill()
    await holder.hand.put_back()
    assert len(holder.hand) == 0
    assert set((await states(outbox)).values()) == {OWED}
    await holder.hand.fill()

    assert holder.empties() == [f"d{n}" for n in range(5)]


async def test_without_a_batch_each_tells_of_itself(outbox: Outbox) -> None:
    """There is nothing to be folded into it."""
    holder = Holder(outbox)
    await holder.owes(a_delivery("a"), a_delivery("b"))
    await holder.hand.fill()
    claim = holder.hand.take()

    assert await holder.hand.folded(claim) is claim.delivery


async def test_a_batch_is_one_message(outbox: Outbox) -> None:
    """So many are listed, and all are counted; it keeps the id of the first."""
    holder = Holder(outbox, plain(**BATCH))
    await holder.owes(*(a_delivery(f"d{n}") for n in range(9)))
    await holder.hand.fill()
    assert len(holder.hand) == 1
    told = await holder.hand.folded(holder.hand.take())

    assert (told.id, told.event.data["count"]) == ("d0", 9)
    assert len(told.message.body.splitlines()) == 4
    await holder.hand.fill()
    assert len(holder.hand) == 0


async def test_a_batch_that_was_tried_stays_one_without_its_settings(outbox: Outbox) -> None:
    """A reload has ended all batches: its id stands for what it told, and for nothing else."""
    holder = Holder(outbox, plain(**BATCH))
    await holder.puts_back_a_batch()
    hand = holder.new_hand(plain())
    await hand.fill()
    again = await hand.folded(hand.take())

    assert (again.id, again.event.data["count"]) == ("d0", 3)


async def test_a_batch_of_one_is_no_batch(outbox: Outbox) -> None:
    """It is told as it is."""
    holder = Holder(outbox, plain(**BATCH))
    await holder.owes(a_delivery("a"))
    await holder.hand.fill()
    claim = holder.hand.take()

    assert await holder.hand.folded(claim) is claim.delivery


async def test_a_batch_that_is_tried_again_tells_the_same(outbox: Outbox) -> None:
    """It may have been sent: what is new waits for the next one."""
    holder = Holder(outbox, plain(**BATCH))
    await holder.puts_back_a_batch()
    await holder.owes(a_delivery("new"))
    await holder.hand.fill()
    again = await holder.hand.folded(holder.hand.take())

    assert (again.id, again.event.data["count"]) == ("d0", 3)


async def test_an_outcome_of_another_hand_changes_nothing(outbox: Outbox) -> None:
    """Only who has it in hand may put it back."""
    holder = Holder(outbox)
    await holder.owes(a_delivery())
    await holder.hand.fill()
    claim = holder.hand.take()
    stranger = dataclasses.replace(a_claim(claim.delivery), fence=claim.fence - 1)
    await outbox.settle([put_back(stranger, holder.clock.now())])

    assert set((await states(outbox)).values()) == {DeliveryState.LEASED}
