"""A job as it was earlier, or as the queue knew it, when only a later view of it is there. Pure."""

from __future__ import annotations

import dataclasses

from notifyd.model import Job
from notifyd.slurm.states import MAYBE_REQUEUED, Phase, phase


def as_submitted(job: Job) -> Job:
    """Return the job as it was before it started, when it is only seen later."""
    if phase(job.state) is Phase.WAITING:
        return job
    before = as_started(job)
    return dataclasses.replace(
        before, state="PENDING", start_time=None, node_list=None, expected_end=None
    )


def as_started(job: Job) -> Job:
    """Return the job as it was when it started, when it is only seen later."""
    return dataclasses.replace(
        job,
        state="RUNNING",
        reason=None,
        end_time=None,
        exit_code=None,
        signal=None,
        cancelled_by=None,
    )


def as_known(record: Job | None, known: Job) -> Job | None:
    """Keep the queue's own words: the database alters names, and may not count restarts."""
    if record is None:
        return None
    restarts = known.restart_count if record.restart_count is None else record.restart_count
    return dataclasses.replace(
        record,
        name=known.name,
        restart_count=restarts,
        account=known.account or record.account,
        comment=known.comment or record.comment,
    )


def has_run(job: Job) -> bool:
    """Tell whether the job got as far as its nodes: a job cancelled while waiting has none."""
    now_in = phase(job.state)
    if now_in in (Phase.RUNNING, Phase.SUSPENDED):
        return True
    over = now_in is Phase.ENDED or job.state in MAYBE_REQUEUED
    if job.state == "BOOT_FAIL":
        return False  # it had nodes, but they did not come up
    return over and job.start_time is not None and job.node_list is not None
