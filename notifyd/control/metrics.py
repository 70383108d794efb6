"""How the daemon is, in the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from notifyd.control.views import ChannelView, ClusterView, StatusView

CONTENT_TYPE = CONTENT_TYPE_LATEST
STATES = ("ok", "failing", "waiting", "down", "refused", "muted")
"""What `ChannelView.state` can be."""


def exposition(status: StatusView) -> str:
    """Return what a scraper reads. What is not known now, as with a store in trouble, is absent.

    Each figure names the user: a scraper of a login node reads those of many.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(status))
    return generate_latest(registry).decode()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of it."""

    name: str
    about: str
    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Gauges:
    """Collector of one status."""

    status: StatusView

    def collect(self) -> Iterable[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for one in figures(self.status):
            labels = {"user": self.status.user, **one.labels}
            if one.name not in families:
                families[one.name] = GaugeMetricFamily(one.name, one.about, labels=tuple(labels))
            families[one.name].add_metric(tuple(labels.values()), one.value)
        return families.values()


def figures(status: StatusView) -> Iterator[Figure]:
    """Yield all that is known."""
    yield _figure("info", "Which notifyd it is.", 1, version=status.version)
    yield _figure("start_time_seconds", "When it was started.", status.started)
    is_ok = status.config_trouble is None
    yield _figure("config_last_reload_successful", "0: the old one goes on.", is_ok)
    is_bad = status.store.trouble is not None
    yield _figure("store_trouble", "1: the store cannot be read or written.", is_bad)
    for channel in status.channels:
        yield from _of_channel(channel, status.started + status.uptime_seconds)
    dead = {one.name: one.dead for one in status.channels if one.dead is not None}
    for name, number in {**dead, **status.store.dead}.items():
        yield _figure("dead_letters", "What was given up.", number, channel=name)
    for cluster in status.clusters:
        yield from _of_cluster(cluster)


def _of_channel(one: ChannelView, now: float) -> Iterator[Figure]:
    which = {"channel": one.name, "kind": one.kind}
    if one.backlog is not None:
        age = 0.0 if one.oldest is None else max(now - one.oldest, 0.0)
        yield _figure("outbox_deliveries", "How much a channel still owes.", one.backlog, **which)
        yield _figure("outbox_oldest_seconds", "How old the first of it is.", age, **which)
    for state in STATES:
        about, is_so = "1 for the state that it is in.", state == one.state
        yield _figure("channel_state", about, is_so, **which, state=state)


def _of_cluster(one: ClusterView) -> Iterator[Figure]:
    name, is_there = one.name or "", one.unreachable_since is None
    yield _figure("slurm_reachable", "0: it does not answer.", is_there, cluster=name)
    yield _figure("slurm_jobs", "How many jobs are watched.", one.jobs, cluster=name)
    if one.last_poll is not None:
        about = "When it last answered."
        yield _figure("slurm_last_poll_timestamp_seconds", about, one.last_poll, cluster=name)


def _figure(name: str, about: str, value: float, **labels: str) -> Figure:
    return Figure(f"notifyd_{name}", about, value, labels)
