"""What goes wrong on a connection: it is reset in the middle, or is answered late or never."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.daemon import CONCURRENCY, OPENING, Home, a_home, webhook
from tests.faults.owed import fill, send
from tests.faults.receivers import SILENCE, TAKEN, Receiver, Reply, receiving, take_all
from tests.faults.table import Table

pytestmark = pytest.mark.alone

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

SAMPLES = 1000
ROUNDS = 3
"""The p99 of so many are ten, and may differ by a tenth between two runs of the same: the best of
so many rounds counts. Who is slowed down is so in all of them.
"""
COMPARED = (50, 90, 99)
"""Percent of them, from the quickest."""
SLOW = 5.0


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


async def test_a_receiver_that_never_answers_loses_nothing(home: Home, table: Table) -> None:
    """Five tries show it, then it is left alone; once it answers again, all is told."""
    async with receiving(lambda number: SILENCE) as hook:
        home.write(hook=webhook(hook.url, timeout="1s", circuit_breaker={"timeout": "1s"}))
        await home.start()
        owed = await send(home.client, "hook", map(str, range(50)))
        await home.until_down("hook")
        tried, why = hook.begun, await home.trouble("hook")
        hook.choose = take_all
        row = await table.told("a receiver that never answers", owed, hook, home)
    row.besides = f"left alone after {tried} tries"

    assert tried == OPENING
    assert why == "127.0.0.1 did not answer within 1 s"
    assert row.counts == (0, 0, 0)


async def test_a_slow_receiver_slows_nobody_else(home: Home, table: Table, tmp_path: Path) -> None:
    """5 s an answer: the other channel is as quick as in a daemon that has no slow one."""
    async with (
        receiving(lambda number: Reply(after=SLOW)) as slow,
        receiving() as fast,
        without_a_slow_one(tmp_path / "other") as other,
    ):
        home.write(fast=webhook(fast.url), slow=webhook(slow.url))
        owed = await fill(home.state, "slow", 60)
        await home.start()
        await slow.until(lambda: slow.begun > 0, 10)
        beside, alone = await the_best(lambda: by_turns((home, fast), other))
        most, left = slow.most_open, len(slow.missing(owed))
        slow.choose = take_all
        row = await table.told("a slow receiver beside a fast one", owed, slow, home)
    row.besides = f"fast: {in_words(beside)}; without the slow one: {in_words(alone)}"

    assert left, "it was slow to the end"
    assert row.counts == (0, 0, 0)
    assert slowed_down(beside, alone) <= 1.1
    assert most <= CONCURRENCY


@asynccontextmanager
async def without_a_slow_one(folder: Path) -> AsyncIterator[tuple[Home, Receiver]]:
    """Run a daemon that has the fast channel alone."""
    async with a_home(folder) as home, receiving() as hook:
        home.write(fast=webhook(hook.url))
        await home.start()
        yield home, hook


async def the_best(compare: Callable[[], Awaitable[list[list[float]]]]) -> list[list[float]]:
    """Return the latencies of the round in which the one place was slowed down least."""
    rounds = [await compare()]
    while len(rounds) < ROUNDS and slowed_down(*rounds[-1]) > 1.1:
        rounds.append(await compare())
    return min(rounds, key=lambda columns: slowed_down(*columns))


def slowed_down(beside: list[float], alone: list[float]) -> float:
    """Return by how much, at whatever percent it is most."""
    return max(quantile(beside, percent) / quantile(alone, percent) for percent in COMPARED)


async def by_turns(*places: tuple[Home, Receiver]) -> list[list[float]]:
    """Return the latencies of each place. What else the machine does meets all alike."""
    seconds = [[await latency(*place) for place in places] for _ in range(SAMPLES)]
    return [list(column) for column in zip(*seconds, strict=True)]


async def latency(home: Home, hook: Receiver) -> float:
    """Return the seconds from the call that sends a message to its arrival."""
    began = time.monotonic()
    answer = await asyncio.to_thread(home.client.send, "a text", "fast")
    event = str(answer["id"])
    with suppress(TimeoutError):
        await hook.until(lambda: event in hook.told, 30)
    assert event in hook.told, (home.client.delivery(event), home.client.status(), home.said())
    return hook.told[event] - began


def quantile(seconds: list[float], percent: int) -> float:
    """Return what so many percent do not exceed."""
    return statistics.quantiles(seconds, n=100)[percent - 1]


def in_words(seconds: list[float]) -> str:
    """Return what a row says of latencies."""
    figures = "/".join(f"{1000 * quantile(seconds, percent):.1f}" for percent in (50, 90, 99))
    return f"p50/90/99 {figures} ms"
