"""A channel in trouble: what is tried, what is handed on, and what is left alone meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from notifyd.channels.base import Receipt
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.settings import EditableSettings
from notifyd.delivery.intake import Intake, Rules
from notifyd.delivery.mutes import Mutes
from notifyd.model import Delivery, DeliveryState, Event
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Lease, Outcome
from notifyd.outbox.store import Outbox
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router, Subscriber
from tests.delivery.parts import (
    TimedChannel,
    World,
    at,
    busy_for,
    deliveries,
    plain,
    play,
    states,
)
from tests.fakes import a_delivery, an_event, owed
from tests.simulation.loop import START

SENT, SUPPRESSED = DeliveryState.DELIVERED, DeliveryState.SUPPRESSED


def test_one_that_hangs_and_one_that_fails_do_not_stop_the_others() -> None:
    """It is the next message that shows how the receiver fares, not the one that hangs."""

    async def story(world: World) -> None:
        failed: list[str] = []

        def fails(delivery: Delivery) -> Exception | None:
            if delivery.id != "d1" or failed:
                return None
            failed.append(delivery.id)
            return TemporaryFailure("500")

        def takes(delivery: Delivery) -> float:
            return 600.0 if delivery.id == "d0" and len(channel.sent) > 2 else 1.0

        channel = TimedChannel(world.clock, takes, fails)
        await world.outbox.add(owed(*deliveries(3, "warm"), *deliveries(50)))
        world.start(channel, plain(concurrency=2, timeout="300s"))
        await world.until(lambda: len(channel.sent) == 52, within=70)

    play(story)


def test_a_service_that_hangs_is_left_alone_after_five_tries() -> None:
    """Although five time-outs, one after the other, take longer than the window."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock, lambda one: 25.0, lambda one: TemporaryFailure("hung"))
        await world.outbox.add(owed(*deliveries(20)))
        worker, _ = world.start(channel, plain())
        await world.until(lambda: worker.gate.is_open, within=200)
        assert len(channel.begun) == 5
        await world.until(lambda: bool(world.told), within=120)
        assert [event.type for event in world.told] == ["channel_degraded"]

    play(story)


def test_a_pause_without_an_end_is_trouble_like_any_other() -> None:
    """It is told after a minute, and what is owed for too long goes to the fallback."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock, fails=lambda one: busy_for(86400))
        owes = [at(one, fallback=("mail",), expires=START + 600) for one in deliveries(150)]
        await world.outbox.add(owed(*owes))
        world.start(channel, plain())
        await world.until(lambda: bool(world.told), within=120)
        await world.sleep(1200)
        handed_on = await world.outbox.history(999, channel="mail")
        assert [event.type for event in world.told] == ["channel_degraded"]
        assert len(handed_on) == 150
        assert len(channel.begun) == 1

    play(story)


def test_a_mute_silences_what_is_in_hand() -> None:
    """What is on its way arrives; nothing begins after the mute."""

    async def story(world: World) -> None:
        mutes = Mutes(world.outbox)
        channel = TimedChannel(world.clock)
        await world.outbox.add(owed(*deliveries(30)))
        desk = replace(world.desk(), mutes=mutes)
        worker, _ = world.start(channel, plain(concurrency=1), desk=desk)
        await world.until(lambda: len(channel.sent) == 5)
        await mutes.mute("team", None)
        begun = len(channel.begun)
        worker.wake()
        await world.until_owed_nothing(within=10)
        assert len(channel.begun) == begun
        assert sorted((await states(world.outbox)).values()).count(SUPPRESSED) == 30 - begun

    play(story)


def test_a_mute_counts_while_the_receiver_pauses() -> None:
    """What was owed during the mute is not told when both are over."""

    async def story(world: World) -> None:
        mutes = Mutes(world.outbox)
        channel = TimedChannel(world.clock, fails=lambda one: busy_for(600))
        worker, _ = world.start(channel, plain(), desk=replace(world.desk(), mutes=mutes))
        await world.outbox.add(owed(a_delivery("first")))
        worker.wake()
        await world.until(lambda: len(channel.begun) == 1)
        await mutes.mute("team", START + 300)
        await world.outbox.add(owed(a_delivery("quiet")))
        worker.wake()
        await world.sleep(700)
        assert (await states(world.outbox))["quiet"] is SUPPRESSED

    play(story)


class ShakyOutbox(Outbox):
    """A real store whose next settles fail."""

    fails = 0

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        if self.fails:
            self.fails -= 1
            raise OutboxError("the disk is full")
        return await super().settle(outcomes, notes)


def test_trouble_of_the_store_sends_nothing_twice() -> None:
    """What is on its way is known, however long it takes."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock, lambda one: 30.0)
        await world.outbox.add(owed(*deliveries(20)))
        world.start(channel, plain(concurrency=2))
        await world.until(lambda: len(channel.sent) >= 1, within=100)
        assert isinstance(world.outbox, ShakyOutbox)
        world.outbox.fails = 2
        await world.until_owed_nothing(within=2000)
        assert sorted(channel.ids) == sorted(set(channel.ids))
        assert len(channel.ids) == 20

    play(story, store=ShakyOutbox)


