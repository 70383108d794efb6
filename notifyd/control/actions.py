"""What can be asked of the daemon. It is handed these functions, not the daemon itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from notifyd.outbox.records import Record


class NotAllowed(Exception):
    """The daemon says no. `details` holds the single reasons, if there are several."""

    def __init__(self, title: str, details: tuple[str, ...] = (), status: int = 409) -> None:
        super().__init__(title)
        self.title = title
        self.details = details
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """How a channel is. `state` is ok, failing, down (breaker open) or muted."""

    name: str
    kind: str
    state: str
    events: tuple[str, ...]
    breaker: str
    tokens: float
    burst: int
    backlog: int
    oldest: float | None
    muted: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """How the watching of a cluster goes. Times are Unix seconds.

    `accounting` is False where the cluster keeps none.
    """

    name: str | None
    jobs: int
    last_poll: float | None
    next_poll: float | None
    unreachable_since: float | None
    trouble: str | None
    accounting: bool
    accounting_trouble: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionView:
    """How far a collection is. `outcomes` is what is told of it."""

    name: str
    cluster: str
    total: int
    done: int
    outcomes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """How the daemon is. `config_trouble` tells of a reload that was refused."""

    version: str
    pid: int
    started: float
    uptime_seconds: float
    config: str
    config_loaded: float
    config_trouble: str | None
    clusters: tuple[ClusterView, ...]
    channels: tuple[ChannelView, ...]
    unconfigured_backlog: dict[str, int]


class Actions(Protocol):
    """Each raises NotAllowed with a reason for people."""

    async def status(self) -> StatusView: ...
    async def history(self, limit: int, channel: str | None) -> list[Record]: ...
    async def reload(self) -> None: ...
    async def collections(self) -> list[CollectionView]: ...
    async def change_collection(self, name: str, settings: Mapping[str, object] | None) -> None: ...
    async def mute(self, channel: str, seconds: float | None) -> None: ...
    async def unmute(self, channel: str) -> None: ...
    async def test(self, channel: str) -> None: ...
    async def send(self, text: str, channel: str, id: str | None) -> str: ...
