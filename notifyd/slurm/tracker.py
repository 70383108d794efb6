"""Decides what happened between two looks at the queue. Pure: it opens, waits and logs nothing.

A run that is not in the queue any more has not ended for that: only an explicit terminal
state, in the queue or in accounting, is an end. Until one comes, the run stays missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from notifyd.model import Job
from notifyd.slurm.memory import Memory, Missing, Run, RunKey, Scope, key_of
from notifyd.slurm.reasons import stuck_advice
from notifyd.slurm.states import END_EVENTS, MAYBE_REQUEUED, Phase, phase

ASK_AGAIN = 5.0
"""Seconds until accounting is asked again; doubled each time. It can lag by 12 s and more."""
ASK_AT_MOST_EVERY = 3600.0
REQUEUE_GRACE = 60.0
"""Seconds in which a preempted run, or one whose node failed, may come back under its id."""
ASK_AT_ONCE = 500
"""Runs: a list of thousands of ids is longer than an argument may be."""
FORGET_MISSING = 7 * 86400.0
FORGET_UNSTARTED = 86400.0
"""Seconds: a task cancelled with its array still waiting leaves no trace but this silence."""
FORGET_DONE = 86400.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One whole look: the queue, what accounting said of missing runs, and when."""

    jobs: Sequence[Job]
    now: float
    records: Sequence[Job] = ()
    asked: frozenset[RunKey] = frozenset()


def first_memory(scope: Scope, look: Look, since: float) -> Memory:
    """Return the memory of a first look: what was submitted before `since` is known, not told."""
    old = [job for job in look.jobs if job.submit_time < int(since)]
    memory, _ = step(Memory(scope=scope, since=since), dataclasses.replace(look, jobs=old))
    return memory


def rescoped(memory: Memory, scope: Scope, look: Look) -> tuple[Memory, Look]:
    """Return memory and look for another set of users: whom nobody watched has no past.

    Another cluster is a new beginning.
    """
    if memory.scope == scope:
        return memory, look
    others = first_memory(scope, look, since=look.now)
    if memory.scope.cluster != scope.cluster:
        return others, dataclasses.replace(look, records=(), asked=frozenset())
    watched = {key: run for key, run in memory.runs.items() if run.job.user in scope.users}
    newly_done = {key: at for key, at in others.done.items() if key not in watched}
    both = dataclasses.replace(
        memory,
        scope=scope,
        runs={**others.runs, **watched},
        done={**newly_done, **memory.done},
    )
    records = [record for record in look.records if record.user in memory.scope.users]
    return both, dataclasses.replace(look, records=records)


def missing_runs(memory: Memory, jobs: Iterable[Job], now: float) -> frozenset[RunKey]:
    """Return the runs that accounting is to be asked about now: one call's worth at most."""
    seen = {key_of(job) for job in jobs}
    due = {
        key: run.missing.ask_at if run.missing else 0.0
        for key, run in memory.runs.items()
        if key not in seen and (run.missing is None or run.missing.ask_at <= now)
    }
    return frozenset(sorted(due, key=lambda key: due[key])[:ASK_AT_ONCE])


def step(memory: Memory, look: Look) -> tuple[Memory, list[Transition]]:
    """Return what is known after this look, and what happened since the last, in order."""
    return _Step(memory, look).take()


