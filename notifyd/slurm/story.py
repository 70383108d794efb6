"""Turns a transition into the event that the rest of the program speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from notifyd.events.catalogue import CATALOGUE
from notifyd.events.data import OF_THE_JOB
from notifyd.model import Event, Job, Scalar, derived_id
from notifyd.slurm.collections.membership import ARRAY
from notifyd.slurm.reasons import end_reason, stuck_advice
from notifyd.slurm.states import Phase, phase
from notifyd.slurm.tracker.look import Transition

_of_the_job = attrgetter(*OF_THE_JOB)
_OVER = frozenset({"exit_code", "signal", "end_time"})


def to_event(transition: Transition, more: Mapping[str, Scalar] | None = None) -> Event:
    """Return the event of a transition. Its id is derived: a replay gives the same.

    `more` is what was found out besides: figures, output, hints.
    """
    job = transition.job
    kind = CATALOGUE[transition.type]
    data = {**_data(transition), **(more or {})}
    return Event(
        id=derived_id(job.cluster, job.job_id, job.submit_time, kind.name, transition.mark),
        type=kind.name,
        severity=kind.severity,
        time=transition.at,
        source=f"/slurm/{job.cluster}",
        subject=job.job_id,
        group=f"{job.cluster}/{job.job_id}",
        data={name: value for name, value in data.items() if value is not None},
    )


def _data(transition: Transition) -> dict[str, Scalar]:
    job = transition.job
    data: dict[str, Scalar] = dict(zip(OF_THE_JOB, _of_the_job(job), strict=True))
    data["job_name"] = job.name
    data["elapsed_seconds"] = _elapsed(job, transition)
    data["wait_seconds"] = _wait(job)
    data["cause"] = transition.cause
    data["corrects"] = transition.corrects or None
    own_array = transition.collection == f"{ARRAY}{job.array_job_id}"
    data["collection"] = None if own_array else transition.collection
    if transition.type == "job_outcome_unknown" and not transition.accounting:
        data["cause"] = "no accounting"
    if transition.type == "job_stuck":
        data["advice"] = stuck_advice(job)
    if transition.type == "job_waiting":
        data["estimated_start"] = job.estimated_start
    if transition.components and transition.type != "job_submitted":
        data["components"] = "; ".join(map(_component, transition.components))
    if phase(job.state) is Phase.ENDED:
        data["reason"] = end_reason(job.reason)
    if job.end_time is None:
        data = {name: value for name, value in data.items() if name not in _OVER}
    return data


def _elapsed(job: Job, transition: Transition) -> int | None:
    if job.start_time is None:
        return None
    if job.end_time is not None:
        return max(job.end_time - job.start_time, 0)
    # Of a running job only what is told about its time says how long it has run; what it was
    # suspended does not count.
    if not transition.type.startswith("job_time_limit") or job.expected_end is None:
        return None
    return max(int(transition.at) - job.expected_end + (job.time_limit_seconds or 0), 0)


def _wait(job: Job) -> int | None:
    return None if job.start_time is None else max(job.start_time - job.submit_time, 0)


def _component(job: Job) -> str:
    where = f" on {job.node_list}" if job.node_list else ""
    return f"{job.job_id} {job.state}{where}"
