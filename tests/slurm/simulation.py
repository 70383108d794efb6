"""A simulated Slurm: jobs live their lives, the queue and accounting show what they would show."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from notifyd.model import Job
from notifyd.slurm.client import Site, SlurmError
from notifyd.slurm.states import END_EVENTS
from notifyd.slurm.tables.accounting import Entry
from tests.fakes import queue_row

START = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it truly was: Unix seconds, and the word that it ended with."""

    job_id: str
    submit: int
    start: int | None
    end: int
    outcome: str
    restart: int = 0
    lag: int = 0
    """Seconds until accounting has its end."""
    completing: int = 0
    """Seconds that it takes to clean up."""
    again: bool = False
    """It is put back into the queue at its end: this is no end of the job."""
    traceless: bool = False
    """A task that is cancelled while its array waits: neither table ever shows an end."""

    def job(self, state: str, now: int) -> Job:
        """Return what a table shows of it."""
        over = state in END_EVENTS or state == "REQUEUED"
        began = self.start is not None and self.start <= now and state != "PENDING"
        return Job(
            cluster="demo",
            job_id=self.job_id,
            submit_time=self.submit,
            state=state,
            name=f"job {self.job_id}",
            user="alice",
            partition="debug",
            exit_code=int(state == "FAILED") if over else None,
            restart_count=self.restart,
            start_time=self.start if began else None,
            node_list="n1" if began else None,
            end_time=self.end if over else None,
        )


@dataclass(slots=True)
class SimulatedSlurm:
    """Shows each run as squeue and sacct do at a moment, with their faults."""

    runs: Sequence[Run]
    min_job_age: int
    now: int = START
    accounting: bool = True
    queue_down: bool = False
    queue_empty: bool = False
    hidden: frozenset[str] = frozenset()
    """Jobs that a faulty table leaves out."""
    accounting_down: bool = False
    calls: int = field(default=0)

    async def site(self) -> Site:
        return Site(cluster="demo", min_job_age=self.min_job_age, accounting=self.accounting)

    async def queue(self) -> list[str]:
        self.calls += 1
        if self.queue_down:
            raise SlurmError("squeue: Unable to contact slurm controller")
        if self.queue_empty:
            self.queue_empty = False
            return []
        return [queue_row(job) for job in self._in_queue() if job.job_id not in self.hidden]

    async def runs_of(self, job_ids: Sequence[str]) -> list[Entry]:
        if self.accounting_down:
            raise SlurmError("sacct: Problem talking to the database: Connection refused")
        return [Entry(job=job, row={}) for job in self._recorded() if job.job_id in job_ids]

    def _in_queue(self) -> Iterator[Job]:
        for run in self.runs:
            state = self._state(run)
            if state is not None:
                yield run.job(state, self.now)

    def _state(self, run: Run) -> str | None:
        if self.now < run.submit:
            return None
        if self.now < (run.start or run.end):
            return "PENDING"
        if self.now < run.end:
            return "RUNNING"
        if run.again or run.traceless:
            return None
        if self.now < run.end + run.completing:
            return "COMPLETING"
        gone = self.now >= run.end + run.completing + self.min_job_age
        return None if gone else run.outcome

    def _recorded(self) -> Iterator[Job]:
        for run in self.runs:
            if self.now < run.submit:
                continue
            if self.now >= run.end + run.lag and not run.traceless:
                yield run.job(run.outcome, self.now)
            elif run.start is not None and self.now >= run.start + run.lag:
                yield run.job("RUNNING", self.now)
            else:
                yield run.job("PENDING", self.now)


@dataclass(slots=True)
class Slurm:
    """What the poller asks, answered by the simulation."""

    world: SimulatedSlurm

    async def site(self) -> Site:
        return await self.world.site()

    async def queue(self) -> list[str]:
        return await self.world.queue()

    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Entry]:
        return await self.world.runs_of(job_ids)

    async def ended(self, cluster: str, since: int) -> list[Entry]:
        everything = await self.world.runs_of([run.job_id for run in self.world.runs])
        over = [entry for entry in everything if entry.job.state in END_EVENTS]
        return [entry for entry in over if (entry.job.end_time or 0) >= since]

    async def outputs(self, job_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        return {}


def requeued(run: Run, times: int, wait: int, length: int) -> list[Run]:
    """Return a life in which the run was put back a number of times."""
    runs = []
    for number in range(times):
        first = dataclasses.replace(run, outcome="REQUEUED", again=True, restart=number)
        runs.append(first)
        submit = first.end + 1
        start = submit + wait
        run = dataclasses.replace(run, submit=submit, start=start, end=start + length)
    return [*runs, dataclasses.replace(run, restart=times)]
