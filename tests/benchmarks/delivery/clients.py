"""Peers that are libraries, each as a process that sends and ends.

It is called as

    python -m tests.benchmarks.delivery.clients WHAT PORT MESSAGES [AT ONCE]
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any

import aiohttp
import aiosmtplib
import uvloop

from tests.benchmarks.delivery.samples import TITLE, body, mail

_FROM, _TO = "jobs@example.org", ["ada@example.org"]
Send = Callable[[int], Awaitable[object]]


async def _each(numbers: Iterator[int], send: Send) -> None:
    for number in numbers:
        await send(number)


async def _together(send: Send, messages: int, at_once: int) -> None:
    """Send all, so many at a time."""
    numbers = iter(range(messages))
    await asyncio.gather(*(_each(numbers, send) for _ in range(at_once)))


async def bare(port: int, messages: int, at_once: int) -> None:
    """Post with aiohttp, and nothing else."""
    url, headers = f"http://127.0.0.1:{port}/hook", {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:

        async def send(number: int) -> None:
            async with session.post(url, data=body(number), headers=headers) as answer:
                await answer.read()

        await _together(send, messages, at_once)


async def apprise(port: int, messages: int, _: int) -> None:
    """Notify with Apprise, one after the other as its own users do."""
    told = _apprise(port)
    for number in range(messages):
        told.notify(title=TITLE, body=body(number).decode())


async def apprise_async(port: int, messages: int, _: int) -> None:
    """Notify with Apprise's async side, all at once."""
    told = _apprise(port)
    texts = [body(number).decode() for number in range(messages)]
    await asyncio.gather(*(told.async_notify(title=TITLE, body=text) for text in texts))


def _apprise(port: int) -> Any:
    told = import_module("apprise").Apprise()
    told.add(f"json://127.0.0.1:{port}/hook")
    return told


async def smtp(port: int, messages: int, at_once: int) -> None:
    """Hand in mails with aiosmtplib, over connections that stay."""
    numbers = iter(range(messages))

    async def connection() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            await _each(numbers, lambda number: client.sendmail(_FROM, _TO, mail(number)))

    await asyncio.gather(*(connection() for _ in range(at_once)))


async def smtp_anew(port: int, messages: int, at_once: int) -> None:
    """Hand in mails with aiosmtplib, over a connection each."""

    async def send(number: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            await client.sendmail(_FROM, _TO, mail(number))

    await _together(send, messages, at_once)


CLIENTS = {one.__name__: one for one in (bare, apprise, apprise_async, smtp, smtp_anew)}

if __name__ == "__main__":
    what, *figures = sys.argv[1:]
    uvloop.run(CLIENTS[what](*map(int, figures)))
