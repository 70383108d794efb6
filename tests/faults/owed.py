"""Ways to owe messages to a channel. Each returns the events by which a receiver is asked."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from notifyd.client import Client, NotRunning, Refused
from notifyd.model import Delivery, Event, Message, Severity
from notifyd.outbox.records import Owed
from notifyd.outbox.store import Outbox

_THREADS = 4
_PAUSE = 0.005


async def fill(state: Path, channel: str, number: int, per_job: int = 1) -> list[str]:
    """Store messages while no daemon runs, so many of each job, in the order of the jobs."""
    state.mkdir(mode=0o700, exist_ok=True)
    owed = [f"{channel}-{one}" for one in range(number)]
    outbox = Outbox(state / "outbox.sqlite")
    await outbox.open()
    try:
        stories = (_delivery(id, channel, f"job/{at // per_job}") for at, id in enumerate(owed))
        await outbox.add([Owed(delivery=one) for one in stories])
    finally:
        await outbox.close()
    return owed


def _delivery(id: str, channel: str, group: str) -> Delivery:
    now = time.time()
    event = Event(
        id=id,
        type="message",
        severity=Severity.INFO,
        time=now,
        source="/notifyd",
        subject="message",
        group=group,
        data={"text": id, "channel": channel},
    )
    return Delivery(id=id, channel=channel, event=event, message=Message(title=id), created=now)


async def send(client: Client, channel: str, texts: Iterable[str]) -> list[str]:
    """Send texts through the control socket, a few at a time."""

    def sent(text: str) -> str:
        return str(client.send(text, channel)["id"])

    def work() -> list[str]:
        with ThreadPoolExecutor(_THREADS) as threads:
            return list(threads.map(sent, texts))

    return await asyncio.to_thread(work)


@contextmanager
def feeding(client: Client, channel: str) -> Iterator[set[str]]:
    """Send one message after the other, each again and again until a daemon has taken it.

    Yields what was taken so far. Nobody answers for a message that was not.
    """
    taken: set[str] = set()
    enough = threading.Event()

    def feed(name: str) -> None:
        number = 0
        while not enough.wait(_PAUSE):
            with suppress(NotRunning, Refused):
                taken.add(str(client.send("a text", channel, f"{name}-{number}")["id"]))
                number += 1

    with ThreadPoolExecutor(2) as threads:
        try:
            for name in "ab":
                threads.submit(feed, name)
            yield taken
        finally:
            enough.set()
