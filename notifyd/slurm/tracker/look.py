"""What the tracker is shown, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notifyd.model import Job
from notifyd.slurm.tables.queue import RunKey


def _in_no_collection(job: Job) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is known of the site, and what people have set."""

    accounting: bool = True
    waiting_after: float | None = None
    """Seconds after which a job that still waits is told of."""
    collection_of: Callable[[Job], str | None] = _in_no_collection
    """Names the collection that a job belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One whole look: what differs in the queue, and what accounting said of missing runs."""

    now: float
    jobs: Sequence[Job] = ()
    """New in the queue, or changed."""
    gone: frozenset[RunKey] = frozenset()
    """In the queue no more."""
    records: Sequence[Job] = ()
    asked: frozenset[RunKey] = frozenset()
    """The runs that accounting was asked about, and answered."""
    rules: Rules = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A job's state changed."""

    type: str
    job: Job
    at: float
    """Unix seconds: Slurm's own time of it where Slurm tells one."""
    mark: str = ""
    """Tells repeats apart: a run can be suspended twice."""
    cause: str | None = None
    corrects: bool = False
    """It was told before that the outcome is not known."""
    collection: str | None = None
    accounting: bool = True
    """Whether there is accounting that may know more."""
    components: tuple[Job, ...] = ()
    """The other components of a het job, which is told through its leader."""
