"""What became of it can be seen, and what was given up can be sent again, for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from notifyd.model import DeliveryState, Message
from notifyd.outbox.protocols import Store
from tests.outbox.parts import (
    NOW,
    again,
    dead,
    drain,
    fold,
    ids,
    kill,
    lease,
    owed,
    record,
    states,
    take,
    take_one,
    told,
)

DAY = 86400.0
Work = Callable[[Store], Awaitable[int]]


async def bury(store: Store, *ids: str, **more: object) -> None:
    """Give up many at once."""
    await store.add(owed(*ids, expires=NOW, **more))
    while claims := await store.expired("team", lease(), 9999):
        await store.settle([dead(claim) for claim in claims])


async def revive_all(store: Store) -> int:
    return await store.revive(None, None, NOW, NOW + DAY)


async def forget_all(store: Store) -> int:
    return await store.forget_dead(None, None)


async def purge_all(store: Store) -> int:
    return await store.purge(NOW, NOW + 1)


async def suppress_all(store: Store) -> int:
    """Return how many are owed no more."""
    before = await owed_in_all(store)
    await store.suppress_strangers(["team"], NOW, NOW)
    return before - await owed_in_all(store)


async def owed_in_all(store: Store) -> int:
    return sum(one.pending for one in (await store.backlog()).values())


async def dead_letters(store: Store) -> int:
    return sum((await store.dead_counts()).values())


class ArchiveContract:
    """The history, dead letters, and what is forgotten."""

    async def test_the_history_is_newest_first_and_can_be_narrowed(self, store: Store) -> None:
        """By channel, by state, by both, and to so many."""
        await store.add([*owed("a", "b"), *owed("c", channel="mail")])
        first, second = await take(store)
        await store.settle([dead(first), told(second)])

        async def shown(limit: int = 9, *narrow: object) -> list[str]:
            return [one.id for one in await store.history(limit, *narrow)]  # type: ignore[arg-type]

        assert await shown() == ["c", "b", "a"]
        assert await shown(1) == ["c"]
        assert await shown(9, "team") == ["b", "a"]
        assert await shown(9, None, DeliveryState.DEAD) == ["a"]
        assert await shown(9, "mail", DeliveryState.DEAD) == []
        assert await shown(9, "team", DeliveryState.DELIVERED) == ["b"]
        assert await shown(9, None, DeliveryState.PENDING) == ["c"]

    async def test_a_record_is_found_by_the_beginning_of_its_id(self, store: Store) -> None:
        """If there is only one; a whole id is always found."""
        await store.add(owed("abc", "abd", "abcd"))

        assert (await record(store, "abd")).title == "Job 1 (train) completed"
        assert (await record(store, "abc")).id == "abc"
        for ambiguous in ("ab", "", "x"):
            assert await store.record(ambiguous) is None

    async def test_the_backlog_counts_what_is_owed(self, store: Store) -> None:
        """What is in hand is owed too; what has ended is not."""
        await store.add([*owed("a", created=NOW - 5), *owed("b"), *owed("c", channel="mail")])
        first = await take_one(store)
        await store.settle([told(await take_one(store))])
        backlog = await store.backlog()

        assert {name: one.pending for name, one in backlog.items()} == {"team": 1, "mail": 1}
        assert backlog["team"].oldest == first.delivery.created

    async def test_one_dead_letter_is_revived(self, store: Store) -> None:
        """It is tried as if for the first time, until its new end."""
        await kill(store, "a", "b")
        assert await store.dead_counts() == {"team": 2}
        assert await store.revive("a", None, NOW, NOW + DAY) == 1
        claim = await take_one(store)

        assert claim.delivery.id == "a"
        assert (claim.delivery.attempts, claim.delivery.expires) == (0, NOW + DAY)
        assert await store.revive("a", None, NOW, NOW + DAY) == 0
        assert await store.revive("b", "mail", NOW, NOW + DAY) == 0

    async def test_all_of_a_channel_or_all_at_all_are_revived(self, store: Store) -> None:
        """In the order in which they happened."""
        await kill(store, "a1", "a2", "b1")
        await store.add(owed("m", channel="mail"))
        await store.settle([dead(await take_one(store, "mail"))])

        assert await store.revive(None, "mail", NOW, NOW + DAY) == 1
        assert await store.revive(None, None, NOW, NOW + DAY) == 3
        assert await drain(store) == ["a1", "a2", "b1"]

    async def test_what_is_revived_comes_behind_what_its_lane_owes(self, store: Store) -> None:
        """And takes along what its lane has put off."""
        await kill(store, "a1", "a2", group="a")
        await store.add(owed("a3", group="a", due=NOW + DAY))
        await store.revive(None, None, NOW, NOW + DAY)

        assert await drain(store) == ["a3", "a1", "a2"]

    async def test_what_was_in_hand_keeps_the_letter_from_the_past_out(self, store: Store) -> None:
        """Who has given it up cannot end it again."""
        await store.add(owed("a"))
        claim = await take_one(store)
        await store.settle([dead(claim)])
        await store.revive("a", None, NOW, NOW + DAY)
        await take_one(store)

        assert await store.settle([told(claim)]) == 0

    async def test_dead_letters_are_forgotten_when_told_to(self, store: Store) -> None:
        """Only what is dead."""
        await kill(store, "a", "b", "c")
        await store.add(owed("d"))

        assert await store.forget_dead("d", None) == 0
        assert await store.forget_dead("a", "team") == 1
        assert await store.forget_dead(None, None) == 2
        assert list(await states(store)) == ["d"]

    async def test_what_has_ended_is_forgotten_in_time(self, store: Store) -> None:
        """What is dead later, what is owed never; nothing else is touched."""
        await kill(store, "dead")
        await store.add(owed("told"))
        await store.settle([told(await take_one(store))])
        await store.add(owed("owed", "in hand"))
        await take_one(store)
        await store.purge(ended=NOW, died=NOW)
        assert len(await states(store)) == 4
        await store.purge(ended=NOW + 1, died=NOW)
        assert sorted(await states(store)) == ["dead", "in hand", "owed"]
        await store.purge(ended=NOW + 1, died=NOW + 1)

        assert sorted(await states(store)) == ["in hand", "owed"]

    async def test_what_nobody_can_send_any_more_is_suppressed(self, store: Store) -> None:
        """Only what is pending, old, and owed to a channel that is named."""
        await store.add(owed("old 1", "old 2", channel="gone", group="a"))
        await store.add(owed("new", channel="gone", group="a", created=NOW))
        await store.add(owed("here"))
        await store.suppress_strangers(["gone"], before=NOW - 50, now=NOW)

        assert await states(store) == {
            "here": DeliveryState.PENDING,
            "new": DeliveryState.PENDING,
            "old 2": DeliveryState.SUPPRESSED,
            "old 1": DeliveryState.SUPPRESSED,
        }
        assert (await record(store, "old 1")).detail == "its channel is not configured"
        assert ids(await take(store, "gone")) == ["new"], "should the channel come back"

    async def test_a_strangers_message_lets_go_what_it_told(self, store: Store) -> None:
        """What is younger is owed still, should the channel come back."""
        await store.add([*owed("a", channel="gone"), *owed("b", channel="gone", created=NOW)])
        leader = await take_one(store, "gone")
        await fold(store, leader, "channel")
        await store.settle([again(leader)])
        await store.suppress_strangers(["gone"], before=NOW, now=NOW)

        assert ids(await store.claim("gone", lease(), 9)) == ["b"]

    async def test_a_stranger_is_one_whatever_its_name(self, store: Store) -> None:
        """Names are values, and nobody else's messages are ended with its own."""
        names = ['it\'s "quoted"', "a,b", "é🙂", "", "NULL"]
        for name in names:
            await store.add(owed(f"d {name}", channel=name))
        for name in names:
            assert set(await store.backlog()) == set(names[names.index(name) :])
            await store.suppress_strangers([name], before=NOW, now=NOW)

        assert await store.backlog() == {}

    @pytest.mark.parametrize("work", [revive_all, forget_all, purge_all, suppress_all])
    async def test_what_is_much_lets_others_in(self, store: Store, work: Work) -> None:
        """Nobody waits for the store until thousands of rows are done: it is done bit by bit."""
        await bury(store, *(f"d{number}" for number in range(2500)))
        left = dead_letters
        if work is suppress_all:
            await store.revive(None, None, NOW, NOW + DAY)
            left = owed_in_all
        working = asyncio.ensure_future(work(store))
        seen = set()
        while not working.done():
            seen.add(await left(store))

        assert await working == 2500
        assert seen & set(range(1, 2500)), "it was seen when only some of it was done"
        assert await store.dead_counts() == {}

    async def test_a_lane_that_is_revived_bit_by_bit_stays_in_order(self, store: Store) -> None:
        """However long its story is."""
        names = [f"d{number}" for number in range(1500)]
        await bury(store, *names, group="a")

        assert await store.revive(None, None, NOW, NOW) == 1500
        assert ids(await store.expired("team", lease(), 9999)) == names

    async def test_what_dies_again_meanwhile_is_not_revived_twice(self, store: Store) -> None:
        """Only what was dead when it was asked for: a channel that fails would go on for ever."""
        await bury(store, *(f"d{number}" for number in range(2500)))
        reviving = asyncio.ensure_future(store.revive(None, None, NOW, NOW))
        while not reviving.done():
            claims = await store.expired("team", lease(), 9999)
            await store.settle([dead(claim) for claim in claims])

        assert await reviving == 2500

    async def test_it_is_told_how_many_dead_letters_were_purged(self, store: Store) -> None:
        """The others that have ended do not count."""
        await kill(store, "a", "b")
        await store.add(owed("told"))
        await store.settle([told(await take_one(store))])

        assert await store.purge(ended=NOW + 1, died=NOW) == 0
        assert await store.purge(ended=NOW + 1, died=NOW + 1) == 2

    async def test_a_record_names_the_first_that_its_message_told(self, store: Store) -> None:
        """Ten of them, in their order; the rest is counted."""
        names = [f"d{number:02}" for number in range(13)]
        await store.add(owed(*names))
        leader = await take_one(store)
        await fold(store, leader, "channel")
        await store.settle([told(leader)])
        found = await record(store, "d00")

        assert found.tells == 12
        assert [one.id for one in found.others] == names[1:11]
        assert found.others[0].title == "Job 1 (train) completed"
        assert (await record(store, "d01")).others == ()

    async def test_a_record_holds_what_a_message_said_that_told_others_too(
        self, store: Store
    ) -> None:
        """All of it, as it was sent, beside its own words."""
        await store.add(owed("a", "b"))
        leader = await take_one(store)
        await fold(store, leader, "channel")
        said = Message(title="2 notices", body="• one\n• two")
        await store.settle([replace(told(leader), told=said)])

        found = await record(store, "a")
        assert (found.told, found.title) == (said, "Job 1 (train) completed")
        assert (await record(store, "b")).told is None

    async def test_what_was_said_is_what_the_last_try_said(self, store: Store) -> None:
        """First with others, then alone; to be put back says nothing."""
        await store.add(owed("a"))
        with_others = Message(title="2 notices")
        leader = await take_one(store)
        await store.settle([replace(again(leader, due=NOW), told=with_others)])
        await store.settle([replace(again(await take_one(store), due=NOW), attempts=())])
        assert (await record(store, "a")).told == with_others

        await store.settle([told(await take_one(store))])
        assert (await record(store, "a")).told is None

    async def test_what_is_revived_has_said_nothing_yet(self, store: Store) -> None:
        """It goes by itself now."""
        await store.add(owed("a"))
        leader = await take_one(store)
        await store.settle([replace(dead(leader), told=Message(title="2 notices"))])
        assert await store.revive(None, None, NOW, NOW + 60) == 1

        assert (await record(store, "a")).told is None
