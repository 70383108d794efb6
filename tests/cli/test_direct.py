"""Sending without a daemon does not wait for ever."""

from __future__ import annotations

import asyncio

from notifyd.channels.base import Receipt
from notifyd.cli.direct import try_once
from notifyd.model import Delivery
from tests.fakes import a_delivery


class Silent:
    """A channel that never comes back."""

    async def send(self, delivery: Delivery) -> Receipt:
        await asyncio.Event().wait()
        return Receipt()


async def test_a_channel_that_is_silent_is_not_waited_for() -> None:
    """It is left at the end of its time, and that is the reason told."""
    assert await try_once(Silent(), a_delivery(), limit=0.2) == "no answer within 0.2 s"
