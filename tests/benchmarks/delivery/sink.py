"""Receivers that do next to nothing, so that they measure the sender: one of HTTP, one of SMTP.

    python -m tests.benchmarks.delivery.sink http|smtp [SECONDS]

Prints its port and the one on which it tells its figures; each answer waits for SECONDS. It ends
when its standard input does, and so never outlives who started it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from typing import cast

import uvloop

BACKLOG = 4096
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(
    rb'(?:\\?"id\\?": *\\?"|^message-id: *<)([^"\\>\r]+)', re.IGNORECASE | re.MULTILINE
)
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_HELLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


class Ledger:
    """What has arrived, and when. It is read only when somebody asks."""

    def __init__(self) -> None:
        self._arrived: list[tuple[float, bytes]] = []

    def note(self, content: bytes) -> None:
        """Keep a message: `"id": "..."` or `Message-ID: <...>` in it tells it from others."""
        self._arrived.append((time.monotonic(), content))

    def count(self) -> int:
        """Return how many came, some of them twice perhaps."""
        return len(self._arrived)

    def arrivals(self) -> dict[str, float]:
        """Return when each message came first, by its id, on the clock of all processes."""
        first: dict[str, float] = {}
        for at, content in self._arrived:
            if found := _ID.search(content):
                first.setdefault(found[1].decode(), at)
        return first


class Door(asyncio.Protocol):
    """One connection: keeps what has come until it makes a whole, and answers."""

    def __init__(self, ledger: Ledger, delay: float = 0.0) -> None:
        self._ledger = ledger
        self._delay = delay
        self._kept = b""
        self.over = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        if answer := self.feed(data):
            self._say(answer)

    def feed(self, data: bytes) -> bytes:
        """Take what is whole by now, and return the answers to it."""
        self._kept = self._kept + data if self._kept else data
        return self._taken()

    def _taken(self) -> bytes:
        raise NotImplementedError

    def _say(self, answer: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(answer)
        if self.over:
            self._transport.close()


class HttpDoor(Door):
    """Takes every request that states its length, and keeps the connection."""

    def _taken(self) -> bytes:
        data, at, answers = self._kept, 0, 0
        while found := _request(data, at):
            body, at = found
            self._ledger.note(body)
            answers += 1
        self._kept = data[at:]
        return _TAKEN * answers


def _request(data: bytes, start: int) -> tuple[bytes, int] | None:
    """Return the body of the request that begins there, and where the next begins."""
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        return None
    length = _LENGTH.search(data, start, end)
    stop = end + 4 + (int(length[1]) if length else 0)
    return (data[end + 4 : stop], stop) if stop <= len(data) else None


class SmtpDoor(Door):
    """Takes every mail, and commands in a row."""

    _in_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._write(b"220 sink\r\n")

    def _taken(self) -> bytes:
        answers = []
        while (whole := self._cut()) is not None:
            answers.append(self._mail(whole) if self._in_mail else self._command(whole))
        return b"".join(answers)

    def _cut(self) -> bytes | None:
        end = b"\r\n.\r\n" if self._in_mail else b"\r\n"
        whole, found, rest = self._kept.partition(end)
        if not found:
            return None
        self._kept = rest
        return whole

    def _mail(self, content: bytes) -> bytes:
        self._ledger.note(content)
        self._in_mail = False
        return b"250 taken\r\n"

    def _command(self, line: bytes) -> bytes:
        word = line[:4].upper()
        if word == b"DATA":
            self._in_mail = True
            self._kept = b"\r\n" + self._kept  # a mail without a line ends by its first dot
            return b"354 go on\r\n"
        if word == b"QUIT":
            self.over = True
            return b"221 bye\r\n"
        return _HELLO if word == b"EHLO" else b"250 ok\r\n"


class Desk(Door):
    """Tells the figures to who asks for `count` or `arrivals`, a line each."""

    def _taken(self) -> bytes:
        *asked, self._kept = self._kept.split(b"\n")
        known: dict[bytes, Callable[[], object]] = {
            b"count": self._ledger.count,
            b"arrivals": self._ledger.arrivals,
        }
        return b"".join(json.dumps(known[line]()).encode() + b"\n" for line in asked)


DOORS: dict[str, type[Door]] = {"http": HttpDoor, "smtp": SmtpDoor}


async def serve(kind: str, delay: float) -> None:
    """Receive until the standard input ends."""
    loop, ledger, over = asyncio.get_running_loop(), Ledger(), asyncio.Event()
    ports = []
    for make in (lambda: DOORS[kind](ledger, delay), lambda: Desk(ledger)):
        server = await loop.create_server(make, "127.0.0.1", 0, backlog=BACKLOG)
        ports.append(server.sockets[0].getsockname()[1])
    sys.stdout.write(f"{ports[0]} {ports[1]}\n")
    sys.stdout.flush()
    loop.add_reader(sys.stdin.fileno(), over.set)
    await over.wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
