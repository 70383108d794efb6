"""How the daemon is, in the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from notifyd.control.views import ChannelView, ClusterView, StatusView

CONTENT_TYPE = CONTENT_TYPE_LATEST
STATES = ("ok", "failing", "waiting", "down", "refused", "muted")
"""What `ChannelView.state` can be."""
_CHANNEL = ("channel", "kind")


def exposition(status: StatusView) -> str:
    """Return what a scraper reads. What is not known now, as with a store in trouble, is absent."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(status))
    return generate_latest(registry).decode()


class _Gauges:
    """Collector of one status."""

    def __init__(self, status: StatusView) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        status = self._status
        yield _gauge("info", "Which notifyd it is.", 1, version=status.version)
        yield _gauge("start_time_seconds", "When it was started.", status.started)
        is_ok = status.config_trouble is None
        yield _gauge("config_last_reload_successful", "0: the old one goes on.", is_ok)
        is_bad = status.store.trouble is not None
        yield _gauge("store_trouble", "1: the store cannot be read or written.", is_bad)
        yield from _of_channels(status)
        yield from _of_clusters(status.clusters)


def _gauge(name: str, about: str, value: float, **labels: str) -> Metric:
    family = _family(name, about, *labels)
    family.add_metric(tuple(labels.values()), value)
    return family


def _family(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"notifyd_{name}", about, labels=labels)


def _of_channels(status: StatusView) -> Iterator[Metric]:
    now = status.started + status.uptime_seconds
    owed = _family("outbox_deliveries", "How much a channel still owes.", *_CHANNEL)
    oldest = _family("outbox_oldest_seconds", "How old the first of it is.", *_CHANNEL)
    dead = _family("dead_letters", "What was given up.", "channel")
    state = _family("channel_state", "1 for the state that it is in.", *_CHANNEL, "state")
    for one in status.channels:
        labels = (one.name, one.kind)
        if one.backlog is not None:
            owed.add_metric(labels, one.backlog)
            oldest.add_metric(labels, _age(one, now))
            dead.add_metric((one.name,), one.dead or 0)
        for name in STATES:
            state.add_metric((*labels, name), name == one.state)
    known = {one.name for one in status.channels}
    for stranger in status.store.dead.keys() - known:
        dead.add_metric((stranger,), status.store.dead[stranger])
    yield from (owed, oldest, dead, state)


def _age(one: ChannelView, now: float) -> float:
    return 0.0 if one.oldest is None else max(now - one.oldest, 0.0)


def _of_clusters(clusters: tuple[ClusterView, ...]) -> Iterator[Metric]:
    reachable = _family("slurm_reachable", "0: it does not answer.", "cluster")
    polled = _family("slurm_last_poll_timestamp_seconds", "When it last did.", "cluster")
    jobs = _family("slurm_jobs", "How many jobs are watched.", "cluster")
    for one in clusters:
        name = (one.name or "",)
        reachable.add_metric(name, one.unreachable_since is None)
        jobs.add_metric(name, one.jobs)
        if one.last_poll is not None:
            polled.add_metric(name, one.last_poll)
    yield from (reachable, polled, jobs)
