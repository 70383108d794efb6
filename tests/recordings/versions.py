"""Reads the tables of three versions of Slurm, which were asked for in another layout.

Their cells are put into the places in which the client's own tables have them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from notifyd.model import Job
from notifyd.slurm.tables import accounting, queue
from notifyd.slurm.tables.accounting import Entry, parse_accounting
from tests.recordings.reading import CLUSTER, HERE, NONCE

VERSIONS = ("22.05.8", "24.11.7", "26.05.3")

_QUEUE = """
    JobArrayID ArrayJobID ArrayTaskID State UserName Account Partition Reason SubmitTime
    StartTime EndTime TimeLimit NumNodes NumCPUs NodeList WorkDir Command Name
"""
_ACCOUNTING = """
    JobIDRaw JobID State ExitCode DerivedExitCode User Account Partition Submit Eligible Start
    End ElapsedRaw TimelimitRaw NNodes NCPUS NodeList Reason Cluster WorkDir SubmitLine JobName
"""
_NOT_ASKED = {"exit_code": "N/A", "RestartCnt": "N/A", "Comment": ""}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_MARK = "NONCE"


def text_of(version: str, table: str) -> str:
    """Return one recorded table as it was printed."""
    return (HERE / "versions" / version / f"{table}.txt").read_text("utf-8")


def queue_rows(version: str, table: str) -> list[str]:
    """Return a table of squeue, one text a job, as the client's own would be split."""
    rows = []
    for record in text_of(version, table).split(_MARK)[1:]:
        texts = record.removesuffix("\n").split("\x1f", len(_QUEUE.split()) - 1)
        cells = dict(zip(_QUEUE.split(), texts, strict=True))
        cells = _NOT_ASKED | {name: _epoch(cell) for name, cell in cells.items()}
        plain = "".join(cells[name] + queue.SEPARATOR for name in queue.PLAIN)
        rows.append(plain + "\0".join(cells[name] for name in queue.FREE))
    return rows


def queue_jobs(version: str, table: str) -> list[Job]:
    """Return the jobs of a table of squeue."""
    return list(queue.compare({}, queue_rows(version, table), CLUSTER).jobs)


def entries(version: str, table: str) -> list[Entry]:
    """Return the runs of a table of sacct."""
    fields = (*accounting.FIELDS, "JobIDRaw", "DerivedExitCode")
    rows = (
        "".join(row[name] + NONCE for name in fields) + "\n" for row in _sacct_rows(version, table)
    )
    return parse_accounting("".join(rows), NONCE, CLUSTER, fields)


def _sacct_rows(version: str, table: str) -> Iterator[dict[str, str]]:
    cells, columns = text_of(version, table).split(_MARK), _ACCOUNTING.split()
    for i in range(0, len(cells) - 1, len(columns)):
        row = dict(zip(columns, cells[i : i + len(columns)], strict=True))
        yield _NOT_ASKED | {name: _epoch(cell) for name, cell in row.items()}


def _epoch(cell: str) -> str:
    if not _TIME.fullmatch(cell):
        return cell
    return str(int(datetime.datetime.fromisoformat(cell + "+00:00").timestamp()))
