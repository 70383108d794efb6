"""Virtual time: it jumps to what comes next, and never stands still unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.loop import EARLY, START, Stalled, VirtualClock, run_virtual


def test_time_jumps() -> None:
    """A day's sleep and a time-out after an hour take no time; timers come a little early."""

    async def live(clock: VirtualClock) -> tuple[str, float]:
        try:
            async with asyncio.timeout(3600):
                await asyncio.sleep(86400)
        except TimeoutError:
            return "timed out", clock.now() - START
        return "slept", clock.monotonic()

    how, seconds = run_virtual(live)
    assert how == "timed out"
    assert 3600 - 2 * EARLY < seconds < 3600


def test_a_thread_is_done_at_once() -> None:
    """What is handed to a thread runs in the loop."""

    async def live(clock: VirtualClock) -> float:
        return await asyncio.to_thread(clock.monotonic)

    assert run_virtual(live) < EARLY


@pytest.mark.parametrize("turn", [lambda: asyncio.Event().wait(), lambda: asyncio.sleep(0)])
def test_a_standstill_is_noticed(turn: Callable[[], Awaitable[object]]) -> None:
    """Whoever waits for ever, or runs in circles."""

    async def live(clock: VirtualClock) -> None:
        while True:
            await turn()

    with pytest.raises(Stalled):
        run_virtual(live)
