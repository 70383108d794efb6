"""How a channel is, is read off its gate; a store that fails hides no channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from notifyd.channels.settings import CircuitBreaker
from notifyd.control.overview import Stock, channel_view
from notifyd.control.views import ChannelView, StoreView
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.worker import Worker
from notifyd.outbox.store import Outbox
from tests.fakes import FakeChannel, FakeClock, PlainSettings, a_delivery, owed

SETTINGS = PlainSettings(
    fallback=("mail",), circuit_breaker=CircuitBreaker(failure_threshold=1, timeout=60)
)


@dataclass(slots=True)
class SkewedClock(FakeClock):
    """A machine that is up for 500 s."""

    time: float = 1_000_000.0

    def monotonic(self) -> float:
        return self.time - 999_500.0


@dataclass(slots=True)
class Post:
    """One channel with a real store."""

    outbox: Outbox
    clock: SkewedClock = field(default_factory=SkewedClock)
    mutes: Mutes = field(init=False)
    worker: Worker = field(init=False)

    def __post_init__(self) -> None:
        self.mutes = Mutes(self.outbox)
        desk = Desk(outbox=self.outbox, clock=self.clock, mutes=self.mutes)
        gate = Gate(SETTINGS, self.clock.monotonic())
        self.worker = Worker("team", FakeChannel(), SETTINGS, desk, gate)

    async def view(self) -> ChannelView:
        stock = await Stock.take(self.outbox)
        return channel_view(self.worker, stock, self.mutes, self.clock)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    outbox = Outbox(tmp_path / "outbox.sqlite")
    await outbox.open()
    yield Post(outbox)
    await outbox.close()


@pytest.mark.parametrize(
    ("happens", "state"),
    [
        (lambda gate, now: None, "ok"),
        (lambda gate, now: gate.pause(now + 30), "waiting"),
        (lambda gate, now: gate.failed(now), "down"),
        (lambda gate, now: gate.refuse("no such hook"), "refused"),
    ],
)
async def test_a_channel_is_as_its_gate(
    post: Post, happens: Callable[[Gate, float], object], state: str
) -> None:
    """Whatever else is so, a mute comes first."""
    happens(post.worker.gate, post.clock.monotonic())

    assert (await post.view()).state == state
    await post.mutes.mute("team", None)
    assert (await post.view()).state == "muted"


async def test_its_times_are_those_of_the_calendar(post: Post) -> None:
    """The gate counts from the start of the machine."""
    gate, now = post.worker.gate, post.clock.monotonic()
    gate.pause(now + 30)
    gate.failed(now - 10)
    view = await post.view()

    assert view.paused_until == 1_000_030.0
    assert (view.down_since, view.next_probe) == (999_990.0, 1_000_050.0)
    assert view.fallback == ("mail",)
    post.clock.time += 100
    later = await post.view()
    assert (later.down_since, later.next_probe, later.paused_until) == (999_990.0, None, None)


async def test_what_it_owes_is_counted(post: Post) -> None:
    """With the age of the oldest; what nobody's channel owes is told apart."""
    await post.outbox.add(owed(a_delivery("d1"), a_delivery("d2"), a_delivery("d3", "old")))
    view = await post.view()
    stock = await Stock.take(post.outbox)

    assert (view.backlog, view.oldest, view.dead) == (2, 1_000_000.0, 0)
    assert stock.strangers({"team": post.worker}) == {"old": 1}


async def test_a_store_that_fails_hides_no_channel(post: Post, tmp_path: Path) -> None:
    """What cannot be counted is not known, which is not none. Here it was never opened."""
    post.worker.gate.refuse("no such hook")
    stock = await Stock.take(Outbox(tmp_path / "other.sqlite"))
    view = channel_view(post.worker, stock, post.mutes, post.clock)

    assert (view.state, view.backlog, view.oldest, view.dead) == ("refused", None, None, None)
    assert stock.view == StoreView(trouble=f"{tmp_path}/other.sqlite is closed", dead={})
    assert stock.strangers({}) == {}
