"""How soon a message is on the wire that has just been stored, at a steady pace."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from tests.benchmarks.delivery.ours import CHANNEL, daemon, wait_for, world
from tests.benchmarks.delivery.processes import (
    PATIENCE,
    Process,
    Sink,
    others,
    python,
    read,
    sink,
    started,
)

PACE = 1000
SECONDS = 10
_CONNECTIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """When a message was handed in, and when it was said to be stored."""

    asked: float
    answered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How late messages were, in seconds; what is not there has not arrived."""

    from_asked: list[float]
    from_stored: list[float]
    """Below 0 where it was on the wire before the answer was read."""
    pace: float
    """Messages a second that the daemon stored."""
    refused: int
    lost: int
    cpu: float
    """Microseconds a message."""
    others: float


def live(at_once: int) -> Live:
    """Hand messages to a daemon through its socket, and watch them arrive."""
    with contextlib.ExitStack() as stack:
        place, there = stack.enter_context(world()), stack.enter_context(sink())
        process = stack.enter_context(daemon(place, "http", there.port, at_once))
        door = place.state / "control.sock"
        wait_for(door.exists)
        return _measured(there, process, str(door))


def by_looks(at_once: int) -> Live:
    """Let jobs end at the pace, as the looks at the queue tell of them, and watch it arrive."""
    with sink() as there, started(python("pace", there.port, PACE, SECONDS, at_once)) as process:
        begin = read(there, process)
        assert process.stdout is not None
        assert process.stdin is not None
        stored: dict[str, float] = json.loads(process.stdout.readline())
        _wait_for_all(there, len(stored))
        end, arrived = read(there, process), there.arrivals()
        process.stdin.close()
        process.wait(PATIENCE)
    return Live(
        from_asked=[],
        from_stored=[arrived[id] - at for id, at in stored.items() if id in arrived],
        pace=(len(stored) - 1) / (max(stored.values()) - min(stored.values())),
        refused=0,
        lost=sum(id not in arrived for id in stored),
        cpu=(end.theirs - begin.theirs) / len(stored) * 1e6,
        others=others(begin, end),
    )


def _measured(there: Sink, process: Process, door: str) -> Live:
    begin = read(there, process)
    sent = asyncio.run(_handed_in(door))
    _wait_for_all(there, len(sent))
    end, arrived = read(there, process), there.arrivals()
    return Live(
        from_asked=[arrived[id] - one.asked for id, one in sent.items() if id in arrived],
        from_stored=[arrived[id] - one.answered for id, one in sent.items() if id in arrived],
        pace=len(sent) / _span(sent),
        refused=PACE * SECONDS - len(sent),
        lost=sum(id not in arrived for id in sent),
        cpu=(end.theirs - begin.theirs) / max(len(arrived), 1) * 1e6,
        others=others(begin, end),
    )


def _span(sent: Mapping[str, Sent]) -> float:
    """Return the seconds from the first message to the last answer."""
    return max(one.answered for one in sent.values()) - min(one.asked for one in sent.values())


def _wait_for_all(there: Sink, messages: int) -> None:
    latest = time.monotonic() + PATIENCE
    while there.count() < messages and time.monotonic() < latest:
        time.sleep(0.05)


async def _handed_in(door: str) -> dict[str, Sent]:
    """Hand in messages at the pace, whether or not the daemon keeps up."""
    connector = aiohttp.UnixConnector(door, limit=_CONNECTIONS)
    sent: dict[str, Sent] = {}
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(PACE * SECONDS):
                await asyncio.sleep(began + number / PACE - time.monotonic())
                group.create_task(_hand_in(session, number, sent))
    return sent


async def _hand_in(session: aiohttp.ClientSession, number: int, sent: dict[str, Sent]) -> None:
    asked = time.monotonic()
    words = {"text": f"message {number}", "channel": CHANNEL}
    with contextlib.suppress(aiohttp.ClientError):
        async with session.post("/v1/messages", json=words) as answer:
            told = await answer.json()
        if answer.status == 202:
            sent[told["id"]] = Sent(asked=asked, answered=time.monotonic())
