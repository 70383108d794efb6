"""Whoever waits for a moment looks when it has come, not just before."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from notifyd.clock import SystemClock


async def too_early() -> list[float]:
    """Return by how many seconds waits of some milliseconds were over before their time."""
    clock, never = SystemClock(), asyncio.Event()
    found = []
    for number in range(200):
        until = clock.monotonic() + 0.0007 * (number % 5 + 1)
        await clock.wait(never, until - clock.monotonic())
        found.append(until - clock.monotonic())
    return [seconds for seconds in found if seconds > 0]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_no_wait_is_over_too_early(loop: type[asyncio.AbstractEventLoop]) -> None:
    """Whatever the loop thinks of a millisecond."""
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(too_early()) == []
