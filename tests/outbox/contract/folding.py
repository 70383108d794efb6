"""Several told in one message: whole stories, in order, each with an end of its own."""

from __future__ import annotations

import dataclasses

import pytest

from notifyd.model import DeliveryState
from notifyd.outbox.protocols import Store
from notifyd.outbox.records import By
from tests.outbox.parts import (
    NOW,
    Reopen,
    again,
    dead,
    drain,
    fold,
    handed_on,
    ids,
    lease,
    owed,
    record,
    states,
    take,
    take_one,
    told,
)


async def told_with(store: Store, by: By) -> list[str]:
    folded = await fold(store, await take_one(store), by)
    assert sum(folded.types.values()) == len(folded.listed)
    return [one.id for one in folded.listed]


async def a_digest(store: Store) -> None:
    """Add three stories, of which the first leads."""
    await store.add(owed("a1", "a2", group="a"))
    await store.add(owed("b1", group="b"))
    await store.add(owed("c1", "c2", group="c", type="job_failed"))


class FoldContract:
    """Leaders, and what their messages tell besides."""

    async def test_by_channel_all_that_is_due_is_told(self, store: Store) -> None:
        """Counted by type; the first are listed in the order in which they happened."""
        await a_digest(store)
        folded = await fold(store, await take_one(store), "channel", limit=2)

        assert [one.id for one in folded.listed] == ["a2", "b1"]
        assert folded.types == {"job_completed": 2, "job_failed": 2}
        assert await take(store) == []

    async def test_by_event_type_only_the_first_of_each_lane_is_told(self, store: Store) -> None:
        """What comes behind something else would be told before it."""
        await a_digest(store)
        await store.add(owed("d1", group="d", type="job_started"))
        await store.add(owed("d2", group="d"))

        assert await told_with(store, "event_type") == ["b1"]

    async def test_by_group_the_rest_of_the_story_is_told(self, store: Store) -> None:
        """And of no other."""
        await a_digest(store)

        assert await told_with(store, "group") == ["a2"]

    @pytest.mark.parametrize("by", ["event_type", "group", "channel"])
    async def test_another_target_is_not_told(self, store: Store, by: By) -> None:
        """Its address would not see it."""
        await store.add(owed("x1", group="job", target="x"))
        await store.add(owed("y1", group="job", target="y"))
        await store.add(owed("m1", group="job", target="x", channel="mail"))

        assert await told_with(store, by) == []

    @pytest.mark.parametrize("by", ["group", "channel"])
    async def test_a_lane_is_told_as_far_as_what_is_not_due(self, store: Store, by: By) -> None:
        """What comes behind it stays behind it."""
        await store.add(owed("a1", "a2", group="a"))
        (first,) = await take(store)
        await store.add(owed("a3", group="a", due=NOW + 60))
        folded = await fold(store, first, by)

        assert [one.id for one in folded.listed] == ["a2"]

    async def test_what_was_in_hand_before_is_told_by_itself(self, store: Store) -> None:
        """It may have been told under its own id; and nothing of its lane overtakes it."""
        await store.add(owed("a1", "a2", group="a"))
        await store.add(owed("b1", "b2", group="b"))
        first, second = await take(store)
        await store.settle([again(first, due=NOW + 5), again(second, due=NOW + 5)])
        await store.add(owed("c"))

        assert await told_with(store, "channel") == []

    async def test_a_retry_tells_the_same(self, store: Store) -> None:
        """Its id stands for them: what has come since is told by the next message."""
        await store.add(owed("a", "b"))
        leader = await take_one(store)
        await fold(store, leader, "channel")
        await store.settle([again(leader, due=NOW)])
        await store.add(owed("c"))
        leader = await take_one(store)
        folded = await fold(store, leader, "channel")

        assert [one.id for one in folded.listed] == ["b"]
        assert ids(await take(store)) == ["c"]

    async def test_a_restart_keeps_them_together(self, store: Store, reopen: Reopen) -> None:
        """The message may have been sent before the daemon was killed."""
        await store.add(owed("a", "b"))
        await fold(store, await take_one(store), "channel")
        store = await reopen()
        leader = await take_one(store)

        assert [one.id for one in (await fold(store, leader, "channel")).listed] == ["b"]
        assert await store.settle([told(leader)]) == 1
        assert set((await states(store)).values()) == {DeliveryState.DELIVERED}

    async def test_what_is_told_in_a_message_is_told_with_it(self, store: Store) -> None:
        """And the next of their lanes may go."""
        await a_digest(store)
        leader = await take_one(store)
        await fold(store, leader, "event_type")
        await store.add(owed("b2", group="b"))
        await store.settle([told(leader)])
        ends = await states(store)

        assert ends["a1"] is ends["b1"] is DeliveryState.DELIVERED
        assert sorted(ids(await take(store))) == ["a2", "b2", "c1"]

    async def test_the_history_says_what_was_told_in_what(self, store: Store) -> None:
        """Only of what was told."""
        await store.add(owed("a", "b", "c"))
        leader = await take_one(store)
        await fold(store, leader, "channel")
        await store.settle([told(leader)])

        assert (await record(store, "a")).tells == 2
        assert (await record(store, "b")).told_in == "a"

    async def test_a_poison_leader_dies_alone(self, store: Store) -> None:
        """What it would have told is told in the message of the next."""
        await store.add(owed("a", "b", "c"))
        await fold(store, leader := await take_one(store), "channel")
        await store.settle([dead(leader)])
        next = await take_one(store)
        folded = await fold(store, next, "channel")

        assert next.delivery.id == "b"
        assert [one.id for one in folded.listed] == ["c"]

    async def test_what_was_not_tried_folds_again(self, store: Store) -> None:
        """A message that was put back before it was sent takes in what has come since."""
        await store.add(owed("a", "b"))
        await fold(store, leader := await take_one(store), "channel")
        await store.settle([dataclasses.replace(again(leader), attempts=(), counted=0)])
        await store.add(owed("c"))
        folded = await fold(store, await take_one(store), "channel")

        assert [one.id for one in folded.listed] == ["b", "c"]

    @pytest.mark.parametrize(("tries", "members"), [(0, 2), (1, 0)])
    async def test_what_was_revived_folds_again(
        self, store: Store, tries: int, members: int
    ) -> None:
        """What has died untried is one message; what was tried keeps to what its id says."""
        await store.add(owed("a", "b", "c"))
        ends = [dead(claim) for claim in await take(store)]
        await store.settle(
            [dataclasses.replace(end, attempts=end.attempts[:tries]) for end in ends]
        )
        await store.revive(None, None, NOW, NOW + 60)
        claim = await take_one(store)
        folded = await fold(store, claim, "channel")

        assert (claim.tried, len(folded.listed)) == (bool(tries), members)

    @pytest.mark.parametrize("by", ["event_type", "channel", "group"])
    async def test_what_keeps_a_card_is_told_by_itself(self, store: Store, by: By) -> None:
        """Neither it nor what waits behind it in its lane."""
        await store.add(owed("a1", group="a"))
        await store.add(owed("a2", group="a", alone=True))
        await store.add([*owed("a3", group="a"), *owed("b", group="b", alone=True)])
        folded = await fold(store, await take_one(store), by)

        assert folded.listed == ()

    async def test_who_is_handed_on_goes_alone(self, store: Store) -> None:
        """The others are tried again, or handed on, each as it is its own."""
        await a_digest(store)
        leader = await take_one(store)
        await fold(store, leader, "channel")
        await store.settle([handed_on(leader)])

        assert sorted(ids(await take(store, "mail"))) == ["a1 by mail"]
        assert sorted(await drain(store)) == ["a2", "b1", "c1", "c2"]

    async def test_what_a_retry_does_not_tell_is_owed(self, store: Store) -> None:
        """A channel that has stopped to fold sends the leader's own message alone."""
        await store.add(owed("a", "b"))
        leader = await take_one(store)
        await fold(store, leader, "channel")
        await store.settle([again(leader, due=NOW)])
        await store.settle([told(await take_one(store))])

        assert await drain(store) == ["b"]

    async def test_an_expired_leader_lets_the_others_go(self, store: Store) -> None:
        """Nothing waits for ever for a message that nobody sends any more."""
        await store.add([*owed("a", expires=NOW), *owed("b")])
        leader = await take_one(store)
        await fold(store, leader, "channel")
        await store.settle([again(leader, due=NOW)])
        (given_up,) = await store.expired("team", lease(), 100)
        await store.settle([dataclasses.replace(dead(given_up), attempts=())])

        assert await drain(store) == ["b"]
