"""The hand gives up what is muted, too old, or refused: all of it, and to others."""

from __future__ import annotations

import math

import pytest

from notifyd.delivery.hand import AT_ONCE
from notifyd.delivery.verdict import put_back
from notifyd.model import DeliveryState
from notifyd.outbox.records import Outcome
from notifyd.outbox.store import Outbox
from tests.delivery.holder import BATCH, Holder
from tests.delivery.parts import at, many, plain, states
from tests.fakes import a_delivery

SENT, OWED = DeliveryState.DELIVERED, DeliveryState.PENDING
DEAD, SUPPRESSED = DeliveryState.DEAD, DeliveryState.SUPPRESSED


async def test_targets_take_turns(outbox: Outbox) -> None:
    """One that has to wait does not stop the others."""
    holder = Holder(outbox, many(to_one={"max_requests": 1, "window": 60, "burst": 1}))
    await holder.owes(*(at(a_delivery(f"{n}{to}"), target=to) for n in "12" for to in "ab"))
    went = []
    for _ in range(2):
        await holder.hand.fill()
        assert holder.wait() == 0
        claim = holder.hand.take()
        holder.gate.spend(holder.clock.monotonic(), claim.delivery.target)
        went.append(claim.delivery.id)

    assert went == ["1a", "1b"]
    assert await holder.hand.fill() == 60


async def test_a_mute_suppresses_what_is_owed(outbox: Outbox) -> None:
    """All of it, with the mute as its reason."""
    holder = Holder(outbox)
    await holder.owes(*(a_delivery(f"d{n}") for n in range(AT_ONCE + 5)))

    while await holder.hand.hush("muted") < math.inf:
        continue
    ends = {(one.state, one.detail) for one in await outbox.history(1000)}
    assert ends == {(SUPPRESSED, "muted")}


async def test_no_batch_is_lost_with_its_settings(outbox: Outbox) -> None:
    """A reload without `batch` in between: each of it is told, if not in one message."""
    holder = Holder(outbox, plain(**BATCH))
    await holder.puts_back_a_batch()
    hand, told = holder.new_hand(plain()), []
    while await hand.fill() == 0:
        claim = hand.take()
        delivery = await hand.folded(claim)
        told.append(int(delivery.event.data.get("count") or 1))
        await outbox.settle([Outcome(claim=claim, state=SENT, at=holder.clock.now())])
        await hand.put_back()

    assert sum(told) == 3
    assert set((await states(outbox)).values()) == {SENT}


async def test_a_muted_batch_is_suppressed_as_a_whole(outbox: Outbox) -> None:
    """Nothing of it stays behind."""
    holder = Holder(outbox, plain(**BATCH))
    await holder.puts_back_a_batch()
    while await holder.hand.hush("muted") < math.inf:
        continue

    assert set((await states(outbox)).values()) == {SUPPRESSED}


async def test_what_was_owed_for_too_long_is_turned_away(outbox: Outbox) -> None:
    """Told to others, or dead; what has time left stays."""
    holder = Holder(outbox)
    old = {"expires": holder.clock.now()}
    await holder.owes(at(a_delivery("dead"), **old), a_delivery("young"))
    await holder.owes(at(a_delivery("told"), fallback=("mail",), **old))
    await holder.hand.turn_away("it was down")
    found = await states(outbox)
    (handed_on,) = await outbox.history(9, channel="mail")

    assert [found[id] for id in ("dead", "young", "told")] == [DEAD, OWED, SUPPRESSED]
    assert (handed_on.state, handed_on.rule) == (OWED, "fallback of team")


async def test_a_batch_that_is_too_old_is_turned_away_as_a_whole(outbox: Outbox) -> None:
    """Nothing of it stays behind."""
    holder = Holder(outbox, plain(**BATCH))
    old = [at(a_delivery(f"d{n}"), expires=holder.clock.now() + 60) for n in range(3)]
    await holder.owes(*old)
    await holder.hand.fill()
    claim = holder.hand.take()
    await holder.hand.folded(claim)
    await outbox.settle([put_back(claim, holder.clock.now())])
    holder.clock.time += 60
    await holder.hand.turn_away("it was down")

    assert set((await states(outbox)).values()) == {DEAD}


@pytest.mark.parametrize(("there", "left"), [(("mail",), SUPPRESSED), ((), OWED)])
async def test_a_refused_channel_hands_on_all_that_it_owes(
    outbox: Outbox, there: tuple[str, ...], left: DeliveryState
) -> None:
    """If somebody is there to be told; otherwise it waits."""
    holder = Holder(outbox, plain(fallback=["mail"]), there=there)
    holder.gate.refuse("401")
    await holder.owes(*(at(a_delivery(f"d{n}"), fallback=("mail",)) for n in range(250)))
    while await holder.hand.turn_away("401"):
        continue

    assert {record.state for record in await outbox.history(999, channel="team")} == {left}


async def test_a_refused_channel_keeps_what_nobody_else_can_tell(outbox: Outbox) -> None:
    """Owed before there was a fallback, or handed to it by the last of a chain."""
    holder = Holder(outbox, plain(fallback=["mail"]), there=("mail",))
    holder.gate.refuse("401")
    told, kept = at(a_delivery("told"), fallback=("mail",)), a_delivery("kept")
    await holder.owes(kept, told)
    while await holder.hand.turn_away("401"):
        continue

    found = {one.id: one.state for one in await outbox.history(9, channel="team")}
    assert found == {"told": SUPPRESSED, "kept": OWED}
    assert await outbox.next_due("team") == holder.clock.now() + 300
    await outbox.hasten("team", holder.clock.now())
    assert await outbox.next_due("team") == holder.clock.now(), "as soon as it is mended"
