"""Whom the control socket asks, played by somebody who notes it; and a way to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from notifyd.client import Client
from notifyd.control.actions import NotAllowed
from notifyd.control.views import (
    ClusterView,
    CollectionView,
    DeadLetters,
    Retried,
    StatusView,
    StoreView,
)
from notifyd.model import DeliveryState
from notifyd.outbox.records import Attempt, Record

CLUSTER = ClusterView(
    name="demo",
    jobs=3,
    last_poll=1_000_000.0,
    next_poll=1_000_030.0,
    unreachable_since=None,
    trouble=None,
    accounting=True,
    accounting_trouble=None,
)
STATUS = StatusView(
    version="1",
    user="ada",
    pid=1,
    started=1_000_000.0,
    uptime_seconds=5.0,
    config="/config.yaml",
    config_loaded=1_000_000.0,
    config_trouble=None,
    store=StoreView(trouble=None, dead={"old": 1}),
    clusters=(CLUSTER,),
    channels=(),
    unconfigured_backlog={"old": 2},
)
COLLECTION = CollectionView(
    name="sweep", cluster="demo", total=10, done=3, outcomes="2 ok · 1 failed (7)"
)
RECORD = Record(
    id="d1",
    channel="team",
    target="",
    event_type="job_failed",
    subject="1",
    rule="channel",
    title="Job 1 failed",
    body="",
    state=DeliveryState.DELIVERED,
    created=1.0,
    due=1.0,
    expires=9.0,
    finished=2.0,
    detail=None,
    ref=None,
    told_in=None,
    tells=0,
    attempts=(Attempt(at=1.0, seconds=0.5, outcome="delivered", number=1),),
)


@dataclass(slots=True)
class FakeActions:
    """Notes what it is asked for; knows the channel `team`; raises `trouble` if there is one."""

    trouble: Exception | None = None
    muted: list[tuple[str, float | None]] = field(default_factory=list)
    unmuted: list[str] = field(default_factory=list)
    tested: list[str] = field(default_factory=list)
    sent: list[tuple[str, str, str | None]] = field(default_factory=list)
    looked_back: list[tuple[object, ...]] = field(default_factory=list)
    retried: list[tuple[str | None, str | None]] = field(default_factory=list)
    purged: list[tuple[str | None, str | None]] = field(default_factory=list)
    collected: list[tuple[str, Mapping[str, object] | None]] = field(default_factory=list)
    reloads: int = 0

    async def status(self) -> StatusView:
        self._check()
        return STATUS

    async def history(
        self, limit: int, channel: str | None, state: DeliveryState | None
    ) -> list[Record]:
        self._check()
        self.looked_back.append((limit, channel, state))
        return [RECORD]

    async def delivery(self, id: str) -> Record:
        self._check()
        self.looked_back.append((id,))
        return RECORD

    async def dead(self, limit: int, channel: str | None) -> DeadLetters:
        self._check()
        self.looked_back.append((limit, channel))
        return DeadLetters(counts={"team": 1}, deliveries=(RECORD,))

    async def retry(self, id: str | None, channel: str | None) -> Retried:
        self._check()
        self.retried.append((id, channel))
        return Retried(retried=2, left={"old": 1})

    async def purge(self, id: str | None, channel: str | None) -> int:
        self._check()
        self.purged.append((id, channel))
        return 3

    async def reload(self) -> None:
        self._check()
        self.reloads += 1

    async def collections(self) -> list[CollectionView]:
        self._check()
        return [COLLECTION]

    async def change_collection(self, name: str, settings: Mapping[str, object] | None) -> None:
        self._check()
        self.collected.append((name, settings))

    async def mute(self, channel: str, seconds: float | None) -> None:
        self._check(channel)
        self.muted.append((channel, seconds))

    async def unmute(self, channel: str) -> None:
        self._check(channel)
        self.unmuted.append(channel)

    async def test(self, channel: str) -> None:
        self._check(channel)
        self.tested.append(channel)

    async def send(self, text: str, channel: str, id: str | None) -> str:
        self._check(channel)
        self.sent.append((text, channel, id))
        return "e1"

    def _check(self, channel: str = "team") -> None:
        if self.trouble is not None:
            raise self.trouble
        if channel != "team":
            raise NotAllowed(f"no channel `{channel}`; there are: team", status=404)


@dataclass(frozen=True, slots=True)
class Control:
    """A control socket that is served, and whom it asks."""

    path: Path
    actions: FakeActions

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, Any]:
        """Return status, content type and document of the answer."""
        connector = aiohttp.UnixConnector(str(self.path))
        limit = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession("http://localhost", connector=connector, timeout=limit) as web,
            web.request(method, path, data=body) as answer,
        ):
            return answer.status, answer.content_type, await answer.json(content_type=None)

    @property
    def client(self) -> Client:
        return Client(str(self.path), timeout=10)
