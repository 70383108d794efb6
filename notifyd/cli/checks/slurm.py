"""Does Slurm answer, and its accounting?"""

from __future__ import annotations

from collections.abc import Mapping

from notifyd.cli.checks.finding import Finding, failed, ok, warning
from notifyd.clock import Clock
from notifyd.slurm.client import Site, SlurmClient, SlurmError
from notifyd.slurm.settings import ClusterSettings, SlurmSettings

_WINDOW = 3600
"""Seconds back for which accounting is asked: enough to show that it answers."""

_NO_OUTCOME = "what became of a job that leaves the queue unseen cannot be known"


async def look_at(
    settings: SlurmSettings, environ: Mapping[str, str], clock: Clock
) -> list[Finding]:
    """Return how Slurm and its accounting answer, cluster by cluster."""
    findings = []
    for cluster in settings.clusters or (ClusterSettings(),):
        findings += await _look_at_one(SlurmClient(settings, environ, cluster), clock)
    return findings


async def _look_at_one(client: SlurmClient, clock: Clock) -> list[Finding]:
    begun = clock.monotonic()
    try:
        site = await client.site()
        jobs = len(await client.queue())
    except SlurmError as error:
        return [no_answer(str(error))]
    answer = answered(site.cluster, jobs, clock.monotonic() - begun)
    return [answer, await _accounting(client, site, clock)]


def no_answer(why: str) -> Finding:
    """Return what to do when Slurm is silent."""
    if "cannot be run" in why:
        mend = (
            "Is this a machine of the cluster? Load Slurm's module first, or give the commands' "
            "paths under `slurm:` (squeue, sacct, scontrol)."
        )
    else:
        mend = (
            "Try `squeue --me`. Where that works, set SLURM_CONF for notifyd too, or `conf:` "
            "under `slurm:`. Where it does not, Slurm itself is down: notifyd waits for it."
        )
    return failed("slurm", f"Slurm does not answer: {why}", mend)


def answered(cluster: str, jobs: int, seconds: float) -> Finding:
    """Return that Slurm answers, and how fast."""
    many = f"{jobs} job{'s' * (jobs != 1)}"
    text = f"({cluster}, {many}, {seconds:.2f} s)"
    if seconds > 10:
        mend = "Slurm is slow. notifyd asks it less often by itself."
        return warning("slurm", f"Slurm answers slowly {text}", mend)
    return ok("slurm", f"Slurm answers {text}")


async def _accounting(client: SlurmClient, site: Site, clock: Clock) -> Finding:
    if not site.accounting:
        mend = "Only an administrator can change that: AccountingStorageType in slurm.conf."
        text = f"This cluster keeps no accounting: {_NO_OUTCOME}"
        return warning("accounting", text, mend)
    begun = clock.monotonic()
    try:
        ended = await client.ended(site.cluster, int(clock.now()) - _WINDOW)
    except SlurmError as error:
        text = f"Accounting does not answer ({error}): {_NO_OUTCOME}"
        return warning("accounting", text, "Try `sacct`; notifyd asks again by itself.")
    seconds = clock.monotonic() - begun
    text = f"Accounting answers ({len(ended)} ended in the last hour, {seconds:.2f} s)"
    return ok("accounting", text)
