"""A real mail server that fails as it is told to, and keeps all that it was handed."""

from __future__ import annotations

import asyncio
import email
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.faults.arrivals import Arrivals, Call


class MailServer(Arrivals):
    """Takes mails. What it does otherwise it does by the number of a connection or a mail."""

    def __init__(self, busy: Collection[int]) -> None:
        super().__init__()
        self.port = 0
        self.dropped: list[str] = []
        """The Message-IDs of what it has taken without a word."""
        self._busy = busy
        self._connections = 0

    def answer(self) -> asyncio.BaseProtocol:
        """Return who speaks on the next connection."""
        self._connections += 1
        if self._connections in self._busy:
            return _Busy()
        return SMTP(self, hostname="mx.test", loop=asyncio.get_running_loop())

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content)
        id = str(mail["Message-ID"])
        number = len(self.calls) + 1
        put_off, dropped = number % 10 == 0, number % 15 == 1
        # By its words: an id that is another the second time would make it another event.
        event, status = str(mail["Subject"]), 451 if put_off else 250
        self.note(Call(at=time.monotonic(), id=id, event=event, status=status))
        if dropped:
            self.dropped.append(id)
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "451 not now" if put_off else "250 taken"


@asynccontextmanager
async def mail_server(busy: Collection[int]) -> AsyncIterator[MailServer]:
    """Run a mail server; connections with these numbers are sent away at once."""
    mail = MailServer(busy)
    server = await asyncio.get_running_loop().create_server(mail.answer, "127.0.0.1", 0)
    async with server:
        mail.port = server.sockets[0].getsockname()[1]
        yield mail


class _Busy(asyncio.Protocol):
    """Sends away whoever connects (RFC 5321, 3.1)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 mx.test too many connections\r\n")
        transport.close()
