"""What all workers share."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from notifyd.clock import Clock
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.verdict import SettingsOf, no_settings
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
    settings_of: SettingsOf = no_settings
    """Those of the channels that can be told."""
    chance: Callable[[], float] = random.random
