"""Plays recordings to the tracker, look by look, as the daemon would have seen them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from notifyd.model import Job
from notifyd.slurm.tables import queue
from notifyd.slurm.tracker.look import Look, Rules, Transition
from notifyd.slurm.tracker.memory import Memory, Scope
from notifyd.slurm.tracker.step import step
from notifyd.slurm.tracker.views import runs_to_ask
from tests.recordings.reading import CLUSTER, MARKS, Recording, Section

PAUSE = 30.0
"""Seconds between two looks at what does not change any more."""


class Replay:
    """A watch of somebody who knew of no job when it began."""

    def __init__(self, since: float, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._rows: queue.Rows = {}
        self.now = since
        self.memory = Memory(scope=Scope(cluster=CLUSTER), since=since)
        self.told: list[Transition] = []

    def look(self, rows: Sequence[str], records: Sequence[Job] | None = None) -> None:
        """Look at one table; `records` is what accounting answers about what is missing there."""
        change = queue.compare(self._rows, rows, CLUSTER)
        self._rows = change.rows
        look = Look(now=self.now, jobs=change.jobs, gone=change.gone, rules=self._rules)
        if records is not None:
            asked = runs_to_ask(self.memory, look)
            look = dataclasses.replace(look, records=records, asked=asked)
        done = step(self.memory, look)
        self.memory = done.memory
        self.told += done.transitions

    def wait(self, seconds: float, rows: Sequence[str], records: Sequence[Job]) -> None:
        """Let time pass in which each look, and each answer, is the same."""
        until = self.now + seconds
        while self.now < until:
            self.now += PAUSE
            self.look(rows, records)


def play(recording: Recording, rules: Rules | None = None) -> Replay:
    """Return a watch that has seen a whole recording."""
    replay = Replay(recording.sections[0].at, rules)
    for table, answers in _looks(recording.sections):
        replay.now = max(replay.now, table.at)
        records = [entry.job for answer in answers for entry in recording.entries(answer)]
        replay.look(queue.split_rows(table.out, MARKS), records if answers else None)
    return replay


def _looks(sections: Sequence[Section]) -> Iterator[tuple[Section, list[Section]]]:
    """Yield each whole table of squeue with the whole answers of sacct that came after it."""
    looks: list[tuple[Section, list[Section]]] = []
    for section in sections:
        if section.is_a_look:
            looks.append((section, []))
        elif section.is_an_answer and looks:
            looks[-1][1].append(section)
    yield from looks


def stories(told: Sequence[Transition]) -> dict[str, str]:
    """Return what was told of each job, by the name that it had at first."""
    names: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for one in told:
        task = f" {one.job.array_task_id}" if one.job.array_job_id else ""
        name = names.setdefault(one.job.job_id, one.job.name + task)
        cause = f" ({one.cause})" if one.cause else ""
        found.setdefault(name, []).append(one.type.removeprefix("job_") + cause)
    return {name: ", ".join(events) for name, events in found.items()}
