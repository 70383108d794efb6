"""What the tracker remembers between two polls, and over a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from notifyd.model import Job
from notifyd.slurm.states import Phase

RunKey = tuple[str, int]
"""Job id and submit time: what Slurm's own accounting keeps a run by."""

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which jobs are watched. The cluster is None until it is known."""

    cluster: str | None
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Since when jobs may have come and gone unseen. Accounting is asked about it twice."""

    since: float
    ask_at: float
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A run that is in the queue no more, and whose end accounting has not told yet."""

    since: float
    ask_at: float
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run under watch: as it was last seen, and what has been told of it."""

    job: Job
    told: Phase
    suspensions: int = 0
    stuck: tuple[str, ...] = ()
    missing: Missing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Everything the tracker knows.

    `since` is the first start: nothing older is told. `last_look` is None until the first look.
    """

    scope: Scope
    since: float
    last_look: float | None = None
    gap: Gap | None = None
    runs: Mapping[RunKey, Run] = field(default_factory=dict)
    done: Mapping[RunKey, float] = field(default_factory=dict)
    """Runs whose end is told, and when it was: so that no second source tells it again."""

    def dump(self) -> str:
        """Return this as text for the store."""
        stored = _Stored(
            version=_VERSION,
            scope=self.scope,
            since=self.since,
            last_look=self.last_look,
            gap=self.gap,
            runs=tuple(self.runs.values()),
            done=tuple((job_id, submit, at) for (job_id, submit), at in self.done.items()),
        )
        return _STORED.dump_json(stored).decode()

    @staticmethod
    def load(text: str) -> Memory:
        """Return what `dump` wrote. Raises ValueError for anything else."""
        stored = _STORED.validate_json(text)
        if stored.version != _VERSION:
            raise ValueError(f"a tracker snapshot of version {stored.version}")
        return Memory(
            scope=stored.scope,
            since=stored.since,
            last_look=stored.last_look,
            gap=stored.gap,
            runs={key_of(run.job): run for run in stored.runs},
            done={(job_id, submit): at for job_id, submit, at in stored.done},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    version: int
    scope: Scope
    since: float
    last_look: float | None
    gap: Gap | None
    runs: tuple[Run, ...]
    done: tuple[tuple[str, int, float], ...]


_STORED = TypeAdapter(_Stored)


def key_of(job: Job) -> RunKey:
    """Return what tells this run from every other."""
    return job.job_id, job.submit_time
