"""Turns what `squeue` and `sacct` print into jobs.

Job names and folders are anybody's text: they may hold separators, newlines, control
bytes, half a UTF-8 character. Each call therefore draws a mark (the nonce) that nobody
could have known when naming a job, and only the mark ends a field that holds such text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from notifyd.model import Job
from notifyd.slurm.states import Phase, phase

SEPARATOR = "\x1f"

QUEUE_FIELDS = (
    "JobArrayID",
    "ArrayJobID",
    "ArrayTaskID",
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
    "Account",
    "Partition",
    "Name",
    "WorkDir",
)
"""What `squeue -O` is asked for; the two that users write freely come last."""

ACCOUNTING_FIELDS = (
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
    "WorkDir",
    "JobName",
)
"""What `sacct -o` is asked for: fields that every version since 22.05 knows."""

_NOTHING = frozenset(
    {"", "N/A", "n/a", "(null)", "NONE", "None", "Unknown", "INVALID", "NOT_SET", "None assigned"}
)
_LIMIT = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)")
_TASKS = re.compile(r"(\d+)_\[([\d,:-]+)(?:%\d+)?\]")
_SPAN = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?(?::(\d{1,9}))?")
_NO_LIMIT = 365 * 86400  # what the backfill scheduler writes where there is no limit at all
_MOST_TASKS = 4_000_001  # Slurm's own ceiling of MaxArraySize


class ParseError(Exception):
    """Slurm's output is not what was asked for: cut short, or from another program."""


def queue_format(nonce: str) -> str:
    """Return the `-O` argument: free text ends at the nonce, the rest at a separator."""
    plain = [f"{name}:{SEPARATOR}" for name in QUEUE_FIELDS[:-2]]
    return ",".join([*plain, *(f"{name}:{nonce}" for name in QUEUE_FIELDS[-2:])])


def parse_queue(text: str, nonce: str, cluster: str) -> list[Job]:
    """Return the jobs of one `squeue` table. Raises ParseError."""
    chunks = text.split(nonce)
    if len(chunks) % 2 == 0 or chunks[-1].strip():
        raise ParseError("squeue's output is cut short")
    return [
        _queue_job(chunks[i].removeprefix("\n"), chunks[i + 1], cluster)
        for i in range(0, len(chunks) - 1, 2)
    ]


def _queue_job(head: str, work_dir: str, cluster: str) -> Job:
    cells = head.split(SEPARATOR, len(QUEUE_FIELDS) - 2)
    if len(cells) != len(QUEUE_FIELDS) - 1:
        raise ParseError(f"squeue printed {len(cells)} fields where {len(QUEUE_FIELDS) - 1} belong")
    row = dict(zip(QUEUE_FIELDS, [cell.strip() for cell in cells[:-1]] + [cells[-1]], strict=False))
    exit_code, signal = exit_status(row["exit_code"])
    life = phase(row["State"])
    task = _number(row["ArrayTaskID"])
    nodes = _text(row["NodeList"])
    # Of a waiting job squeue prints an estimate of its start; of one that was cancelled while
    # waiting, the moment of that. Only of a running job is the end an estimate.
    started = life is not Phase.WAITING and not (life is Phase.ENDED and nodes is None)
    return Job(
        cluster=cluster,
        job_id=row["JobArrayID"],
        submit_time=_required_time(row["SubmitTime"]),
        state=row["State"],
        name=row["Name"],
        user=_text(row["UserName"]),
        account=_text(row["Account"]),
        partition=_text(row["Partition"]),
        reason=_text(row["Reason"]),
        # squeue gives a job that is no array its own id as array id.
        array_job_id=None if task is None else _text(row["ArrayJobID"]),
        array_task_id=task,
        exit_code=exit_code,
        signal=signal,
        restart_count=_number(row["RestartCnt"]),
        start_time=_number(row["StartTime"]) if started else None,
        end_time=_number(row["EndTime"]) if life is Phase.ENDED else None,
        time_limit_seconds=time_limit(row["TimeLimit"]),
        nodes=_number(row["NumNodes"]),
        node_list=nodes,
        cpus=_number(row["NumCPUs"]),
        work_dir=_text(work_dir),
    )


