"""notifyd itself: the real daemon, which sends what its outbox owes."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from notifyd.outbox.records import Owed
from notifyd.outbox.store import Outbox
from tests.benchmarks.delivery.processes import Process, measure, peak, sink, started
from tests.benchmarks.delivery.report import Round
from tests.benchmarks.delivery.samples import deliveries
from tests.cli.world import World

CHANNEL = "team"
SLOW = 1.0
"""Seconds that the receiver takes while memory is watched: enough to be always behind."""
WATCHED = 15.0
_BATCH = 1000
_STARTS_WITHIN = 60.0
_KINDS = {
    "http": "type: webhook\n    url: http://127.0.0.1:{port}/hook",
    "smtp": "type: email\n    host: 127.0.0.1\n    port: {port}\n    security: none\n"
    "    from: jobs@example.org\n    to: ada@example.org",
}
_CONFIG = """
slurm: {{interval: 1h}}
channels:
  team:
    {kind}
    events: [all]
    concurrency: {at_once}
    timeout: 60s
    batch: null
    rate_limit: {{max_requests: 1000000, window: 1s, burst: 1000000}}
"""


def backlog(messages: int, at_once: int, kind: str = "http") -> Round:
    """Measure a daemon that finds so many messages in its outbox and sends them all."""
    with world() as place, sink(kind) as there:
        asyncio.run(fill(place, messages))
        with daemon(place, kind, there.port, at_once) as process:
            return measure(there, process, messages)


def memory(messages: int, at_once: int) -> int:
    """Return the most bytes that a daemon holds which owes so much to a slow receiver."""
    with world() as place, sink("http", SLOW) as there:
        asyncio.run(fill(place, messages))
        with daemon(place, "http", there.port, at_once) as process:
            wait_for(lambda: there.count() > 0)
            time.sleep(WATCHED)
            return peak(process.pid)


@contextmanager
def world() -> Iterator[World]:
    """Have a machine with a Slurm without jobs; its path is short, for its socket's sake."""
    folder = Path(tempfile.mkdtemp(prefix="n-", dir="/tmp"))
    made = World(folder)
    made.has_slurm()
    try:
        yield made
    finally:
        shutil.rmtree(folder)


async def fill(place: World, messages: int) -> None:
    """Store what is owed, as durably as the daemon does."""
    place.state.mkdir(mode=0o700, parents=True)
    outbox = Outbox(place.state / "outbox.sqlite")
    await outbox.open()
    owed = deliveries(messages, CHANNEL)
    while batch := list(islice(owed, _BATCH)):
        await outbox.add([Owed(delivery=one) for one in batch])
    await outbox.close()


@contextmanager
def daemon(place: World, kind: str, port: int, at_once: int) -> Iterator[Process]:
    """Run a daemon with one channel until the block is left; its log goes into a file."""
    place.write(_CONFIG.format(kind=_KINDS[kind].format(port=port), at_once=at_once))
    where = ["--config", str(place.config), "--state-dir", str(place.state)]
    command = [sys.executable, "-m", "notifyd", *where, "run"]
    with (place.folder / "log").open("wb") as log, started(command, place.environ, log) as process:
        yield process


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition holds. Raises TimeoutError."""
    latest = time.monotonic() + _STARTS_WITHIN
    while not condition():
        if time.monotonic() > latest:
            raise TimeoutError("the daemon does not start")
        time.sleep(0.05)
