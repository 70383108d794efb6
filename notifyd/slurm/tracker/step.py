"""Decides what happened between two looks at the queue. Pure: it opens, waits and logs nothing.

A run that is not in the queue any more has not ended for that: only an explicit terminal
state, in the queue or in accounting, is an end. Until one comes, the run stays missing.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from notifyd.model import Job
from notifyd.slurm.states import END_EVENTS, MAYBE_REQUEUED, SILENT_ENDS, Phase, phase
from notifyd.slurm.tables.cells import array_of
from notifyd.slurm.tables.queue import RunKey, key_of
from notifyd.slurm.tracker.alarms import next_alarm
from notifyd.slurm.tracker.look import Look, Transition
from notifyd.slurm.tracker.memory import Ended, Memory, Missing, Run
from notifyd.slurm.tracker.pasts import as_known, as_submitted
from notifyd.slurm.tracker.patience import (
    OUTCOME_DUE,
    REQUEUE_GRACE,
    SUPERSEDED_GRACE,
    asked_again,
    is_forgotten,
    outcome_is_overdue,
)
from notifyd.slurm.tracker.teller import Teller, in_order

FORGET_DONE = 86400.0
"""Seconds after it was told in which an end is known to be told."""
CYCLE = 10
"""Seconds: a run of the same id that begins right after another's end is scrontab's next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is known after a look, what happened, and which runs are not as they were."""

    memory: Memory
    transitions: list[Transition] = field(default_factory=list)
    touched: frozenset[RunKey] = frozenset()


def step(memory: Memory, look: Look) -> Step:
    """Return what is known after this look, and what happened since the last, in order."""
    rings = [key for key, at in memory.alarms.items() if at <= look.now]
    news = look.jobs or look.gone or look.records or memory.missing or memory.held
    if not news and not rings and not _grown_old(memory, look.now):
        return Step(memory=dataclasses.replace(memory, last_look=look.now))
    return _Walk(memory, look).take(rings)


def _grown_old(memory: Memory, now: float) -> bool:
    first = next(iter(memory.done.values()), None)  # they are in the order of their telling
    return first is not None and first.told <= now - FORGET_DONE


@dataclass(slots=True)
class _Walk:
    """One look on its way through all the runs that it says something about."""

    memory: Memory
    look: Look
    seen: dict[RunKey, Job] = field(init=False)
    left: dict[RunKey, Job] = field(init=False)
    """Held runs that are in the queue no more."""
    records: dict[RunKey, Job] = field(init=False)
    newest: dict[str, int] = field(init=False)
    restarts: dict[str, int] = field(init=False)
    """How often the newest run of each id has been put back."""
    runs: dict[RunKey, Run] = field(init=False)
    missing: dict[RunKey, Missing] = field(init=False)
    done: dict[RunKey, Ended] = field(init=False)
    alarms: dict[RunKey, float] = field(init=False)
    held: dict[RunKey, Job] = field(default_factory=dict)
    teller: Teller = field(init=False)
    touched: set[RunKey] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    """Ids whose earlier run is not settled: the later one waits, so that order is kept."""
    ends: dict[str, int] = field(default_factory=dict)
    """When the last run of each id ended; made when it is first asked for."""
    causes: dict[str, str | None] = field(default_factory=dict)
    """Ids that were put back into the queue, and what ended the run before."""

    def __post_init__(self) -> None:
        memory, look = self.memory, self.look
        self.teller = Teller(look, self._job_of)
        left = look.gone | memory.missing.keys()
        there = {key: job for key, job in memory.held.items() if key not in left}
        self.seen = there | {key_of(job): job for job in look.jobs}
        self.left = {key: job for key, job in memory.held.items() if key not in self.seen}
        self.records = {key_of(job): job for job in look.records}
        self.newest = {}
        self.restarts = {}
        runs = {**self.records, **self.left, **self.seen}
        for (job_id, submit), job in runs.items():
            if submit > self.newest.get(job_id, 0):
                self.newest[job_id] = submit
                self.restarts[job_id] = job.restart_count or 0
        self.runs, self.missing = dict(memory.runs), dict(memory.missing)
        self.done, self.alarms = dict(memory.done), dict(memory.alarms)

    def take(self, rings: Iterable[RunKey]) -> Step:
        for key in self._not_there():
            self._settle(key, self.runs[key])
        for key, job in self.left.items():
            self._settle_held(key, job)
        for key, record in self._unseen_ends():
            self._settle(key, self._open(record))
        for key, job in self.seen.items():
            self._see(key, job)
        for key in rings:
            self._ring(key)
        self._forget_done()
        memory = dataclasses.replace(
            self.memory,
            last_look=self.look.now,
            runs=self.runs,
            missing=self.missing,
            done=self.done,
            held=self.held,
            alarms=self.alarms,
        )
        touched = frozenset(self.touched)
        return Step(memory=memory, transitions=in_order(self.teller.told), touched=touched)

    def _not_there(self) -> list[RunKey]:
        gone = (key for key in self.look.gone if key in self.runs)
        keys = {**self.missing, **dict.fromkeys(gone)}
        return [key for key in keys if key in self.runs and key not in self.seen]

    def _see(self, key: RunKey, job: Job) -> None:
        known = self.runs.get(key)
        if known is None and (key in self.done or self._is_no_news(job)):
            return
        if job.job_id in self.blocked:
            self.held[key] = job
            self.missing.pop(key, None)
        elif known is None:
            self._advance(key, self._open(job), job)
        elif known.job != job or key in self.missing:
            self._advance(key, known, job)
        else:  # only Slurm's guess of its start has moved
            self.runs[key] = dataclasses.replace(known, job=job)

    def _is_no_news(self, job: Job) -> bool:
        """Tell whether an unknown job ended before an earlier look, which knew it then; or is
        what is left of an array whose last tasks were cancelled: they have ends of their own.
        """
        last = self.memory.last_look
        if last is not None and job.end_time is not None and job.end_time < last - FORGET_DONE:
            return True
        never_ran = job.state == "CANCELLED" and job.start_time is None
        return never_ran and any(
            submit == job.submit_time and array_of(job_id)[0] == job.job_id
            for job_id, submit in itertools.chain(self.runs, self.done)
        )

    def _unseen_ends(self) -> Iterator[tuple[RunKey, Job]]:
        """Yield the runs that came and went unseen, oldest first."""
        ids = {job_id for job_id, _ in self.records}
        newest_told: dict[str, int] = {}
        for job_id, submit in itertools.chain(self.memory.runs, self.done):
            if job_id in ids:
                newest_told[job_id] = max(submit, newest_told.get(job_id, 0))
        for key, record in sorted(self.records.items(), key=lambda entry: entry[0][1]):
            ended_since = (record.end_time or 0) >= self.memory.since
            # An earlier run of what is under watch is a chapter that has long been closed.
            later = key[1] > newest_told.get(key[0], 0)
            known = key in self.seen or key in self.left or key in self.runs
            if ended_since and later and not known:
                yield key, record

    def _open(self, job: Job) -> Run:
        """Begin the story of a run that was not known before."""
        run = Run(job=job, told=Phase.WAITING, collection=self.look.rules.collection_of(job))
        back = job.job_id in self.causes if job.restart_count is None else job.restart_count > 0
        if back:
            cause = self.causes.get(job.job_id)
            self.teller.tell("job_requeued", run, as_submitted(job), job.submit_time, cause=cause)
        elif not self._is_next_cycle(job):
            self.teller.tell("job_submitted", run, as_submitted(job), job.submit_time)
        return run

    def _is_next_cycle(self, job: Job) -> bool:
        """A job of scrontab keeps its id for ever; each of its runs begins as the last ends."""
        if not self.ends:
            self.ends = {job_id: ended.end for (job_id, _), ended in self.done.items()}
        end = self.ends.get(job.job_id)
        return end is not None and 0 <= job.submit_time - end <= CYCLE

    def _settle(self, key: RunKey, run: Run) -> None:
        """Deal with a run that is not in the queue: ended, put back, or still missing."""
        now = self.look.now
        record = as_known(self.records.get(key), run.job)
        missing = self.missing.get(key) or Missing(since=now, ask_at=now)
        waited = now - missing.since
        superseded = self.newest.get(key[0], 0) > key[1]
        if record and superseded and record.state in MAYBE_REQUEUED:
            self.teller.started(run, record)
            self._close(key, record)
            self.causes[key[0]] = record.state
        elif record and self._is_end(record, waited):
            self._advance(key, run, record)
        elif superseded and (waited >= SUPERSEDED_GRACE or not self.look.rules.accounting):
            self._give_way(key, run, missing)
        elif run.unknown_told and is_forgotten(run, waited):
            self._close(key, run.job)
        else:
            self._keep_missing(key, run, missing, waited)

    def _give_way(self, key: RunKey, run: Run, missing: Missing) -> None:
        """Let the next run of an id begin, though nobody knows how this one ended."""
        if (run.job.restart_count or 0) != self.restarts.get(key[0], 0):
            self._close(key, run.job)  # it was put back into the queue
            self.causes[key[0]] = None
        else:  # it has ended: scrontab's next run, or an id that is used again
            self._keep_missing(key, run, missing, waited=math.inf)

    def _settle_held(self, key: RunKey, job: Job) -> None:
        """Deal with a run that has left the queue while it waited for an earlier one's end."""
        now = self.look.now
        if job.job_id not in self.blocked:
            self._settle(key, self._open(job))
            return
        missing = self.missing.get(key) or Missing(since=now, ask_at=now)
        self.held[key] = job
        self.missing[key] = asked_again(missing, now) if key in self.look.asked else missing

    @staticmethod
    def _is_end(record: Job, waited: float) -> bool:
        if record.state not in END_EVENTS:
            return record.state in SILENT_ENDS
        if record.end_time is None and waited < OUTCOME_DUE:
            return False  # a database that has just come back knows the state before the rest
        return record.state not in MAYBE_REQUEUED or waited >= REQUEUE_GRACE

    def _close(self, key: RunKey, job: Job) -> None:
        self.runs.pop(key, None)
        self.missing.pop(key, None)
        self.alarms.pop(key, None)
        now = int(self.look.now)
        self.done[key] = Ended(job.end_time or now, now)
        if self.ends:
            self.ends[key[0]] = job.end_time or now
        self.touched.add(key)

    def _keep(self, key: RunKey, run: Run) -> None:
        self._set_alarm(key, run)
        self.missing.pop(key, None)
        self.runs[key] = run
        self.touched.add(key)

    def _set_alarm(self, key: RunKey, run: Run) -> None:
        alarm = next_alarm(run, self.look.rules.waiting_after)
        if alarm is None:
            self.alarms.pop(key, None)
        else:
            self.alarms[key] = alarm

    def _keep_missing(self, key: RunKey, run: Run, missing: Missing, waited: float) -> None:
        if key in self.look.asked:
            missing = asked_again(missing, self.look.now)
        if outcome_is_overdue(run, missing, waited, self.look.rules.accounting):
            self.teller.tell("job_outcome_unknown", run, run.job, missing.since)
            run = dataclasses.replace(run, unknown_told=True)
        if self.missing.get(key) != missing or self.runs.get(key) != run:
            self.touched.add(key)
        self.runs[key], self.missing[key] = run, missing
        self.alarms.pop(key, None)
        if not run.unknown_told:
            self.blocked.add(key[0])

    def _advance(self, key: RunKey, run: Run, job: Job) -> None:
        """Tell what lies between what was told of a run and the state it is in now."""
        run = self.teller.started(run, job)
        now_in = phase(job.state)
        if now_in is Phase.ENDED:
            self.teller.end(run, job)
            self._close(key, job)
            return
        if now_in is Phase.WAITING:
            run = self.teller.stuck(run, job)
        elif run.told in (Phase.RUNNING, Phase.SUSPENDED):
            run = self.teller.suspension(run, job, now_in)
        self._keep(key, self.teller.by_the_clock(dataclasses.replace(run, job=job)))

    def _ring(self, key: RunKey) -> None:
        run = self.runs.get(key)
        if run is None or key in self.missing or key in self.touched:
            return
        changed = self.teller.by_the_clock(run)
        if changed is run:
            self._set_alarm(key, run)
        else:
            self._keep(key, changed)

    def _forget_done(self) -> None:
        before = self.look.now - FORGET_DONE
        old = [key for key, ended in self.done.items() if ended.told <= before]
        for key in old:
            del self.done[key]
        self.touched.update(old)

    def _job_of(self, key: RunKey) -> Job | None:
        run = self.runs.get(key)
        return self.seen.get(key) or self.records.get(key) or (run.job if run else None)
