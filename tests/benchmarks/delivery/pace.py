"""A daemon's parts, joined as it joins them, with jobs that end at a steady pace.

    python -m tests.benchmarks.delivery.pace PORT EVENTS_A_SECOND SECONDS AT_ONCE

Each look, a hundred a second, tells what has ended since the last one. Prints for each event when
it was stored, on the clock of all processes, and sends until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path

import structlog
import uvloop

from notifyd.bus import Bus
from notifyd.channels.transport import Transport
from notifyd.channels.webhook import Webhook, WebhookSettings
from notifyd.clock import SystemClock
from notifyd.delivery.desk import Desk
from notifyd.delivery.fleet import Fleet, Place
from notifyd.delivery.intake import Intake, Rules
from notifyd.delivery.mutes import Mutes
from notifyd.outbox.store import Outbox
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router, Subscriber
from tests.benchmarks.delivery.samples import events

LOOKS = 100
"""A second."""
CHANNEL = "team"
GRACE = 5.0


def settings(port: int, at_once: int) -> WebhookSettings:
    """Return those of a channel that may be used as fast as it can be."""
    return WebhookSettings.model_validate(
        {
            "url": f"http://127.0.0.1:{port}/hook",
            "events": ["all"],
            "concurrency": at_once,
            "rate_limit": {"max_requests": 1_000_000, "window": "1s", "burst": 1_000_000},
        }
    )


async def run(where: WebhookSettings, outbox: Outbox, pace: int, seconds: int) -> None:
    """Tell it all, and go on until nobody wants it any more."""
    bus, clock = Bus(), SystemClock()
    rules = Rules(
        router=Router(subscribers=(Subscriber(channel=CHANNEL, patterns=("all",)),)),
        renderer=Renderer(),
        channels={CHANNEL: where},
    )
    async with Transport() as transport, asyncio.TaskGroup() as group:

        def spawn(work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
            return group.create_task(work, name=name)

        def wake(names: Iterable[str]) -> None:
            fleet.wake(names)

        desk = Desk(outbox=outbox, clock=clock, mutes=Mutes(outbox), tell=bus.publish, wake=wake)
        fleet = Fleet(desk, spawn, GRACE)
        await fleet.swap({CHANNEL: Place(channel=Webhook(where, transport, clock), settings=where)})
        with bus.subscribe("intake", lossless=True) as inbox:
            intake = spawn(Intake(outbox, clock, wake, rules).run(inbox), "intake")
            sys.stdout.write(f"{json.dumps(await tell(bus, pace, seconds))}\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
            await fleet.stop()
            intake.cancel()


async def tell(bus: Bus, pace: int, seconds: int) -> dict[str, float]:
    """Publish what each look has found, whether or not the last one is stored."""
    stored: dict[str, float] = {}
    found, each = events(pace * seconds), pace // LOOKS

    async def publish(number: int) -> None:
        some = [next(found) for _ in range(each)]
        await bus.publish(some)
        stored.update(dict.fromkeys((one.id for one in some), time.monotonic()))

    began = time.monotonic()
    async with asyncio.TaskGroup() as looks:
        for number in range(LOOKS * seconds):
            await asyncio.sleep(began + number / LOOKS - time.monotonic())
            looks.create_task(publish(number))
    return stored


async def main() -> None:
    """Do it, with the store in a folder of its own."""
    port, pace, seconds, at_once = map(int, sys.argv[1:])
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with tempfile.TemporaryDirectory(prefix="n-") as folder:
        outbox = Outbox(Path(folder) / "outbox.sqlite")
        await outbox.open()
        await run(settings(port, at_once), outbox, pace, seconds)
        await outbox.close()


if __name__ == "__main__":
    uvloop.run(main())
