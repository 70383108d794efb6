"""Whoever has a hand, over a real store."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from notifyd.channels.settings import ChannelSettings
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.hand import Hand
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.verdict import Policy, put_back
from notifyd.model import Delivery
from notifyd.outbox.store import Outbox
from tests.delivery.parts import plain
from tests.fakes import FakeClock, a_delivery, owed

BATCH = {"batch": {"max_size": 3, "by": "channel"}}


@dataclass(slots=True)
class Holder:
    """Whoever has a hand, and all that it needs."""

    outbox: Outbox
    settings: ChannelSettings = field(default_factory=plain)
    clock: FakeClock = field(default_factory=FakeClock)
    there: tuple[str, ...] = ("mail",)
    mutes: Mutes = field(init=False)
    gate: Gate = field(init=False)
    hand: Hand = field(init=False)

    def __post_init__(self) -> None:
        self.mutes = Mutes(self.outbox)
        self.gate = Gate(self.settings, self.clock.monotonic())
        self.hand = self.new_hand(self.settings)

    def new_hand(self, settings: ChannelSettings) -> Hand:
        all = dict.fromkeys(self.there, plain())
        desk = Desk(outbox=self.outbox, clock=self.clock, mutes=self.mutes, settings_of=all.get)
        policy = Policy(retry=settings.retry, settings_of=all.get)
        return Hand("team", settings, desk, self.gate, policy)

    async def owes(self, *deliveries: Delivery) -> None:
        await self.outbox.add(owed(*deliveries))

    def wait(self) -> float:
        return self.hand.bring_forward(self.clock.monotonic())

    def empties(self) -> list[str]:
        ids = []
        while self.hand:
            assert self.wait() <= 0
            ids.append(self.hand.take().delivery.id)
        return ids

    async def puts_back_a_batch(self) -> None:
        """Take a batch of three in hand, try it, and owe it again."""
        await self.owes(*(a_delivery(f"d{n}") for n in range(3)))
        await self.hand.fill()
        claim = self.hand.take()
        assert (await self.hand.folded(claim)).event.type == "digest"
        back = put_back(claim, self.clock.now())
        await self.outbox.settle([dataclasses.replace(back, tried=True)])
