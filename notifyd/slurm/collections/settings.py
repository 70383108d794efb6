"""The `collections:` of the `slurm:` section: sets of jobs that are told as one story."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from notifyd.settings import Duration, Settings

CollectionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
JobId = Annotated[
    str,
    StringConstraints(pattern=r"^\d+(_\d+)?$"),
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
]
Percent = Annotated[int, Field(ge=1, le=99)]

_CONDITIONS = ("name", "array", "account", "user", "comment", "jobs")


class CollectionSettings(Settings):
    """A named set of jobs. A job belongs to it that meets every condition given."""

    name: str | None = None
    """Pattern of the job's name, such as `sweep-*`."""
    array: JobId | None = None
    """The array's id."""
    account: str | None = None
    user: str | None = None
    comment: str | None = None
    """Pattern of the job's comment."""
    jobs: tuple[JobId, ...] = ()
    """Ids; the collection is complete when all of them have ended."""

    fail_at: Literal["first", "end"] = "first"
    """When collection_failed is told: at the first failure, or when all have ended."""
    progress: tuple[Percent, ...] = (25, 50, 75)
    """Shares (percent) of the jobs that have ended, at which it is told."""
    progress_every: Duration | None = Field(default=None, ge=60)
    """Seconds between two tellings, as long as something changes."""
    settle: Duration = Field(default=60.0, ge=0)
    """Seconds without a new job after which a set that has ended is complete."""
    tell_jobs: bool = False
    """Tell of each of its jobs, too."""

    @functools.cached_property
    def ids(self) -> frozenset[str]:
        """Return the ids as a set: each job is looked up in it."""
        return frozenset(self.jobs)

    @model_validator(mode="after")
    def _has_a_condition(self) -> CollectionSettings:
        if not any(getattr(self, name) for name in _CONDITIONS):
            raise ValueError(f"give at least one of {', '.join(_CONDITIONS)}")
        return self
