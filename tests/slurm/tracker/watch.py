"""A watch whose looks are whole queues, as people think of them."""

from __future__ import annotations

from collections.abc import Sequence

from notifyd.model import Job
from notifyd.slurm.tables.queue import RunKey, key_of
from notifyd.slurm.tracker.look import Look, Rules, Transition
from notifyd.slurm.tracker.memory import Memory, Scope
from notifyd.slurm.tracker.step import step
from notifyd.slurm.tracker.views import first_step, runs_to_ask

ME = Scope(cluster="demo", users=("alice",))
START = 1_000_000.0


class Watch:
    """Steps through looks and keeps what was told."""

    def __init__(self, *at_first: Job, rules: Rules | None = None) -> None:
        self.now = START
        self.rules = rules or Rules()
        self.table: dict[RunKey, Job] = {key_of(job): job for job in at_first}
        look = Look(jobs=at_first, now=self.now, rules=self.rules)
        self.memory: Memory = first_step(ME, look, since=self.now + 1).memory
        self.told: list[Transition] = []

    def look(
        self, *jobs: Job, records: Sequence[Job] = (), after: float = 30.0, asked: bool = True
    ) -> list[str]:
        """Look at a whole queue, and return the types of what this look told."""
        self.now += after
        look = self.a_look(*jobs, records=records)
        if asked:
            keys = runs_to_ask(self.memory, look)
            look = Look(
                now=look.now,
                jobs=look.jobs,
                gone=look.gone,
                records=records,
                asked=keys,
                rules=self.rules,
            )
        done = step(self.memory, look)
        self.memory = done.memory
        self.told += done.transitions
        return [transition.type for transition in done.transitions]

    def a_look(self, *jobs: Job, records: Sequence[Job] = ()) -> Look:
        """Return what differs from the queue before."""
        before, self.table = self.table, {key_of(job): job for job in jobs}
        changed = [job for key, job in self.table.items() if before.get(key) != job]
        gone = frozenset(before.keys() - self.table.keys())
        return Look(now=self.now, jobs=changed, gone=gone, records=records, rules=self.rules)

    def restart(self) -> None:
        """Go on as a new daemon does: with what was stored, and no table before."""
        stored = self.memory.dump(frozenset({*self.memory.runs, *self.memory.done}))
        self.memory = Memory.load({k: text for k, text in stored.items() if text is not None})
        self.table = {key: run.job for key, run in self.memory.runs.items()}
