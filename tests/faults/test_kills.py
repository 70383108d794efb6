"""What becomes of the daemon itself: killed, frozen, started twice."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import time
from bisect import bisect
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.arrivals import Arrivals
from tests.faults.daemon import CONCURRENCY, Daemon, Home, a_home, webhook
from tests.faults.owed import feeding, send
from tests.faults.receivers import Receiver, Reply, receiving, take_all
from tests.faults.table import Table

pytestmark = pytest.mark.alone

KILLS = 100
SEEDS = (20260118, 20260119)
"""One for each home in which so many daemons are killed: side by side, for there are two cores."""
IN_START = 0.6
"""The part of the kills that hits a daemon before it is ready."""
AFTER_START = 0.25
"""Seconds after it is ready within which the others are hit."""
IN_ONE_COMMIT = 24
"""Two feeders owe 400 messages a second at most, and 60 ms is long for a gathering and a commit."""
MOST_AGAIN = CONCURRENCY + IN_ONE_COMMIT
"""Messages that a kill may have told twice: what is under way, and what is told and not written."""


async def pass_time(seconds: float) -> None:
    """Let a span pass. It is what the test is about: nothing is waited for by it."""
    await asyncio.sleep(seconds)


@pytest.mark.timeout(600)  # a busy machine starts two hundred daemons slowly
async def test_what_is_killed_or_frozen_loses_nothing(tmp_path: Path, table: Table) -> None:
    """kill -9 two hundred times, SIGSTOP past all leases: only what was under way comes again.

    In homes side by side: there are two cores, and who is frozen needs none.
    """
    async with asyncio.TaskGroup() as homes:
        homes.create_task(a_freeze_loses_nothing(tmp_path / "frozen", table))
        for seed in SEEDS:
            homes.create_task(a_hundred_kills_lose_nothing(tmp_path / str(seed), seed, table))


async def a_hundred_kills_lose_nothing(folder: Path, seed: int, table: Table) -> None:
    """Kill so many daemons of one home, and see what its receiver got."""
    async with a_home(folder) as home, receiving() as hook:
        home.write(hook=webhook(hook.url))
        with feeding(home.client, "hook") as taken:
            kills = await killed_again_and_again(home, hook, random.Random(seed))
        await home.start()
        row = await table.told(f"{KILLS} kills", taken, hook, home)
    most = max(Counter(bisect(kills, call.at) for call in hook.repeated()).values(), default=0)
    row.besides = f"seed {seed}; at most {most} again after one kill"

    assert row.sent > 5 * KILLS
    assert (row.lost, row.anew) == (0, 0)
    assert most <= MOST_AGAIN
    assert repeated_without_a_kill(kills, hook) == []


async def killed_again_and_again(home: Home, hook: Receiver, chance: random.Random) -> list[float]:
    """Start and kill daemon after daemon, and return when each was gone."""
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


async def a_freeze_loses_nothing(folder: Path, table: Table) -> None:
    """Freeze a daemon in the middle of deliveries until its leases are over; let it go on.

    The folder stays its own, so no other worker can take what is in its hand: that whoever comes
    too late changes nothing is shown by LeaseContract, in tests/outbox/contract.
    """
    async with a_home(folder) as home, receiving(lambda number: Reply(after=0.1)) as hook:
        home.write(hook=webhook(hook.url, timeout="1s"))
        daemon = await home.start()
        owed = await send(home.client, "hook", map(str, range(100)))
        await hook.until(lambda: len(hook.calls) >= 10, 10)
        daemon.process.send_signal(signal.SIGSTOP)
        frozen = leased_for(home) + 1.0
        await pass_time(frozen)
        lines = await home.refused()
        hook.choose = take_all
        daemon.process.send_signal(signal.SIGCONT)
        row = await table.told(f"frozen for {frozen:.0f} s", owed, hook, home)

    assert (row.lost, row.anew) == (0, 0)
    assert row.twice <= CONCURRENCY
    assert f"another notifyd uses {home.state}" in lines[0]


def leased_for(home: Home) -> float:
    """Return the seconds until the last lease is over of what a frozen daemon has in hand."""
    for path in home.state.glob("outbox.sqlite*"):  # the daemon has them to itself
        shutil.copy(path, home.folder)
    with closing(sqlite3.connect(home.folder / "outbox.sqlite")) as file:
        query = "SELECT max(leased_until) FROM deliveries WHERE state = 'leased'"
        return float(file.execute(query).fetchone()[0]) - time.time()


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
