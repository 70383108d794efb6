"""How channels, clusters and collections are, for those who ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from notifyd.clock import Clock
from notifyd.control.views import ChannelView, ClusterView, CollectionView, StoreView
from notifyd.delivery.breaker import State
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.worker import Worker
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Backlog
from notifyd.outbox.store import Outbox
from notifyd.slurm.collections.chapter import summary
from notifyd.slurm.poller import Poller


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What the store holds; `owed` and `dead` are None when it could not be read."""

    trouble: str | None
    owed: Mapping[str, Backlog] | None = None
    dead: Mapping[str, int] | None = None

    @staticmethod
    async def take(outbox: Outbox) -> Stock:
        """Look into the store."""
        try:
            owed, dead = await outbox.backlog(), await outbox.dead_counts()
        except OutboxError as error:
            return Stock(trouble=str(error))
        return Stock(trouble=outbox.trouble, owed=owed, dead=dead)

    @property
    def view(self) -> StoreView:
        """How the store is."""
        return StoreView(trouble=self.trouble, dead=self.dead or {})

    def owed_by(self, channel: str) -> int | None:
        """Return how much a channel owes."""
        return None if self.owed is None else sum(one.pending for one in self._of(channel))

    def oldest_of(self, channel: str) -> float | None:
        """Return since when."""
        return next((one.oldest for one in self._of(channel)), None)

    def dead_of(self, channel: str) -> int | None:
        """Return how many dead letters a channel has."""
        return None if self.dead is None else self.dead.get(channel, 0)

    def strangers(self, known: Mapping[str, Worker]) -> dict[str, int]:
        """Return what is owed to channels that nobody has configured."""
        owed = self.owed or {}
        return {name: one.pending for name, one in owed.items() if name not in known}

    def _of(self, channel: str) -> tuple[Backlog, ...]:
        owed = self.owed or {}
        return (owed[channel],) if channel in owed else ()


def channel_view(worker: Worker, stock: Stock, mutes: Mutes, clock: Clock) -> ChannelView:
    """Return how a channel is."""
    gate, settings, now = worker.gate, worker.settings, clock.monotonic()
    epoch = clock.now() - now  # the gate's clock began then
    breaker, bucket = gate.breaker, gate.bucket
    muted = mutes.why(worker.name, clock.now())
    return ChannelView(
        name=worker.name,
        kind=settings.type,
        state=_state(worker, muted, now),
        events=settings.events,
        fallback=settings.fallback,
        breaker=breaker.state(now),
        down_since=None if breaker.since is None else epoch + breaker.since,
        next_probe=epoch + breaker.until if breaker.state(now) is State.OPEN else None,
        paused_until=epoch + bucket.paused_until if bucket.paused_until > now else None,
        refusal=gate.refusal,
        tokens=round(bucket.level(now), 1),
        burst=bucket.burst,
        backlog=stock.owed_by(worker.name),
        oldest=stock.oldest_of(worker.name),
        dead=stock.dead_of(worker.name),
        muted=muted,
        last_error=worker.last_error,
    )


def cluster_view(poller: Poller) -> ClusterView:
    """Return how the watching of a cluster goes."""
    health = poller.health
    return ClusterView(
        name=health.cluster or poller.watch or None,
        jobs=health.jobs,
        last_poll=health.last_poll,
        next_poll=health.next_poll,
        unreachable_since=health.unreachable_since,
        trouble=health.trouble,
        accounting=health.accounting,
        accounting_trouble=health.accounting_trouble,
    )


def collection_views(poller: Poller) -> Iterator[CollectionView]:
    """Yield how far each collection of a cluster is."""
    for chapter in poller.chapters.values():
        yield CollectionView(
            name=chapter.name,
            cluster=chapter.cluster,
            total=chapter.known,
            done=chapter.done,
            outcomes=summary(chapter),
        )


def _state(worker: Worker, muted: str | None, now: float) -> str:
    gate = worker.gate
    if muted:
        return "muted"
    if gate.refusal is not None:
        return "refused"
    if gate.breaker.state(now) is not State.CLOSED:
        return "down"
    if gate.bucket.paused_until > now:
        return "waiting"
    return "failing" if worker.last_error else "ok"
