"""What is in hand is one's own until the lease is over; then it is the next one's."""

from __future__ import annotations

import dataclasses

from notifyd.model import DeliveryState
from notifyd.outbox.protocols import Store
from notifyd.outbox.records import Card, Outcome, Owed
from tests.outbox.parts import (
    NOW,
    SENT,
    TRIED,
    again,
    dead,
    delivery,
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

LATER = NOW + 61


class LeaseContract:
    """Who has it, and what becomes of it."""

    async def test_a_lease_that_is_over_hands_it_to_the_next(self, store: Store) -> None:
        """The one before comes too late, and changes nothing."""
        await store.add(owed("d1"))
        old = await take_one(store)
        assert (old.until, await store.next_due("team")) == (NOW + 60, NOW + 60)
        (new,) = await store.claim("team", lease(LATER, "somebody else"), 1)

        assert await store.settle([dead(old)]) == 0
        assert await store.settle([again(old)]) == 0
        assert (await record(store, "d1")).attempts == ()
        assert await store.settle([told(new)]) == 1

    async def test_the_next_has_what_was_told_with_it_too(self, store: Store) -> None:
        """Members follow their leader, and what the one before says of them is refused."""
        await store.add(owed("a", "b"))
        old = await take_one(store)
        await fold(store, old, "channel")
        (new,) = await store.claim("team", lease(LATER, "somebody else"), 1)
        folded = await fold(store, new, "channel", now=LATER)
        assert [one.id for one in folded.listed] == ["b"]
        await store.settle([dead(old)])
        assert await store.claim("team", lease(LATER, "somebody else"), 1) == []
        await store.settle([told(new)])

        assert set((await states(store)).values()) == {DeliveryState.DELIVERED}

    async def test_whoever_asks_keeps_what_is_in_hand(self, store: Store) -> None:
        """However long it takes: who asks is there, and is not woken for it."""
        await store.add(owed("d1"))
        claim = await take_one(store)

        assert await take(store, now=LATER) == []
        assert await store.next_due("team", owner="me") is None
        assert await store.settle([told(claim)]) == 1

    async def test_a_lease_is_nothing_to_other_channels(self, store: Store) -> None:
        """Only its own channel takes it from whoever has it in hand."""
        await store.add(owed("d1"))
        claim = await take_one(store)
        await take(store, "mail", now=LATER)

        assert await store.settle([told(claim)]) == 1

    async def test_an_end_does_not_change_any_more(self, store: Store) -> None:
        """A late outcome is not written over it, and its fallback is not told."""
        await store.add(owed("d1"))
        claim = await take_one(store)
        assert await store.settle([told(claim)]) == 1
        for late in (dead(claim), again(claim), handed_on(claim)):
            assert await store.settle([late]) == 0

        assert await states(store) == {"d1": DeliveryState.DELIVERED}
        assert len((await record(store, "d1")).attempts) == 1

    async def test_put_back_is_as_if_nobody_had_taken_it(self, store: Store) -> None:
        """No try is counted, and the reason of the last one stays."""
        await store.add(owed("d1"))
        await store.settle([again(await take_one(store), due=NOW)])
        untouched = dataclasses.replace(
            again(await take_one(store)), attempts=(), counted=0, detail=None
        )
        await store.settle([untouched])

        assert (await take_one(store)).delivery.attempts == 1
        assert (await record(store, "d1")).detail == "it is down"

    async def test_what_is_told_instead_is_stored_with_the_end(self, store: Store) -> None:
        """Both or none: nothing is given up that nobody is told."""
        await store.add(owed("d1"))
        await store.settle([handed_on(await take_one(store))])
        given_up = await record(store, "d1")

        assert (given_up.state, given_up.finished) == (DeliveryState.SUPPRESSED, NOW)
        assert ids(await take(store, "mail")) == ["d1 by mail"]

    async def test_every_try_is_written_down(self, store: Store) -> None:
        """In order, with the service's own code, and what the message is called there."""
        await store.add(owed("d1"))
        await store.settle([again(await take_one(store), due=NOW)])
        end = told(await take_one(store))
        await store.settle([dataclasses.replace(end, attempts=(TRIED, SENT))])
        shown = await record(store, "d1")

        assert [(one.number, one.outcome, one.status) for one in shown.attempts] == [
            (1, "temporary", 503),
            (2, "temporary", 503),
            (3, "delivered", 200),
        ]
        assert (shown.state, shown.ref, shown.detail) == (DeliveryState.DELIVERED, "m1", None)

    async def test_a_card_and_notes_are_stored_with_the_outcome(self, store: Store) -> None:
        """The story's next message is an edit of it; the newest card counts."""
        await store.add(owed("s1", "s2", group="story"))
        for ref in ("m1", "m2"):
            end = told(await take_one(store))
            await store.settle(
                [dataclasses.replace(end, card=Card(ref=ref, written=NOW))], {"gate": ref}
            )

        assert await store.card("team", "story") == "m2"
        assert await store.card("mail", "story") is None
        assert await store.note("gate") == "m2"

    async def test_the_same_is_told_once_within_the_window(self, store: Store) -> None:
        """The second is suppressed and says why, also within one batch; another text is told."""
        same = [
            Owed(delivery=delivery(id, created=NOW + n), fingerprint="f", alike_since=NOW + n - 60)
            for n, id in ((0, "a"), (1, "b"), (59, "c"), (61, "d"))
        ]
        await store.add(same)
        await store.add([Owed(delivery=delivery("e", created=NOW), fingerprint="other")])
        await store.add([Owed(delivery=delivery("f", "mail", created=NOW), fingerprint="f")])

        assert sorted(await drain(store)) == ["a", "d", "e"]
        assert await drain(store, "mail") == ["f"]
        suppressed = await record(store, "b")
        assert suppressed.state is DeliveryState.SUPPRESSED
        assert (suppressed.detail or "").startswith("says the same as the one of 1970-01-12")

    async def test_what_is_dead_was_not_told(self, store: Store) -> None:
        """So the same is told when it comes again."""
        await store.add([Owed(delivery=delivery("a"), fingerprint="f")])
        await store.settle([dead(await take_one(store))])
        await store.add([Owed(delivery=delivery("b"), fingerprint="f")])

        assert await drain(store) == ["b"]

    async def test_what_was_tried_stays_tried(self, store: Store) -> None:
        """Also when it is put back unsent the next time: it may have arrived the first."""
        await store.add(owed("a"))
        await store.settle([again(await take_one(store))])
        claim = await take_one(store)
        await store.settle([Outcome(claim=claim, state=DeliveryState.PENDING, at=NOW)])

        assert (await take_one(store)).tried

    async def test_of_two_outcomes_only_that_of_the_last_lease_counts(self, store: Store) -> None:
        """Also when both are written at once."""
        await store.add(owed("a"))
        first = await take_one(store)
        second = await take_one(store, now=NOW + 61, owner="you")

        assert await store.settle([dead(first), told(second), dead(first)]) == 1
        assert (await record(store, "a")).state is DeliveryState.DELIVERED
        assert len((await record(store, "a")).attempts) == 1

    async def test_who_has_it_is_asked_what_it_knows_of(self, store: Store) -> None:
        """The rest of what a failing store has given is owed again."""
        await store.add(owed("a", "b"))
        await take(store)
        await store.take_back("team", "me", ["a"])

        assert ids(await take(store)) == ["b"]

    async def test_nobody_is_told_by_two_rules(self, store: Store) -> None:
        """What a channel hears anyway is not handed on to it, as long as it may still arrive."""
        await store.add([*owed("own", channel="mail"), *owed("lost", channel="gone")])
        await store.settle([dead(await take_one(store, "gone"))])
        for id, unless in (("b", "own"), ("c", "lost"), ("d", "unknown")):
            one = delivery(id, "mail", fallback=("desk",))
            await store.add([Owed(delivery=one, unless=unless)])

        assert sorted(ids(await take(store, "mail"))) == ["c", "d", "own"]

    async def test_a_chain_goes_on_with_whoever_is_told_instead(self, store: Store) -> None:
        """If that one fails too, the next is told."""
        await store.add(owed("own", channel="mail", fallback=("pager",)))
        handed_on = delivery("b", "mail", fallback=("desk", "pager"))
        await store.add([Owed(delivery=handed_on, unless="own")])

        assert (await take_one(store, "mail")).delivery.fallback == ("pager", "desk")

    async def test_a_chain_goes_on_with_what_was_handed_on_before(self, store: Store) -> None:
        """Two channels give up the same event, and name the same channel; the second knows more."""
        first = delivery("by fallback", "mail", fallback=("desk",))
        second = delivery("by fallback", "mail", fallback=("pager",))
        for one in (first, second):
            assert await store.add([Owed(delivery=one, unless="unknown")]) == int(one is first)

        assert (await take_one(store, "mail")).delivery.fallback == ("desk", "pager")

    async def test_a_chain_goes_on_from_what_came_to_nothing(self, store: Store) -> None:
        """The first chain has ended with the same channel; only the second knows of another."""
        first = delivery("by fallback", "mail")
        await store.add([Owed(delivery=first, unless="unknown")])
        await store.settle([dead(await take_one(store, "mail"))])
        second = delivery("by fallback", "mail", fallback=("pager",))
        await store.add([Owed(delivery=second, unless="unknown")])
        claim = await take_one(store, "mail")

        assert (claim.delivery.id, claim.delivery.fallback) == ("by fallback", ("pager",))
        await store.settle([dead(claim)])
        await store.add([Owed(delivery=second, unless="unknown")])
        assert await take(store, "mail") == [], "it is known already"