def parse_accounting(text: str, nonce: str, cluster: str) -> list[Job]:
    """Return the runs of one `sacct` table, array tasks one by one. Raises ParseError."""
    cells = text.split(nonce)
    width = len(ACCOUNTING_FIELDS)
    if len(cells) % width != 1 or cells[-1].strip():
        raise ParseError("sacct's output is cut short")
    rows = (cells[i : i + width] for i in range(0, len(cells) - 1, width))
    return [job for row in rows for job in _accounting_jobs(row, cluster)]


def _accounting_jobs(cells: Sequence[str], cluster: str) -> Iterator[Job]:
    row = dict(zip(ACCOUNTING_FIELDS, cells, strict=True))
    exit_code, signal = exit_status(row["ExitCode"])
    for job_id in expand_tasks(row["JobID"].strip()):
        base, _, task = job_id.partition("_")
        yield Job(
            cluster=cluster,
            job_id=job_id,
            submit_time=_required_time(row["Submit"]),
            # "CANCELLED by 1000" names who did it; the state is the first word.
            state=row["State"].split(" ", 1)[0].rstrip("+"),
            name=row["JobName"],
            user=_text(row["User"]),
            account=_text(row["Account"]),
            partition=_text(row["Partition"]),
            reason=_text(row["Reason"]),
            array_job_id=base if task else None,
            array_task_id=_number(task),
            exit_code=exit_code,
            signal=signal,
            start_time=_number(row["Start"]),
            end_time=_number(row["End"]),
            time_limit_seconds=_limit_of_minutes(row["TimelimitRaw"]),
            nodes=_number(row["NNodes"]),
            node_list=_text(row["NodeList"]),
            cpus=_number(row["NCPUS"]),
            work_dir=_text(row["WorkDir"]),
        )


def expand_tasks(job_id: str) -> Iterator[str]:
    """Yield each task of `36_[1-3,7-9:2%4]`; any other id as it is."""
    found = _TASKS.fullmatch(job_id)
    if found is None:
        yield job_id
        return
    for part in found[2].split(","):
        span = _SPAN.fullmatch(part)
        if span is None:
            raise ParseError(f"not a list of array tasks: {job_id[:80]!r}")
        first, last, step = (int(group or 0) for group in span.groups())
        stop = min(max(first, last), _MOST_TASKS)
        yield from (f"{found[1]}_{task}" for task in range(first, stop + 1, max(step, 1)))


def exit_status(text: str) -> tuple[int | None, int | None]:
    """Return exit code and signal of `7:0`, or of the raw wait status that 22.05 prints."""
    code, colon, signal = text.strip().partition(":")
    if not code.isascii() or not code.isdigit():
        return None, None
    if colon:
        return int(code), _number(signal) or None
    return int(code) >> 8 & 0xFF, int(code) & 0x7F or None


def time_limit(text: str) -> int | None:
    """Return the seconds of `1-02:03:04`, `2:03:04` or `3:04`; None for UNLIMITED and words."""
    found = _LIMIT.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return None if total == _NO_LIMIT else total


def _limit_of_minutes(cell: str) -> int | None:
    minutes = _number(cell)
    return None if minutes is None or minutes * 60 == _NO_LIMIT else minutes * 60


def _text(cell: str) -> str | None:
    return None if cell in _NOTHING else cell


def _number(cell: str) -> int | None:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 19 else None


def _required_time(cell: str) -> int:
    time = _number(cell)
    if time is None:
        raise ParseError(f"not a time in seconds: {cell[:40]!r} (is the command a wrapper?)")
    return time
