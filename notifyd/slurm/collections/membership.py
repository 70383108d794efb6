"""Which collection does a job belong to? Pure."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from notifyd.model import Job
from notifyd.slurm.collections.settings import CollectionSettings

ARRAY = "array/"
"""What the name of an array's own collection begins with; no name of a user's has a slash."""

_IN_COMMENT = re.compile(r"(?:^|\s)notifyd:([A-Za-z0-9][A-Za-z0-9_.-]{0,63})(?=\s|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What the configuration says, and how large the arrays are that are in sight."""

    collections: Mapping[str, CollectionSettings] = field(default_factory=dict)
    array_task_events: int | Literal["all"] = 10
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Tasks of each array."""
    many_users: bool = False
    """Several people are watched: the same name in their comments is not the same collection."""

    def collection_of(self, job: Job) -> str | None:
        """Return the collection that a job belongs to: the first that it fits."""
        named = _IN_COMMENT.search(job.comment or "")
        if named:
            return f"{named[1]} of {job.user}" if self.many_users else named[1]
        for name, settings in self.collections.items():
            if belongs(job, settings):
                return name
        return self._own_array(job)

    def _own_array(self, job: Job) -> str | None:
        most, array = self.array_task_events, job.array_job_id
        if most == "all" or array is None or self.sizes.get(array, 0) <= most:
            return None
        return ARRAY + array


def belongs(job: Job, settings: CollectionSettings) -> bool:
    """Tell whether a job meets every condition of a collection."""
    return (
        _fits(settings.name, job.name)
        and _fits(settings.comment, job.comment or "")
        and settings.account in (None, job.account)
        and settings.user in (None, job.user)
        and settings.array in (None, job.array_job_id)
        and (not settings.jobs or bool({job.job_id, job.array_job_id} & settings.ids))
    )


def _fits(pattern: str | None, text: str) -> bool:
    return pattern is None or fnmatch.fnmatchcase(text, pattern)


def array_sizes(jobs: Iterable[Job], known: Mapping[str, int]) -> Mapping[str, int]:
    """Return the tasks of each array in sight, and of those that were in sight before."""
    tasks = {job.job_id: job.array_job_id for job in jobs if job.array_job_id is not None}
    return Counter(known) + Counter(tasks.values())