@dataclass(slots=True)
class _Step:
    memory: Memory
    look: Look
    seen: dict[RunKey, Job] = field(init=False)
    records: dict[RunKey, Job] = field(init=False)
    newest: dict[str, int] = field(init=False)
    runs: dict[RunKey, Run] = field(default_factory=dict)
    done: dict[RunKey, float] = field(default_factory=dict)
    told: list[Transition] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    """Ids whose earlier run is not settled: the later one waits, so that order is kept."""
    causes: dict[str, str | None] = field(default_factory=dict)
    """Ids that were put back into the queue, and what ended the run before."""

    def __post_init__(self) -> None:
        self.seen = {key_of(job): job for job in self.look.jobs}
        self.records = {key_of(job): job for job in self.look.records}
        self.newest = {}
        for job_id, submit in (*self.records, *self.seen):
            self.newest[job_id] = max(submit, self.newest.get(job_id, 0))
        fresh = self.look.now - FORGET_DONE
        self.done = {k: at for k, at in self.memory.done.items() if at > fresh or k in self.seen}

    def take(self) -> tuple[Memory, list[Transition]]:
        for key, run in self.memory.runs.items():
            if key not in self.seen:
                self._settle(key, run)
        for key, record in self._unseen_ends():
            self._settle(key, self._open(record))
        for key, job in self.seen.items():
            known = self.memory.runs.get(key)
            if known is not None and known.job == job and known.missing is None:
                self.runs[key] = known
            elif key not in self.done and job.job_id not in self.blocked:
                self._advance(key, known or self._open(job), job)
        memory = dataclasses.replace(
            self.memory, last_look=self.look.now, runs=self.runs, done=self.done
        )
        return memory, self.told

    def _unseen_ends(self) -> Iterator[tuple[RunKey, Job]]:
        """Yield the runs that came and went unseen, oldest first."""
        told = {**self.memory.runs, **self.done}
        newest_told: dict[str, int] = {}
        for job_id, submit in told:
            newest_told[job_id] = max(submit, newest_told.get(job_id, 0))
        for key, record in sorted(self.records.items(), key=lambda entry: entry[0][1]):
            ended_since = (record.end_time or 0) >= self.memory.since
            # An earlier run of what is under watch is a chapter that has long been closed.
            later = key[1] > newest_told.get(key[0], 0)
            if ended_since and later and key not in self.seen:
                yield key, record

    def _open(self, job: Job) -> Run:
        """Begin the story of a run that was not known before."""
        again = bool(job.restart_count) or job.job_id in self.causes
        kind = "job_requeued" if again else "job_submitted"
        self._tell(kind, _as_submitted(job), job.submit_time, cause=self.causes.get(job.job_id))
        return Run(job=job, told=Phase.WAITING)

    def _settle(self, key: RunKey, run: Run) -> None:
        """Deal with a run that is not in the queue: ended, put back, or still missing."""
        record = _as_known(self.records.get(key), run.job)
        missing = run.missing or Missing(since=self.look.now, ask_at=self.look.now)
        waited = self.look.now - missing.since
        superseded = self.newest.get(key[0], 0) > key[1]
        if record and self._is_put_back(record, superseded):
            self._advance_to_start(run, record)
            self._close(key, put_back_by=record.state)
        elif record and record.state in END_EVENTS and self._is_final(record, waited):
            self._advance(key, run, record)
        elif superseded and waited >= REQUEUE_GRACE:
            self._close(key, put_back_by=None)
        elif waited < (FORGET_UNSTARTED if run.told is Phase.WAITING else FORGET_MISSING):
            self._keep_missing(key, run, missing)

    @staticmethod
    def _is_put_back(record: Job, superseded: bool) -> bool:
        return superseded and record.state in MAYBE_REQUEUED

    @staticmethod
    def _is_final(record: Job, waited: float) -> bool:
        return record.state not in MAYBE_REQUEUED or waited >= REQUEUE_GRACE

    def _close(self, key: RunKey, put_back_by: str | None) -> None:
        self.done[key] = self.look.now
        self.causes[key[0]] = put_back_by

    def _keep_missing(self, key: RunKey, run: Run, missing: Missing) -> None:
        if key in self.look.asked:
            pause = min(ASK_AGAIN * 2**missing.tries, ASK_AT_MOST_EVERY)
            missing = dataclasses.replace(
                missing, ask_at=self.look.now + pause, tries=missing.tries + 1
            )
        self.runs[key] = dataclasses.replace(run, missing=missing)
        self.blocked.add(key[0])

    def _advance(self, key: RunKey, run: Run, job: Job) -> None:
        """Tell what lies between what was told of a run and the state it is in now."""
        run = self._advance_to_start(run, job)
        now_in = phase(job.state)
        if now_in is Phase.ENDED:
            self._tell(END_EVENTS[job.state], job, job.end_time or self.look.now)
            self.done[key] = self.look.now
            return
        if now_in is Phase.WAITING:
            run = self._tell_if_stuck(run, job)
        elif run.told in (Phase.RUNNING, Phase.SUSPENDED):
            run = self._tell_suspension(run, job, now_in)
        self.runs[key] = dataclasses.replace(run, job=job, missing=None)

    def _advance_to_start(self, run: Run, job: Job) -> Run:
        if run.told >= Phase.RUNNING or not _has_run(job):
            return run
        self._tell("job_started", _as_started(job), job.start_time or self.look.now)
        return dataclasses.replace(run, told=Phase.RUNNING)

    def _tell_suspension(self, run: Run, job: Job, now_in: Phase) -> Run:
        if now_in is run.told or now_in not in (Phase.RUNNING, Phase.SUSPENDED):
            return run
        count = run.suspensions + (now_in is Phase.SUSPENDED)
        kind = "job_suspended" if now_in is Phase.SUSPENDED else "job_resumed"
        self._tell(kind, job, self.look.now, mark=str(count))
        return dataclasses.replace(run, told=now_in, suspensions=count)

    def _tell_if_stuck(self, run: Run, job: Job) -> Run:
        if not job.reason or job.reason in run.stuck or stuck_advice(job.reason) is None:
            return run
        self._tell("job_stuck", job, self.look.now, mark=job.reason)
        return dataclasses.replace(run, stuck=(*run.stuck, job.reason))

    def _tell(
        self, kind: str, job: Job, at: float, mark: str = "", cause: str | None = None
    ) -> None:
        self.told.append(Transition(type=kind, job=job, at=at, mark=mark, cause=cause))


def _as_submitted(job: Job) -> Job:
    """Return the job as it was before it started, when it is only seen later."""
    if phase(job.state) is Phase.WAITING:
        return job
    before = _as_started(job)
    return dataclasses.replace(before, state="PENDING", start_time=None, node_list=None)


def _as_started(job: Job) -> Job:
    """Return the job as it was when it started, when it is only seen later."""
    return dataclasses.replace(
        job, state="RUNNING", reason=None, end_time=None, exit_code=None, signal=None
    )


def _as_known(record: Job | None, known: Job) -> Job | None:
    """Keep the queue's own words: the database alters names, and may not count restarts."""
    if record is None:
        return None
    return dataclasses.replace(record, name=known.name, restart_count=known.restart_count)


def _has_run(job: Job) -> bool:
    """Tell whether the job got as far as its nodes: a job cancelled while waiting has none."""
    now_in = phase(job.state)
    if now_in in (Phase.RUNNING, Phase.SUSPENDED):
        return True
    over = now_in is Phase.ENDED or job.state in MAYBE_REQUEUED
    return over and job.start_time is not None and job.node_list is not None
