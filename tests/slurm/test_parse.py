"""The parsers read what Slurm prints, and nobody's job name can forge a record."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.slurm import parse
from notifyd.slurm.client import draw_nonce

NONCE = draw_nonce()
QUEUE = {
    "JobArrayID": "4711",
    "ArrayJobID": "4711",
    "ArrayTaskID": "N/A",
    "State": "RUNNING",
    "Reason": "None",
    "exit_code": "0",
    "RestartCnt": "0",
    "SubmitTime": "1795229863",
    "StartTime": "1795229864",
    "EndTime": "1795229999",
    "TimeLimit": "1-02:03:04",
    "NumNodes": "2",
    "NumCPUs": "8",
    "NodeList": "n[1-2]",
    "UserName": "alice",
    "Account": "(null)",
    "Partition": "debug",
    "Name": "train",
    "WorkDir": "/home/alice",
}
ACCOUNTING = {
    "JobID": "4711",
    "State": "CANCELLED by 1000",
    "ExitCode": "0:15",
    "Submit": "1795229863",
    "Start": "None",
    "End": "1795229999",
    "TimelimitRaw": "UNLIMITED",
    "NNodes": "1",
    "NCPUS": "1",
    "NodeList": "None assigned",
    "User": "alice",
    "Account": "demo",
    "Partition": "debug",
    "Reason": "None",
    "WorkDir": "/home/alice",
    "JobName": "train",
}


def queue_line(**changes: str) -> str:
    """Print a row as squeue does with the format that it is given."""
    row = list((QUEUE | changes).values())
    return (
        parse.SEPARATOR.join(row[:-2]) + parse.SEPARATOR + row[-2] + NONCE + row[-1] + NONCE + "\n"
    )


def accounting_line(**changes: str) -> str:
    """Print a row as sacct does with the format that it is given."""
    return "".join(cell + NONCE for cell in (ACCOUNTING | changes).values()) + "\n"


def test_a_queue_row_is_read() -> None:
    """Each field has its type, and what Slurm does not know is None."""
    (job,) = parse.parse_queue(queue_line(), NONCE, "demo")

    assert (job.job_id, job.state, job.name, job.user) == ("4711", "RUNNING", "train", "alice")
    assert (job.submit_time, job.start_time, job.end_time) == (1795229863, 1795229864, None)
    assert (job.nodes, job.cpus, job.time_limit_seconds) == (2, 8, 93784)
    assert (job.reason, job.account, job.array_job_id, job.array_task_id) == (None,) * 4


def test_an_estimate_is_not_a_time() -> None:
    """The start of a waiting job and the end of a running one are guesses that change."""
    (job,) = parse.parse_queue(queue_line(State="PENDING"), NONCE, "demo")

    assert (job.start_time, job.end_time) == (None, None)


def test_an_array_task_knows_its_array() -> None:
    """A task has its array's id and its own number."""
    (job,) = parse.parse_queue(
        queue_line(JobArrayID="36_3", ArrayJobID="36", ArrayTaskID="3"), NONCE, "demo"
    )

    assert (job.job_id, job.array_job_id, job.array_task_id) == ("36_3", "36", 3)


def test_an_accounting_row_is_read() -> None:
    """Who cancelled is cut off the state; a job that never started has no start."""
    (job,) = parse.parse_accounting(accounting_line(), NONCE, "demo")

    assert (job.state, job.signal, job.start_time, job.node_list) == ("CANCELLED", 15, None, None)
    assert job.time_limit_seconds is None


def test_an_array_cancelled_while_waiting_is_read_task_by_task() -> None:
    """One row stands for all the tasks that never ran."""
    jobs = parse.parse_accounting(accounting_line(JobID="36_[1-3,7-9:2%4]"), NONCE, "demo")

    assert [job.job_id for job in jobs] == ["36_1", "36_2", "36_3", "36_7", "36_9"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("7:0", (7, None)),
        ("0:9", (0, 9)),
        ("51200", (200, None)),
        ("11", (0, 11)),
        ("0", (0, None)),
        ("", (None, None)),
        ("N/A", (None, None)),
    ],
)
def test_exit_codes_are_read_in_both_spellings(text: str, status: tuple[int, int]) -> None:
    """22.05 prints the raw wait status, later versions print code and signal."""
    assert parse.exit_status(text) == status


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:00", 60),
        ("2:03:04", 7384),
        ("1-00:00:00", 86400),
        ("UNLIMITED", None),
        ("INVALID", None),
        ("Partition_Limit", None),
        ("365-00:00:00", None),
    ],
)
def test_time_limits_are_read(text: str, seconds: int | None) -> None:
    """Words and the backfill scheduler's year mean that there is no limit."""
    assert parse.time_limit(text) == seconds


FREE_TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


@given(st.lists(st.tuples(FREE_TEXT, FREE_TEXT), max_size=5))
def test_no_name_or_folder_forges_a_queue_record(texts: Sequence[tuple[str, str]]) -> None:
    """Whatever users write into their jobs, every record is read as it was written."""
    table = "".join(queue_line(Name=name, WorkDir=folder) for name, folder in texts)
    jobs = parse.parse_queue(table, NONCE, "demo")

    assert [job.name for job in jobs] == [name for name, _ in texts]
    assert {job.job_id for job in jobs} <= {"4711"}


@given(st.lists(st.tuples(FREE_TEXT, FREE_TEXT), max_size=5))
def test_no_name_or_folder_forges_an_accounting_record(texts: Sequence[tuple[str, str]]) -> None:
    """The same for the database's table."""
    table = "".join(accounting_line(JobName=name, WorkDir=folder) for name, folder in texts)

    assert [job.name for job in parse.parse_accounting(table, NONCE, "demo")] == [
        name for name, _ in texts
    ]


@given(st.integers(1, len(queue_line()) - 2))
def test_half_a_queue_is_no_queue(length: int) -> None:
    """Output that was cut anywhere is refused whole."""
    with pytest.raises(parse.ParseError):
        parse.parse_queue(queue_line() + queue_line()[:length], NONCE, "demo")


@given(
    st.text() | st.lists(st.sampled_from([NONCE, "\x1f", "\n", "1", "36_[1-", "x"])).map("".join)
)
def test_any_output_is_read_or_refused(text: str) -> None:
    """Nothing that a command prints raises anything but the one documented error."""
    for read in (parse.parse_queue, parse.parse_accounting):
        try:
            read(text, NONCE, "demo")
        except parse.ParseError:
            continue
