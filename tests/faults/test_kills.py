"""What becomes of the daemon itself: killed, frozen, started twice."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from bisect import bisect
from collections import Counter

import pytest

from tests.faults.arrivals import Arrivals
from tests.faults.daemon import Daemon, Home, webhook
from tests.faults.owed import feeding, send
from tests.faults.receivers import Receiver, Reply, receiving, take_all
from tests.faults.table import Table

KILLS = 200
SEED = 20260118
IN_START = 0.6
"""The part of the kills that hits a daemon before it is ready."""
AFTER_START = 0.25
"""Seconds after it is ready within which the others are hit."""
MOST_AGAIN = 200
"""Messages that a kill may have told twice."""
FROZEN = 45.0
"""Seconds: longer than the lease, which outlasts the three longest tries (7 s each) by 20 s."""


async def pass_time(seconds: float) -> None:
    """Let a span pass. It is what the test is about: nothing is waited for by it."""
    await asyncio.sleep(seconds)


@pytest.mark.timeout(600)  # a busy machine starts two hundred daemons slowly
async def test_two_hundred_kills_lose_nothing(home: Home, table: Table) -> None:
    """kill -9 from start-up to the middle of deliveries: only what was under way comes again."""
    async with receiving() as hook:
        home.write(hook=webhook(hook.url))
        with feeding(home.client, "hook") as taken:
            kills = await killed_again_and_again(home, hook)
        await home.start()
        row = await table.told(f"{KILLS} kills", taken, hook, home)
    most = max(Counter(bisect(kills, call.at) for call in hook.repeated()).values(), default=0)
    row.besides = f"seed {SEED}; at most {most} again after one kill"

    assert row.sent > 5 * KILLS
    assert (row.lost, row.anew) == (0, 0)
    assert most <= MOST_AGAIN
    assert repeated_without_a_kill(kills, hook) == []


async def killed_again_and_again(home: Home, hook: Receiver) -> list[float]:
    """Start and kill daemon after daemon, and return when each was gone."""
    chance = random.Random(SEED)
    await (await home.start()).end()
    boot = time.monotonic() - home.began
    gone = []
    for _ in range(KILLS):
        daemon = await a_while_old(home, chance, boot)
        await daemon.end()
        # What it had sent may still lie unread on its connections.
        await hook.until(lambda: not hook.open, 10)
        gone.append(time.monotonic())
    return gone


async def a_while_old(home: Home, chance: random.Random, boot: float) -> Daemon:
    """Start a daemon, and return somewhere in its start or soon after it."""
    if chance.random() < IN_START:
        daemon = await home.begin()
        await pass_time(chance.uniform(0, boot))
        return daemon
    daemon = await home.start()
    await pass_time(chance.uniform(0, AFTER_START))
    return daemon


def repeated_without_a_kill(kills: list[float], hook: Arrivals) -> list[str]:
    """Return what one daemon told twice."""
    lives = Counter((call.id, bisect(kills, call.at)) for call in hook.calls if call.taken)
    return [id for (id, _), times in lives.items() if times > 1]


async def test_a_frozen_daemon_goes_on(home: Home, table: Table) -> None:
    """SIGSTOP for longer than a lease, in the middle of deliveries; then SIGCONT."""
    async with receiving(lambda number: Reply(after=0.1)) as hook:
        home.write(hook=webhook(hook.url, timeout="1s"))
        daemon = await home.start()
        owed = await send(home.client, "hook", map(str, range(100)))
        await hook.until(lambda: len(hook.calls) >= 10, 10)
        daemon.process.send_signal(signal.SIGSTOP)
        await pass_time(FROZEN)
        hook.choose = take_all
        daemon.process.send_signal(signal.SIGCONT)
        row = await table.told(f"frozen for {FROZEN:g} s", owed, hook, home)

    assert (row.lost, row.anew) == (0, 0)


async def test_a_second_daemon_refuses(home: Home, table: Table) -> None:
    """On one state folder: the second ends with exit code 1 and one line, the first goes on."""
    async with receiving() as hook:
        home.write(hook=webhook(hook.url))
        first = await home.start()
        owed = await send(home.client, "hook", map(str, range(50)))
        lines = await home.refused()
        owed += await send(home.client, "hook", map(str, range(50)))
        row = await table.told("a second daemon", owed, hook, home)
        assert first.runs

    assert row.counts == (0, 0, 0)
    assert len(lines) == 1
    assert f"another notifyd uses {home.state}" in lines[0]
