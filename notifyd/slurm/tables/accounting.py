"""Reads the table that `sacct` prints: the runs of jobs, and the steps of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern

from notifyd.model import Job
from notifyd.slurm.tables import cells
from notifyd.slurm.tables.cells import ParseError

Row = Mapping[str, str]
"""A row's cells by the name of their column."""

FIELDS = (
    "JobID",
    "State",
    "ExitCode",
    "Submit",
    "Start",
    "End",
    "TimelimitRaw",
    "NNodes",
    "NCPUS",
    "NodeList",
    "User",
    "Account",
    "Partition",
    "Reason",
    "Comment",
    "WorkDir",
    "JobName",
)
"""What is asked of every site; each version since 22.05 knows them."""

WHERE_KNOWN = ("JobIDRaw", "Restarts", "SLUID", "StdOut", "StdErr")
"""What is asked where `sacct --helpformat` lists it: from 24.11, 24.05, 23.02 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run in accounting. Of an array that never began, each task has an entry."""

    job: Job
    row: Row
    steps: Sequence[Row] = field(default=())
    whole: bool = True
    """Whether its steps were asked for, too."""


def known_fields(helpformat: str) -> frozenset[str]:
    """Return the columns that `sacct --helpformat` lists."""
    return frozenset(helpformat.split())


def parse_accounting(
    output: str, nonce: str, cluster: str, fields: Sequence[str] = FIELDS
) -> list[Entry]:
    """Return the runs of one `sacct` table, array tasks one by one. Raises ParseError."""
    texts = output.split(nonce)
    width = len(fields)
    if len(texts) % width != 1 or texts[-1].strip():
        raise ParseError("sacct's output is cut short")
    rows = (
        dict(zip(fields, texts[i : i + width], strict=True))
        for i in range(0, len(texts) - 1, width)
    )
    return list(_entries(rows, cluster))


def _entries(rows: Iterable[dict[str, str]], cluster: str) -> Iterator[Entry]:
    for row, steps in _with_steps(rows):
        # Without a time of submission a row is no run that could be known by it.
        if cells.number(row["Submit"]) is not None:
            for job in _jobs(row, cluster):
                yield Entry(job=job, row=row, steps=tuple(steps))


def _with_steps(rows: Iterable[dict[str, str]]) -> Iterator[tuple[Row, list[Row]]]:
    """Yield each run with the steps that follow it: `12.0`, `12.batch` belong to the run `12`."""
    run: Row | None = None
    steps: list[Row] = []
    for row in rows:
        row["JobID"] = row["JobID"].strip()
        if run is not None and row["JobID"].startswith(run["JobID"] + "."):
            steps.append(row)
            continue
        if run is not None:
            yield run, steps
        run, steps = row, []
    if run is not None:
        yield run, steps


def _jobs(row: Row, cluster: str) -> Iterator[Job]:
    if "." in row["JobID"]:
        return  # a step without its run: the window began in between
    exit_code, signal = cells.exit_status(row["ExitCode"])
    word, by = cells.state(row["State"])
    # What is cancelled in its first second can have a start, but no nodes: it never ran.
    nodes = _shared(row["NodeList"])
    start = cells.number(row["Start"]) if nodes else None
    for job_id in cells.expand_tasks(row["JobID"]):
        array, task = cells.array_of(job_id)
        yield Job(
            cluster=cluster,
            job_id=job_id,
            submit_time=cells.required_time(row["Submit"]),
            state=intern(word),
            name=row["JobName"],
            user=_shared(row["User"]),
            account=_shared(row["Account"]),
            partition=_shared(row["Partition"]),
            reason=_shared(row["Reason"]),
            array_job_id=array,
            array_task_id=task,
            exit_code=exit_code,
            signal=signal,
            restart_count=cells.number(row.get("Restarts", "")),
            start_time=start,
            end_time=cells.number(row["End"]),
            time_limit_seconds=cells.limit_of_minutes(row["TimelimitRaw"]),
            nodes=cells.number(row["NNodes"]),
            node_list=nodes,
            cpus=cells.number(row["NCPUS"]),
            work_dir=_shared(row["WorkDir"]),
            comment=_shared(row["Comment"]),
            cancelled_by=by,
            sluid=cells.text(row.get("SLUID", "")),
        )


def _shared(cell: str) -> str | None:
    word = cells.text(cell)
    return None if word is None else intern(word)