def test_what_was_in_hand_while_the_machine_slept_is_not_sent_blindly() -> None:
    """Its leases are over, and somebody else has told it in the meantime."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock)
        await world.outbox.add(owed(*deliveries(30)))
        world.start(channel, plain(concurrency=1, timeout="1s"))
        await world.until(lambda: len(channel.sent) == 3)
        begun = len(channel.begun)
        world.clock.offset += 600
        now = world.clock.now()
        theirs = await world.outbox.claim("team", Lease(owner="you", now=now, until=now + 60), 99)
        await world.outbox.settle([Outcome(claim=one, state=SENT, at=now) for one in theirs])
        await world.until_owed_nothing(within=100)
        assert len(theirs) >= 26
        assert len(channel.begun) == begun

    play(story)


@dataclass(slots=True)
class Board:
    """A service that can change what it has taken."""

    sent: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> Receipt:
        self.sent.append(delivery.event.group)
        return Receipt(ref=f"card of {delivery.event.group}")

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        self.changed.append(ref)
        return Receipt(ref=ref)


def test_each_story_keeps_its_card_whatever_else_moves() -> None:
    """A burst of progress of two arrays is no digest: it changes two messages."""

    async def story(world: World) -> None:
        board, stories = Board(), ("a", "b")
        settings = EditableSettings(type="board")
        router = Router(subscribers=(Subscriber(channel="team", patterns=("*",)),))
        rules = Rules(router=router, renderer=Renderer({}), channels={"team": settings})
        worker, _ = world.start(board, settings)
        intake = Intake(world.outbox, world.clock, lambda names: worker.wake(), rules)
        for step in range(4):
            await intake.take_in([_progress(group, step) for group in stories])
            await world.sleep(2)
        await world.until_owed_nothing(within=60)
        assert sorted(board.sent) == ["a", "b"]
        assert sorted(board.changed) == ["card of a"] * 3 + ["card of b"] * 3

    play(story)


def _progress(group: str, step: int) -> Event:
    data = {"total": 10, "done": step, "failed": 0, "percent": step * 10, "name": group}
    return an_event(
        id=f"{group}{step}", type="collection_progress", group=group, subject=group, data=data
    )


def test_a_service_that_refuses_everything_is_not_asked_for_each() -> None:
    """A digest that is refused is taken apart a few times; then the rest shares its end."""

    async def story(world: World) -> None:
        channel = TimedChannel(world.clock, fails=lambda one: PermanentFailure("400", status=400))
        await world.outbox.add(owed(*deliveries(1000)))
        world.start(channel, plain(batch={"max_size": 10}, concurrency=1))
        await world.until_owed_nothing(within=60)
        ends = (await states(world.outbox)).values()
        assert len(channel.begun) == 3
        assert set(ends) == {DeliveryState.DEAD}

    play(story)


def test_one_that_is_refused_does_not_take_the_others_along() -> None:
    """The one that leads a digest may be the poison in it."""

    async def story(world: World) -> None:
        def fails(delivery: Delivery) -> Exception | None:
            return PermanentFailure("400", status=400) if delivery.id == "d0" else None

        channel = TimedChannel(world.clock, fails=fails)
        await world.outbox.add(owed(*deliveries(100)))
        world.start(channel, plain(batch={"max_size": 10}))
        await world.until_owed_nothing(within=60)
        ends = await states(world.outbox)
        assert [id for id, end in ends.items() if end is DeliveryState.DEAD] == ["d0"]

    play(story)


def test_a_store_that_fails_while_it_is_muted_keeps_nothing_back() -> None:
    """What it may have given is taken back, and silenced."""

    async def story(world: World) -> None:
        mutes = Mutes(world.outbox)
        await mutes.mute("team", None)
        await world.outbox.add(owed(*deliveries(20)))
        assert isinstance(world.outbox, ShakyOutbox)
        world.outbox.fails = 2
        world.start(TimedChannel(world.clock), plain(), desk=replace(world.desk(), mutes=mutes))
        await world.until_owed_nothing(within=60)
        assert set((await states(world.outbox)).values()) == {SUPPRESSED}

    play(story, store=ShakyOutbox)
