"""What is owed is stored once, and comes out in order, fairly, each channel for itself."""

from __future__ import annotations

import dataclasses
import math

import pytest

from notifyd.model import Delivery, DeliveryState, Message
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.protocols import Store
from notifyd.outbox.records import Owed
from tests.fakes import an_event
from tests.outbox.parts import (
    NOW,
    Reopen,
    again,
    dead,
    delivery,
    drain,
    ids,
    lease,
    owed,
    states,
    take,
    take_one,
    told,
)

HOSTILE = ["a\nb|\x1f\"'🙂<!channel>", "\0", "'); DROP TABLE deliveries; --", "\u202e\ufffe", ""]


class QueueContract:
    """In, out, and in which order."""

    async def test_a_delivery_is_stored_once(self, store: Store) -> None:
        """A replay of the same event finds it there, and changes nothing."""
        assert await store.add(owed("d1", "d2")) == 2
        assert await store.add(owed("d1", "d3")) == 1
        assert (await store.backlog())["team"].pending == 3

    async def test_a_replay_wakes_nothing_that_has_ended(self, store: Store) -> None:
        """Told is told, also when the same event comes again."""
        await store.add(owed("d1", "d2"))
        first, second = await take(store)
        await store.settle([told(first), dead(second)])

        assert await store.add(owed("d1", "d2")) == 0
        assert await take(store) == []

    @pytest.mark.parametrize("text", HOSTILE)
    async def test_what_comes_out_is_what_went_in(self, store: Store, text: str) -> None:
        """Every field survives, whatever people call their jobs and channels."""
        event = an_event(group=f"g{text}", data={"job_name": text, "n": 1, "x": None, "f": 0.5})
        message = Message(title=text, body=text, facts=((text, text),))
        one = Delivery(
            id=f"d{text}",
            channel=f"team{text}",
            event=event,
            message=message,
            target=text,
            rule=text,
            fallback=(text, "mail"),
            created=NOW - 1,
            due=NOW,
            expires=math.inf,
        )
        await store.add([Owed(delivery=one)])

        assert [claim.delivery for claim in await take(store, one.channel)] == [one]

    async def test_what_cannot_be_stored_is_refused(self, store: Store) -> None:
        """It is the publisher's again, and nothing of its batch is stored."""
        bad = Owed(delivery=delivery("bad", created=math.nan))
        with pytest.raises(OutboxError):
            await store.add([*owed("good"), bad])

        assert await store.backlog() == {}

    async def test_a_lane_stays_in_order(self, store: Store) -> None:
        """While the first of a job's messages waits for its retry, no later one overtakes it."""
        await store.add(owed("started", "completed", group="job 1"))
        await store.add(owed("other"))
        started, other = await take(store)
        assert await take(store) == []
        await store.settle([again(started, due=NOW + 60), told(other)])

        assert await take(store) == []
        assert await store.next_due("team") == NOW + 60
        assert await drain(store, now=NOW + 60) == ["started", "completed"]

    async def test_targets_have_lanes_of_their_own(self, store: Store) -> None:
        """One address that does not answer holds up no other."""
        for target in ("a", "b"):
            await store.add(owed(f"{target}1", f"{target}2", group="job 1", target=target))
        first, _ = await take(store)
        await store.settle([again(first, due=NOW + 60)])

        assert ids(await take(store, now=NOW + 1)) == []
        assert (first.delivery.id, first.lane == "job 1") == ("a1", False)

    async def test_lanes_take_turns(self, store: Store) -> None:
        """Who owes a thousand does not keep one who owes two waiting."""
        await store.add(owed(*[f"long {n}" for n in range(1000)], group="long"))
        await store.add(owed("short 0", "short 1", group="short", created=1_000_000.5))
        order = []
        for _ in range(5):
            claim = await take_one(store)
            order.append(claim.delivery.id)
            await store.settle([told(claim)])

        assert order == ["long 0", "short 0", "long 1", "short 1", "long 2"]

    async def test_channels_do_not_see_each_other(self, store: Store) -> None:
        """One channel's backlog is no other's, also of the same story."""
        await store.add([*owed("d1", group="job 1"), *owed("d2", channel="mail", group="job 1")])

        assert ids(await take(store, "mail")) == ["d2"]
        assert ids(await take(store)) == ["d1"]
        assert await store.next_due("other") is None

    async def test_what_is_put_off_is_not_due(self, store: Store) -> None:
        """It comes when it is, and the store says when that is."""
        await store.add(owed("later", due=NOW + 10))

        assert await take(store) == []
        assert await store.next_due("team") == NOW + 10
        assert ids(await take(store, now=NOW + 10)) == ["later"]

    async def test_what_is_urgent_takes_along_what_its_lane_has_put_off(self, store: Store) -> None:
        """A digest's messages do not come after the end of their story; others stay put off."""
        await store.add(owed("a1", "a2", group="a", due=NOW + 3600))
        await store.add(owed("b1", group="b", due=NOW + 3600))
        await store.add(owed("a3", group="a", due=NOW))

        assert await drain(store) == ["a1", "a2", "a3"]
        assert await store.next_due("team") == NOW + 3600

    async def test_what_waits_for_its_retry_is_not_taken_along(self, store: Store) -> None:
        """A pause that the receiver has asked for is kept."""
        await store.add(owed("a1", group="a"))
        await store.settle([dataclasses.replace(again(await take_one(store), NOW + 60), counted=0)])
        await store.add(owed("a2", group="a"))

        assert await store.next_due("team") == NOW + 60

    async def test_hasten_lets_what_was_tried_be_tried_now(self, store: Store) -> None:
        """The receiver is back: retries need not wait, what is put off for a digest does."""
        await store.add([*owed("tried"), *owed("digest", due=NOW + 3600)])
        await store.settle([again(await take_one(store), due=NOW + 600)])
        await store.hasten("mail", NOW)
        assert await take(store) == []
        await store.hasten("team", NOW)

        assert ids(await take(store)) == ["tried"]
        assert await store.next_due("team") == NOW + 60, "its lease"

    async def test_what_is_owed_outlives_the_daemon(self, store: Store, reopen: Reopen) -> None:
        """What was in hand is owed again at once; what was told stays told."""
        await store.add(owed("a1", "a2", group="a"))
        await store.add(owed("b"))
        claim, _ = await take(store)
        await store.settle([told(claim)])
        await take(store)
        store = await reopen()

        assert sorted(ids(await take(store))) == ["a2", "b"]
        assert (await states(store))["a1"] is DeliveryState.DELIVERED

    async def test_what_is_expired_comes_each_lane_in_order(self, store: Store) -> None:
        """Whoever is told instead hears a story from its beginning, and no end before it."""
        await store.add(owed("a1", group="a", expires=NOW - 1))
        await store.add(owed("a2", group="a", expires=NOW - 3))
        await store.add(owed("b1", group="b", expires=NOW + 9))
        await store.add(owed("b2", group="b", expires=NOW - 2))
        given_up = []
        while claims := await store.expired("team", lease(), 100):
            given_up += ids(claims)
            assert await store.settle([dead(claim) for claim in claims]) == len(claims)

        assert given_up == ["a1", "a2"]
        assert await drain(store) == ["b1", "b2"]

    async def test_what_is_in_hand_does_not_expire(self, store: Store) -> None:
        """Its try may still tell it."""
        await store.add(owed("d1", expires=NOW - 1))
        await take(store)

        assert await store.expired("team", lease(), 100) == []
        assert await store.expired("mail", lease(), 100) == []
