"""Reads recordings: what was asked, and what was printed, one section a command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from notifyd.model import Job
from notifyd.slurm.tables import queue
from notifyd.slurm.tables.accounting import Entry, parse_accounting
from notifyd.slurm.tables.queue import Marks

HERE = Path(__file__).parent
CLUSTER = "demo"
MARKS = Marks(text="<TEXT>", record="<RECORD>")
NONCE = "<NONCE>"
"""What a recording holds in place of the marks that are drawn for each call."""

_HEAD = re.compile(rb"^=== (.*)\n", re.MULTILINE)
_ASKED = re.compile(r"(\d+) exit (\d+): (\w+) ?(.*)", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class Section:
    """One command, and what it printed."""

    at: int
    """Unix seconds."""
    status: int
    command: str
    arguments: str
    out: str
    err: str = ""

    @property
    def is_a_look(self) -> bool:
        """Tell whether it is a whole table of the queue."""
        return self.command == "squeue" and self.status == 0 and "--jobs=" not in self.arguments

    @property
    def is_an_answer(self) -> bool:
        """Tell whether it is a whole table of runs."""
        return self.command == "sacct" and self.status == 0 and "--dup" in self.arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What was printed in the course of one case."""

    queue_columns: tuple[str, ...]
    accounting_columns: tuple[str, ...]
    sections: list[Section] = field(default_factory=list)

    def jobs(self, section: Section) -> list[Job]:
        """Return the jobs of a table of squeue."""
        rows = queue.split_rows(section.out, MARKS)
        return list(queue.compare({}, rows, CLUSTER).jobs)

    def entries(self, section: Section) -> list[Entry]:
        """Return the runs of a table of sacct."""
        return parse_accounting(section.out, NONCE, CLUSTER, self.accounting_columns)

    def looks(self) -> list[list[Job]]:
        """Return the jobs of each table of squeue, that of the beginning left out."""
        return [self.jobs(section) for section in self.sections if section.is_a_look][1:]

    def answers(self) -> list[list[Entry]]:
        """Return the runs of each table of sacct."""
        return [self.entries(section) for section in self.sections if section.is_an_answer]


def recorded(case: str, folder: str = "slurm") -> Recording:
    """Read the recording of a case."""
    head, *parts = _HEAD.split((HERE / folder / f"{case}.txt").read_bytes())
    columns = dict(line.split(" columns: ") for line in head.decode().splitlines())
    recording = Recording(
        queue_columns=_names(columns.get("queue", "")),
        accounting_columns=_names(columns.get("accounting", "")),
    )
    for asked, text in zip(parts[::2], parts[1::2], strict=True):
        _add(recording.sections, asked.decode(), text.decode("utf-8", "replace"))
    return recording


def _names(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def _add(sections: list[Section], asked: str, text: str) -> None:
    if asked == "stderr":
        sections[-1].err = text
        return
    found = _ASKED.fullmatch(asked)
    assert found, asked
    at, status, command, arguments = found.groups()
    sections.append(
        Section(at=int(at), status=int(status), command=command, arguments=arguments, out=text)
    )


def by_name(jobs: Sequence[Job]) -> dict[str, Job]:
    """Return jobs by the names that the cases give them."""
    return {job.name: job for job in jobs}


def last_look(case: str) -> dict[str, Job]:
    """Return the jobs of the last table of the queue, by their names."""
    return by_name(recorded(case).looks()[-1])


def last_answer(case: str) -> list[Entry]:
    """Return the runs of the last table of accounting."""
    return recorded(case).answers()[-1]


def records(case: str) -> dict[str, Job]:
    """Return the runs of the last table of accounting, by the names of their jobs."""
    return by_name([entry.job for entry in last_answer(case)])
