"""What the tracker remembers between two looks, and over a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import TypeAdapter

from notifyd.model import Job
from notifyd.slurm.states import Phase
from notifyd.slurm.tables.queue import RunKey

_VERSION = 2
_HEAD = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which jobs are watched: of these users, and of these accounts; empty is everybody.

    The cluster is None until it is known.
    """

    cluster: str | None
    users: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    def covers(self, job: Job) -> bool:
        """Tell whether a job is among those that are watched."""
        of_user = not self.users or job.user in self.users
        return of_user and (not self.accounts or job.account in self.accounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Since when jobs may have come and gone unseen. Accounting is asked about it twice."""

    since: float
    ask_at: float
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Of a run that is in the queue no more, and whose end accounting has not told yet."""

    since: float
    ask_at: float
    tries: int = 0
    """How often accounting answered without knowing its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run under watch: as it was last seen, and what has been told of it."""

    job: Job
    told: Phase
    suspensions: int = 0
    stuck: tuple[str, ...] = ()
    limit_told: int = 0
    """The highest share of its time limit that was told, in percent."""
    waiting_told: bool = False
    unknown_told: bool = False
    """It was told that it has left the queue, and that its outcome is not known."""
    collection: str | None = None


class Ended(NamedTuple):
    """Of a run that is told to its end: when it ended, and when that was told (Unix seconds)."""

    end: int
    told: int


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
    missing: Mapping[RunKey, Missing] = field(default_factory=dict)
    """Those of the runs that are not in the queue any more."""
    done: Mapping[RunKey, Ended] = field(default_factory=dict)
    """Runs whose end is told: so that no second source tells it again."""
    held: Mapping[RunKey, Job] = field(default_factory=dict)
    """Runs that wait for the end of an earlier run of theirs. Not stored. One that has left
    the queue meanwhile is missing, too."""
    alarms: Mapping[RunKey, float] = field(default_factory=dict)
    """When a run has news by the clock alone. Not stored."""

    def dump(self, keys: frozenset[RunKey]) -> dict[str, str | None]:
        """Return what changes in the store when these runs have changed; None deletes."""
        return {_HEAD: self._head(), **{_name(key): self._dump_run(key) for key in keys}}

    def _head(self) -> str:
        head = _Head(
            version=_VERSION,
            scope=self.scope,
            since=self.since,
            last_look=self.last_look,
            gap=self.gap,
        )
        return _HEADS.dump_json(head).decode()

    def _dump_run(self, key: RunKey) -> str | None:
        run, end = self.runs.get(key), self.done.get(key)
        if run is None and end is None:
            return None
        stored = _Stored(key=key, run=run, missing=self.missing.get(key), ended=end)
        return _RUNS.dump_json(stored, exclude_defaults=True).decode()

    @staticmethod
    def load(stored: Mapping[str, str]) -> Memory:
        """Return what `dump` wrote. Raises ValueError for anything else."""
        head = _HEADS.validate_json(stored.get(_HEAD, ""))
        if head.version != _VERSION:
            raise ValueError(f"a tracker's memory of version {head.version}")
        entries = [_RUNS.validate_json(text) for text in _runs_of(stored)]
        return Memory(
            scope=head.scope,
            since=head.since,
            last_look=head.last_look,
            gap=head.gap,
            runs={one.key: one.run for one in entries if one.run},
            missing={one.key: one.missing for one in entries if one.missing},
            done={one.key: one.ended for one in entries if one.ended is not None},
            # Each run's alarm is set anew when it is first looked at.
            alarms={one.key: 0.0 for one in entries if one.run and not one.missing},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    version: int
    scope: Scope
    since: float
    last_look: float | None
    gap: Gap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    key: RunKey
    run: Run | None = None
    missing: Missing | None = None
    ended: Ended | None = None


_HEADS = TypeAdapter(_Head)
_RUNS = TypeAdapter(_Stored)


def _name(key: RunKey) -> str:
    return f"run {key[0]} {key[1]}"


def _runs_of(stored: Mapping[str, str]) -> Iterator[str]:
    return (text for name, text in stored.items() if name.startswith("run "))
