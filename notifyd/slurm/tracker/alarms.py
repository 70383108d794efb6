"""What becomes news by the clock alone: a time limit that comes near, a wait that lasts. Pure."""

from __future__ import annotations

import math

from notifyd.model import Job
from notifyd.slurm.states import Phase, phase
from notifyd.slurm.tracker.memory import Run

LIMIT_EVENTS = {
    50: "job_time_limit_50",
    80: "job_time_limit_80",
    90: "job_time_limit_90",
    100: "job_time_limit_reached",
}
"""The event of each share (percent) of the time limit: those of sbatch --mail-type."""

_OWN_DOING = frozenset({"JobHeldUser", "Dependency", "BeginTime", "JobArrayTaskLimit"})
"""Reasons that its user has set: such a wait is no news to them."""


def limit_due(run: Run, now: float) -> int:
    """Return the highest share of the time limit that has passed and is not told yet; or 0.

    Slurm moves a job's expected end by the time it was suspended and with every change of its
    limit; so the share comes from there, not from the start.
    """
    passed = [share for share, at in _shares(run.job) if share > run.limit_told and at <= now]
    return max(passed, default=0)


def _shares(job: Job) -> list[tuple[int, float]]:
    end, limit = job.expected_end, job.time_limit_seconds
    if phase(job.state) is not Phase.RUNNING or end is None or not limit:
        return []
    return [(share, end - limit * (100 - share) / 100) for share in LIMIT_EVENTS]


def waiting_due(run: Run, after: float | None, now: float) -> bool:
    """Tell whether a job has waited so long that it is told, once."""
    return _waiting_alarm(run, after) <= now


def _waiting_alarm(run: Run, after: float | None) -> float:
    job = run.job
    waits = phase(job.state) is Phase.WAITING and job.reason not in _OWN_DOING
    if after is None or run.waiting_told or not waits:
        return math.inf
    return job.submit_time + after


def next_alarm(run: Run, waiting_after: float | None) -> float | None:
    """Return when a run next has news by the clock alone."""
    limits = [at for share, at in _shares(run.job) if share > run.limit_told]
    at = min([*limits, _waiting_alarm(run, waiting_after)])
    return None if math.isinf(at) else at
