"""What is told of one run: from what was told of it to the state that it is in now."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from notifyd.model import Job
from notifyd.slurm.reasons import stuck_advice
from notifyd.slurm.states import END_EVENTS, Phase
from notifyd.slurm.tables.cells import leader_of
from notifyd.slurm.tables.queue import RunKey
from notifyd.slurm.tracker.alarms import LIMIT_EVENTS, limit_due, waiting_due
from notifyd.slurm.tracker.look import Look, Transition
from notifyd.slurm.tracker.memory import Run
from notifyd.slurm.tracker.pasts import as_started, has_run


@dataclass(slots=True)
class Teller:
    """Collects what a look tells. Each of its steps returns the run with that noted as told."""

    look: Look
    job_of: Callable[[RunKey], Job | None]
    """Knows every run that is in sight."""
    told: list[Transition] = field(default_factory=list)

    def started(self, run: Run, job: Job) -> Run:
        """Tell the start of a run, if it has started and that was not told."""
        if run.told >= Phase.RUNNING or not has_run(job):
            return run
        self.tell("job_started", run, as_started(job), job.start_time or self.look.now)
        return dataclasses.replace(run, told=Phase.RUNNING)

    def suspension(self, run: Run, job: Job, now_in: Phase) -> Run:
        """Tell that a run was suspended, or goes on; it may happen again and again."""
        if now_in is run.told or now_in not in (Phase.RUNNING, Phase.SUSPENDED):
            return run
        count = run.suspensions + (now_in is Phase.SUSPENDED)
        kind = "job_suspended" if now_in is Phase.SUSPENDED else "job_resumed"
        self.tell(kind, run, job, self.look.now, mark=str(count))
        return dataclasses.replace(run, told=now_in, suspensions=count)

    def stuck(self, run: Run, job: Job) -> Run:
        """Tell that a run will not start by itself, once for each reason."""
        why = job.reason or job.state
        if why in run.stuck or stuck_advice(job) is None:
            return run
        self.tell("job_stuck", run, job, self.look.now, mark=why)
        return dataclasses.replace(run, stuck=(*run.stuck, why))

    def by_the_clock(self, run: Run) -> Run:
        """Tell what is news for the time alone."""
        now = self.look.now
        share = limit_due(run, now)
        if share:
            self.tell(LIMIT_EVENTS[share], run, run.job, now)
            run = dataclasses.replace(run, limit_told=share)
        if waiting_due(run, self.look.rules.waiting_after, now):
            self.tell("job_waiting", run, run.job, now)
            run = dataclasses.replace(run, waiting_told=True)
        return run

    def end(self, run: Run, job: Job) -> None:
        """Tell the end of a run, if it is one: a revoked sibling has none."""
        if job.state in END_EVENTS:
            at = job.end_time or self.look.now
            self.tell(END_EVENTS[job.state], run, job, at, corrects=run.unknown_told)

    def tell(
        self,
        kind: str,
        run: Run,
        job: Job,
        at: float,
        mark: str = "",
        cause: str | None = None,
        corrects: bool = False,
    ) -> None:
        """Add what happened to a run."""
        if leader_of(job.job_id) is not None:
            return  # a het job is told through its leader
        self.told.append(
            Transition(
                type=kind,
                job=job,
                at=at,
                mark=mark,
                cause=cause,
                corrects=corrects,
                collection=run.collection,
                accounting=self.look.rules.accounting,
                components=tuple(self._components(job)),
            )
        )

    def _components(self, leader: Job) -> Iterator[Job]:
        for number in itertools.count(1):
            job = self.job_of((f"{leader.job_id}+{number}", leader.submit_time))
            if job is None:
                return
            yield job


def in_order(told: list[Transition]) -> list[Transition]:
    """Return what happened by time; one job's story keeps its own order."""
    latest: dict[str, float] = {}
    moments = []
    for transition in told:
        at = max(transition.at, latest.get(transition.job.job_id, 0.0))
        latest[transition.job.job_id] = at
        moments.append(at)
    return [told[i] for i in sorted(range(len(told)), key=moments.__getitem__)]
