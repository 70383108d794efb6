"""One poller for each cluster that is watched: what goes wrong with one says nothing of others."""

from __future__ import annotations

from collections.abc import Mapping

from notifyd.clock import Clock
from notifyd.slurm.client import SlurmClient
from notifyd.slurm.details.gatherer import Gatherer
from notifyd.slurm.details.tail import OutputReader
from notifyd.slurm.poller import Poller, Publish, WatchStore
from notifyd.slurm.settings import ClusterSettings, SlurmSettings


def watches(
    settings: SlurmSettings,
    environ: Mapping[str, str],
    store: WatchStore,
    publish: Publish,
    clock: Clock,
) -> tuple[Poller, ...]:
    """Return the pollers in the order of the configuration."""
    reader = OutputReader()
    pollers = []
    for cluster in settings.clusters or (ClusterSettings(),):
        client = SlurmClient(settings, environ, cluster)
        gatherer = Gatherer(settings=settings, outputs=client, reader=reader)
        pollers.append(Poller(client, settings, store, publish, clock, gatherer, cluster.watch))
    return tuple(pollers)
