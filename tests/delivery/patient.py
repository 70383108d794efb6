"""A channel, as its worker would treat it, and somebody who hears of its trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from notifyd.bus import NotTaken
from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.delivery.condition import Condition
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.mutes import Mutes
from notifyd.model import Event
from notifyd.outbox.store import Outbox
from tests.delivery.parts import plain
from tests.fakes import FakeClock

DOWN = TemporaryFailure("down")


NO_ENTRY = PermanentFailure("401", fault=Fault.CHANNEL)


TAKEN = Receipt()


@dataclass(slots=True)
class Ears:
    """Hears what is told of a channel, or does not."""

    heard: list[Event] = field(default_factory=list)
    deaf: bool = False

    async def tell(self, events: Sequence[Event]) -> None:
        if self.deaf:
            raise NotTaken("nobody is there")
        self.heard.extend(events)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.heard]


@dataclass(slots=True)
class Patient:
    """A channel, as its worker would treat it."""

    outbox: Outbox
    clock: FakeClock = field(default_factory=FakeClock)
    ears: Ears = field(default_factory=Ears)
    condition: Condition = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew, with no more than what was stored."""
        gate = Gate(plain(), self.clock.monotonic())
        mutes = Mutes(self.outbox)
        desk = Desk(outbox=self.outbox, clock=self.clock, mutes=mutes, tell=self.ears.tell)
        self.condition = Condition("team", gate, desk)

    @property
    def gate(self) -> Gate:
        return self.condition.gate

    async def tries(self, *ends: Receipt | TemporaryFailure | PermanentFailure) -> None:
        """Learn from these, and store what the next commit would."""
        for end in ends:
            self.condition.learn(end, "")
        await self.outbox.settle([], self.condition.notes())

    async def looks(self, after: float = 0.0) -> list[str]:
        """Let so much time pass, look at the channel, and return what has been told so far."""
        self.clock.time += after
        await self.condition.attend()
        return self.ears.types
