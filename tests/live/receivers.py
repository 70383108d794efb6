"""Servers on the loopback that keep what they receive, and when."""

from __future__ import annotations

import asyncio
import datetime
import email
import email.policy
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Self

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from notifyd.slurm.states import END_EVENTS
from tests.webserver import serving

ENDS = frozenset(END_EVENTS.values())


@dataclass(frozen=True, slots=True)
class Call:
    """One webhook call."""

    at: float
    id: str
    event: dict[str, Any]

    @property
    def what(self) -> tuple[str, str]:
        return self.event["subject"], self.event["type"]

    @property
    def happened(self) -> float:
        """When it happened, in Unix seconds."""
        return datetime.datetime.fromisoformat(self.event["time"]).timestamp()

    @property
    def late(self) -> float:
        """Seconds from when it happened to when it was told."""
        return self.at - self.happened


@dataclass(slots=True)
class WebServer:
    """A receiver of webhooks; `answer` says with which status each call is met."""

    calls: list[Call] = field(default_factory=list)
    answer: Callable[[], int] = lambda: 204
    url: str = ""
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """Take calls until the block is left."""
        async with serving(self._take) as self.url:
            yield self

    async def _take(self, request: web.Request) -> web.Response:
        event = await request.json()
        status = self.answer()
        if status < 300:
            self.calls.append(Call(time.time(), request.headers["webhook-id"], event))
            async with self._arrived:
                self._arrived.notify_all()
        return web.Response(status=status)

    async def wait_for(self, done: Callable[[], bool], seconds: float) -> None:
        """Return when what has arrived fulfils the condition, or after so many seconds."""
        try:
            async with asyncio.timeout(seconds), self._arrived:
                await self._arrived.wait_for(done)
        except TimeoutError:
            return

    def stories(self) -> dict[str, list[str]]:
        """Return what was told of each job, in the order of its arrival, each call once."""
        told: dict[str, list[str]] = {}
        first = {call.id: call for call in reversed(self.calls)}
        for call in sorted(first.values(), key=lambda call: call.at):
            told.setdefault(call.event["subject"], []).append(call.event["type"])
        return told

    def last(self, subject: str) -> dict[str, Any]:
        """Return the data of what was told last of a job."""
        told = [call for call in self.calls if call.event["subject"] == subject]
        data: dict[str, Any] = max(told, key=lambda call: call.at).event["data"]
        return data

    def ended(self) -> list[str]:
        """Return the jobs whose end was told."""
        return [job for job, kinds in self.stories().items() if kinds[-1] in ENDS]


class MailServer:
    """A real SMTP server that keeps the mails it accepts."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.arrivals: dict[tuple[str, str], float] = {}
        """When the mail of a job's event came, in Unix seconds."""
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="localhost", loop=loop), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        self.mails.append(mail)
        self.arrivals[str(mail["X-Notifyd-Job"]), str(mail["X-Notifyd-Event"])] = time.time()
        return "250 taken"

    def stories(self) -> dict[str, list[str]]:
        """Return what was told of each job, in the order of its arrival."""
        told: dict[str, list[str]] = {}
        for mail in self.mails:
            told.setdefault(str(mail["X-Notifyd-Job"]), []).append(str(mail["X-Notifyd-Event"]))
        return told
