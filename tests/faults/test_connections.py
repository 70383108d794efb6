"""What goes wrong on a connection: it is reset in the middle, or hardly moves."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

from tests.faults.daemon import CONCURRENCY, Home, a_home, webhook
from tests.faults.owed import fill, send
from tests.faults.receivers import SILENCE, TAKEN, Receiver, Reply, receiving, take_all
from tests.faults.table import Table

CUTS = {
    3: Reply(cut="request"),
    5: Reply(cut="status line"),
    7: Reply(cut="answer"),
    9: Reply(status=500, cut="answer"),
}
"""How a call is met, by the last digit of its number."""
LONG = 10_000
SMALL = 4096
"""Bytes that the system takes in for a receiver that does not read: less than a long text."""

SAMPLES = 600
SLOW = 5.0
NOISE = 0.005
"""Seconds by which two runs of the same differ on a busy machine."""


async def test_a_reset_connection_loses_nothing(home: Home, table: Table) -> None:
    """What was answered with 2xx is told, though the answer broke off; the rest comes again."""
    async with receiving(lambda number: CUTS.get(number % 10, TAKEN), buffer=SMALL) as hook:
        home.write(hook=webhook(hook.url))
        await home.start()
        owed = await send(home.client, "hook", (f"{one}".ljust(LONG) for one in range(300)))
        row = await table.told("connections reset in the middle", owed, hook, home)
    cuts = [CUTS[number % 10].cut for number in range(1, hook.begun + 1) if number % 10 in CUTS]
    unsure = cuts.count("status line")
    row.besides = f"{len(cuts)} reset, {unsure} of them after the status line"

    assert cuts.count("request") > 20
    assert (row.lost, row.anew) == (0, 0)
    assert row.twice <= unsure


async def test_a_slow_receiver_slows_nobody_else(home: Home, table: Table, tmp_path: Path) -> None:
    """5 s an answer: the other channel is as quick as in a daemon that has no slow one."""
    async with (
        receiving(lambda number: Reply(after=SLOW)) as slow,
        receiving() as beside,
        receiving() as alone,
        a_home(tmp_path / "other") as other,
    ):
        home.write(fast=webhook(beside.url), slow=webhook(slow.url))
        other.write(fast=webhook(alone.url))
        owed = await fill(home.state, "slow", 40)
        await home.start()
        await other.start()
        await slow.until(lambda: slow.begun > 0, 10)
        with_it, without = await by_turns((home, beside), (other, alone))
        most, left = slow.most_open, len(slow.missing(owed))
        slow.choose = take_all
        row = await table.told("a slow receiver beside a fast one", owed, slow, home)
    times = f"{1000 * with_it:.1f} ms, without the slow one {1000 * without:.1f} ms"
    row.besides = f"fast p99 {times}; at most {most} open at the slow one"

    assert left, "it was slow to the end"
    assert row.counts == (0, 0, 0)
    assert with_it <= 1.1 * without + NOISE
    assert most <= CONCURRENCY


async def by_turns(*places: tuple[Home, Receiver]) -> list[float]:
    """Return the p99 latency of each place. What else the machine does meets all alike."""
    seconds = [[await latency(*place) for place in places] for _ in range(SAMPLES)]
    return [statistics.quantiles(column, n=100)[98] for column in zip(*seconds, strict=True)]


async def latency(home: Home, hook: Receiver) -> float:
    """Return the seconds from the call that sends a message to its arrival."""
    began = time.monotonic()
    answer = await asyncio.to_thread(home.client.send, "a text", "fast")
    event = str(answer["id"])
    await hook.until(lambda: event in hook.told, 10)
    return hook.told[event] - began
