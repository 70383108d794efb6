"""Reads the table that `squeue` prints, one text a job.

Names, comments, accounts and folders are anybody's text: they may hold separators, newlines,
half a UTF-8 character. Each call therefore draws two marks that nobody could have known when
naming a job, and only these end such a field, and a record.

An unchanged job is an unchanged text. Only what differs from the last table is read at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from notifyd.model import Job
from notifyd.slurm.states import Phase, phase
from notifyd.slurm.tables import cells
from notifyd.slurm.tables.cells import ParseError

SEPARATOR = "\x1f"
_END_OF_TEXT = "\0"
"""What the drawn mark becomes in memory: a command cannot print it, so nobody can write it."""

PLAIN = (
    "JobArrayID",
    "State",
    "Reason",
    "exit_code",
    "RestartCnt",
    "SubmitTime",
    "StartTime",
    "EndTime",
    "TimeLimit",
    "NumNodes",
    "NumCPUs",
    "NodeList",
    "UserName",
    "Partition",
)
FREE = ("Account", "Comment", "WorkDir", "Name")
"""What `squeue -O` is asked for; the fields that users write freely come last."""

RunKey = tuple[str, int]
"""Job id and submit time: what Slurm's own accounting keeps a run by."""

Rows = Mapping[str, RunKey | None]
"""The last table: each row's text, and the run that it tells of (None for one unreadable)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The two drawn marks: what ends a free text, and what ends a record."""

    text: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What differs between two tables."""

    jobs: Sequence[Job] = ()
    """New or changed."""
    gone: frozenset[RunKey] = frozenset()
    rows: Rows
    unreadable: Sequence[str] = ()


def key_of(job: Job) -> RunKey:
    """Return what tells this run from every other."""
    return job.job_id, job.submit_time


def queue_format(marks: Marks) -> str:
    """Return the `-O` argument."""
    plain = [f"{name}:{SEPARATOR}" for name in PLAIN]
    free = [f"{name}:{marks.text}" for name in FREE[:-1]]
    return ",".join([*plain, *free, f"{FREE[-1]}:{marks.record}"])


def split_rows(output: str, marks: Marks) -> list[str]:
    """Return one text a job, the same as long as the job is. Raises ParseError if cut short."""
    if output.startswith("CLUSTER: "):  # some versions print it with --clusters
        output = output.partition("\n")[2]
    end = marks.record + "\n"
    if output and not output.endswith(end):
        raise ParseError("squeue's output is cut short")
    rows = output.replace(marks.text, _END_OF_TEXT).split(end)
    rows.pop()
    return rows


def compare(before: Rows, rows: Iterable[str], cluster: str) -> Change:
    """Return what is new in the rows of a table. Raises ParseError if none can be read."""
    now: dict[str, RunKey | None] = dict.fromkeys(rows)
    fresh = [row for row in now if row not in before]
    if not fresh and len(now) == len(before):
        return Change(rows=before)
    jobs, unreadable = _read(fresh, cluster)
    if unreadable and len(unreadable) == len(now):
        raise ParseError(unreadable[0])
    changed = {key_of(job) for job in jobs.values()}
    left = {key for row, key in before.items() if row not in now and key is not None}
    now.update({row: key for row, key in before.items() if row in now})
    now.update({row: key_of(job) for row, job in jobs.items()})
    return Change(
        jobs=tuple(jobs.values()),
        gone=frozenset(left - changed),
        rows=now,
        unreadable=unreadable,
    )


def _read(rows: Sequence[str], cluster: str) -> tuple[dict[str, Job], list[str]]:
    """One bad row (an administrator's odd text) must not blind the watch for all others."""
    jobs: dict[str, Job] = {}
    unreadable: list[str] = []
    for row in rows:
        try:
            jobs[row] = parse_row(row, cluster)
        except ParseError as error:
            unreadable.append(str(error))
    return jobs, unreadable


def parse_row(row: str, cluster: str) -> Job:
    """Return the job of one row. Raises ParseError."""
    head, *free = row.split(_END_OF_TEXT)
    plain = head.split(SEPARATOR, len(PLAIN))
    if len(plain) != len(PLAIN) + 1 or len(free) != len(FREE) - 1:
        raise ParseError(f"squeue printed a row that was not asked for: {row[:80]!r}")
    job_id, state, reason, exit_code, restarts, submit, start, end = plain[:8]
    limit, nodes, cpus, node_list, user, partition, account = plain[8:]
    comment, work_dir, name = free
    life = phase(state)
    array, task = cells.array_of(job_id)
    code, signal = cells.exit_status(exit_code)
    where = cells.text(node_list)
    # Of a waiting job squeue prints an estimate of its start; of one that was cancelled while
    # waiting, the moment of that. Only of a running job is the end an estimate.
    started = life is not Phase.WAITING and not (life is Phase.ENDED and where is None)
    if not started:
        code = signal = None  # of what never ran, 22.05 prints a status that means nothing
    return Job(
        cluster=cluster,
        job_id=cells.plain_id(job_id),
        submit_time=cells.required_time(submit),
        state=intern(state),
        name=intern(name),
        user=_shared(user),
        account=_shared(account),
        partition=_shared(partition),
        reason=_shared(reason),
        array_job_id=None if array is None else intern(array),
        array_task_id=task,
        exit_code=code,
        signal=signal,
        restart_count=cells.number(restarts),
        start_time=cells.number(start) if started else None,
        end_time=cells.number(end) if life is Phase.ENDED else None,
        time_limit_seconds=cells.time_limit(limit),
        nodes=cells.number(nodes),
        node_list=_shared(node_list),
        cpus=cells.number(cpus),
        work_dir=_shared(work_dir),
        comment=_shared(comment),
        expected_end=cells.number(end) if life is Phase.RUNNING else None,
        estimated_start=cells.number(start) if life is Phase.WAITING else None,
    )


def _shared(cell: str) -> str | None:
    """Return one copy of what is the same in many rows (users, folders): it spares memory."""
    word = cells.text(cell)
    return None if word is None else intern(word)
