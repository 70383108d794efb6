"""What all workers share."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from notifyd.clock import Clock
from notifyd.delivery.mutes import Mutes
from notifyd.model import Event
from notifyd.outbox.protocols import WorkerStore


async def _nobody(events: Sequence[Event]) -> None:
    """Tell nobody."""


def _wake_nobody(channels: Iterable[str]) -> None:
    """Nobody else works here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The store, the clock, and whom a worker can turn to."""

    outbox: WorkerStore
    clock: Clock
    mutes: Mutes
    owner: str = "me"
    """Who takes deliveries in hand: this daemon, and no other."""
    tell: Callable[[Sequence[Event]], Awaitable[None]] = _nobody
    """Publishes what happens to a channel. Raises NotTaken."""
    wake: Callable[[Iterable[str]], None] = _wake_nobody
    """Tells the workers of these channels that something is owed to them."""
    is_there: Callable[[str], bool] = lambda channel: True
    """Whether a channel of that name can be told."""
    targets: Callable[[str], Sequence[str]] = lambda channel: ("",)
    """The addresses behind a channel that are each owed a delivery of their own."""
    chance: Callable[[], float] = random.random
