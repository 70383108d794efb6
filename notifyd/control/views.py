"""What the daemon answers. Times are Unix seconds, unless a name says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from notifyd.outbox.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """How a channel is.

    `state` is `ok`; `failing`: its last try failed; `waiting`: the service asked for a pause;
    `down`: its breaker is open; `refused`: the service takes nothing until something is mended;
    or `muted`. `backlog` and `dead` are null while the store cannot be read.
    """

    name: str
    kind: str
    state: str
    events: tuple[str, ...]
    fallback: tuple[str, ...]
    breaker: str
    down_since: float | None
    next_probe: float | None
    paused_until: float | None
    refusal: str | None
    tokens: float
    burst: int
    backlog: int | None
    oldest: float | None
    dead: int | None
    muted: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """How the watching of a cluster goes. `accounting` is false where the cluster keeps none."""

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
class StoreView:
    """How the store is: why it fails, if it does, and each channel's number of dead letters."""

    trouble: str | None
    dead: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """How the daemon is. `config_trouble` tells of a reload that was refused."""

    version: str
    user: str
    pid: int
    started: float
    uptime_seconds: float
    config: str
    config_loaded: float
    config_trouble: str | None
    store: StoreView
    clusters: tuple[ClusterView, ...]
    channels: tuple[ChannelView, ...]
    unconfigured_backlog: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Deliveries with their attempts, newest first."""

    deliveries: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """The newest dead letters, and how many each channel has in all."""

    counts: Mapping[str, int]
    deliveries: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """How many dead letters are owed again; `left` are those of channels that tell nobody now."""

    retried: int
    left: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many dead letters are forgotten."""

    purged: int


@dataclass(frozen=True, slots=True)
class Collections:
    """The collections that are told of."""

    collections: tuple[CollectionView, ...]


@dataclass(frozen=True, slots=True)
class CollectionSet:
    """Whether the collection is configured now."""

    set: bool


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The new configuration is in use."""

    reloaded: bool


@dataclass(frozen=True, slots=True)
class Muted:
    """Whether the channel is switched off now."""

    muted: bool


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel took the test message."""

    delivered: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """The text is stored, and told like any other message. `id` is the event's."""

    id: str
