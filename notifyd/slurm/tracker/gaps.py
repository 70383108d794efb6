"""Decides when accounting has to be asked what came and went unseen. Pure."""

from __future__ import annotations

import dataclasses

from notifyd.slurm.tracker.memory import Gap, Memory

ACCOUNTING_LAG = 60.0
"""Seconds after which the database has what happened; a cancellation was seen to take 12."""


def gap_now(memory: Memory, min_job_age: float, now: float) -> Gap | None:
    """Return the gap that accounting has to fill, if there is one.

    Jobs may have come and gone unseen when the last look is longer ago than an ended job
    stays in the queue (`min_job_age`, seconds); half of that is on the safe side.
    """
    last = memory.since if memory.last_look is None else memory.last_look
    if now - last <= min_job_age / 2:
        return memory.gap
    since = memory.gap.since if memory.gap and not memory.gap.asked else last
    return Gap(since=since, ask_at=now)


def gap_after_asking(gap: Gap, now: float) -> Gap | None:
    """Return what is left of a gap: it is asked about once more when the database has caught up."""
    if gap.asked:
        return None
    return dataclasses.replace(gap, ask_at=now + ACCOUNTING_LAG, asked=True)
