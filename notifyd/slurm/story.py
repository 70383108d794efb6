"""Turns a transition into the event that the rest of the program speaks of."""

from __future__ import annotations

from notifyd.events.catalogue import CATALOGUE
from notifyd.events.data import OF_THE_JOB
from notifyd.model import Event, Job, Scalar, derived_id
from notifyd.slurm.reasons import stuck_advice
from notifyd.slurm.tracker import Transition

_OVER = frozenset({"exit_code", "signal", "end_time"})


def to_event(transition: Transition) -> Event:
    """Return the event of a transition. Its id is derived: a replay gives the same."""
    job = transition.job
    kind = CATALOGUE[transition.type]
    return Event(
        id=derived_id(job.cluster, job.job_id, job.submit_time, kind.name, transition.mark),
        type=kind.name,
        severity=kind.severity,
        time=transition.at,
        source=f"/slurm/{job.cluster}",
        subject=job.job_id,
        group=f"{job.cluster}/{job.job_id}",
        data=_data(transition),
    )


def _data(transition: Transition) -> dict[str, Scalar]:
    job = transition.job
    data: dict[str, Scalar] = {name: getattr(job, name) for name in OF_THE_JOB}
    data["job_name"] = job.name
    data["elapsed_seconds"] = _elapsed(job)
    if transition.type == "job_stuck":
        data["advice"] = stuck_advice(job.reason)
    if transition.cause:
        data["cause"] = transition.cause
    if job.end_time is None:
        data = {name: value for name, value in data.items() if name not in _OVER}
    return {name: value for name, value in data.items() if value is not None}


def _elapsed(job: Job) -> int | None:
    if job.start_time is None or job.end_time is None:
        return None
    return max(job.end_time - job.start_time, 0)
