"""A web server on the loopback that fails as it is told to.

It speaks HTTP by hand: a web framework neither resets a connection in the middle of a body nor
takes thousands of calls a second beside the daemon that it is to measure.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from tests.faults.arrivals import NO_ANSWER, Arrivals, Call

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_ID = re.compile(rb"(?i)\r\nwebhook-id: *(\S+)")
_BODY = "as told"
_HEAD_END = b"\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 s: the close is a reset (socket(7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How a call is met."""

    status: int = 200
    headers: tuple[str, ...] = ()
    after: float | None = 0.0
    """Seconds until it is written; None: never, and so nothing was taken."""
    cut: Literal["request", "status line", "answer"] | None = None
    """In the middle of what the connection is reset."""

    def text(self) -> bytes:
        """Return what is written; of an answer that is cut, its start."""
        if self.cut == "status line":
            return f"HTTP/1.1 {self.status} As told\r\n".encode()
        body = _BODY[:3] if self.cut else _BODY
        head = (f"HTTP/1.1 {self.status} As told", f"Content-Length: {len(_BODY)}", *self.headers)
        return ("\r\n".join(head) + f"\r\n\r\n{body}").encode()


Choose = Callable[[int], Reply]
"""Says how a call is met, by its number from 1 on."""

TAKEN = Reply()
SILENCE = Reply(after=None)


def take_all(number: int) -> Reply:
    """Take every call."""
    return TAKEN


def every_tenth(reply: Reply) -> Choose:
    """Take every call but the tenth, the twentieth …"""
    return lambda number: TAKEN if number % 10 else reply


class Receiver(Arrivals):
    """A receiver of webhooks. Its port refuses connections until it listens."""

    def __init__(self, choose: Choose, tls: ssl.SSLContext | None, buffer: int | None) -> None:
        super().__init__()
        self.choose = choose
        self.begun = 0
        """Calls of which the head has come."""
        self.hellos = 0
        """TLS handshakes that have begun."""
        self.open: set[_Connection] = set()
        self.most_open = 0
        self._tls = tls
        if tls is not None:
            tls.sni_callback = self._hello
        self._server: asyncio.Server | None = None
        self._door = socket.socket()
        if buffer is not None:
            self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        # A port that is bound and does not listen refuses, and nobody else can take it.
        self._door.bind(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/"

    async def listen(self) -> None:
        """Take calls from now on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), sock=self._door, ssl=self._tls
        )

    def _hello(self, *handshake: object) -> None:
        self.hellos += 1
        self.change()

    async def close(self) -> None:
        """Reset what is open, and go."""
        for connection in tuple(self.open):
            connection.reset()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._door.close()


@asynccontextmanager
async def receiving(
    choose: Choose = take_all,
    *,
    listens: bool = True,
    tls: ssl.SSLContext | None = None,
    buffer: int | None = None,
) -> AsyncIterator[Receiver]:
    """Run a receiver until the block is left.

    `buffer` is how many bytes the system takes in for it while it does not read.
    """
    receiver = Receiver(choose, tls, buffer)
    try:
        if listens:
            await receiver.listen()
        yield receiver
    finally:
        await receiver.close()


class _Connection(asyncio.Protocol):
    """One connection, on which one call comes after the other."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._unread = b""
        self._head = b""
        self._reply = TAKEN

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.open.add(self)
        self._receiver.most_open = max(self._receiver.most_open, len(self._receiver.open))

    def connection_lost(self, error: Exception | None) -> None:
        self._receiver.open.discard(self)
        self._receiver.change()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._head and _HEAD_END in self._unread:
            self._begin()
        if self._head and len(self._unread) >= int(_found(_LENGTH, self._head)):
            self._finish()

    def reset(self) -> None:
        """Break the connection off, so that the other side learns it as an error."""
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RESET
        )
        self._transport.abort()

    def _begin(self) -> None:
        self._head, _, self._unread = self._unread.partition(_HEAD_END)
        self._receiver.begun += 1
        self._receiver.change()
        self._reply = self._receiver.choose(self._receiver.begun)
        if self._reply.cut == "request":
            self._head = b""
            self.reset()

    def _finish(self) -> None:
        event = json.loads(self._unread)["id"]
        call = Call(
            at=time.monotonic(),
            id=_found(_ID, self._head),
            event=event,
            status=NO_ANSWER if self._reply.after is None else self._reply.status,
        )
        self._head = self._unread = b""
        if self._reply.after:
            asyncio.get_running_loop().call_later(self._reply.after, self._answer, self._reply)
        elif self._reply.after is not None:
            self._answer(self._reply)
        self._receiver.note(call)

    def _answer(self, reply: Reply) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(reply.text())
        if reply.cut:
            self.reset()


def _found(pattern: re.Pattern[bytes], head: bytes) -> str:
    found = pattern.search(head)
    assert found, head
    return found[1].decode()
