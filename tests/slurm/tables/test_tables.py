"""The parsers read what Slurm prints, and nobody's job name can forge a record."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.model import Job
from notifyd.slurm.client import draw_nonce
from notifyd.slurm.tables import accounting, cells, queue
from notifyd.slurm.tables.cells import ParseError
from notifyd.slurm.tables.queue import Marks

NONCE = draw_nonce()
MARKS = Marks(text=draw_nonce(), record=draw_nonce())
QUEUE = {
    "JobArrayID": "4711",
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
    "Partition": "debug",
    "Account": "(null)",
    "Comment": "(null)",
    "WorkDir": "/home/alice",
    "Name": "train",
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
    "Comment": "",
    "WorkDir": "/home/alice",
    "JobName": "train",
}


def queue_line(**changes: str) -> str:
    """Print a row as squeue does with the format that it is given."""
    row = list((QUEUE | changes).values())
    plain, free = row[: len(queue.PLAIN)], row[len(queue.PLAIN) :]
    ends = [MARKS.text] * (len(free) - 1) + [MARKS.record]
    texts = "".join(text + end for text, end in zip(free, ends, strict=True))
    return queue.SEPARATOR.join([*plain, ""]) + texts + "\n"


def read_queue(output: str) -> list[Job]:
    """Read a whole table."""
    return list(queue.compare({}, queue.split_rows(output, MARKS), "demo").jobs)


def read_accounting(output: str) -> list[Job]:
    """Read a whole table."""
    return [entry.job for entry in accounting.parse_accounting(output, NONCE, "demo")]


def accounting_line(**changes: str) -> str:
    """Print a row as sacct does with the format that it is given."""
    return "".join(cell + NONCE for cell in (ACCOUNTING | changes).values()) + "\n"


def test_a_queue_row_is_read() -> None:
    """Each field has its type, and what Slurm does not know is None."""
    (job,) = read_queue(queue_line())

    assert (job.job_id, job.state, job.name, job.user) == ("4711", "RUNNING", "train", "alice")
    assert (job.submit_time, job.start_time, job.end_time) == (1795229863, 1795229864, None)
    assert (job.nodes, job.cpus, job.time_limit_seconds) == (2, 8, 93784)
    assert (job.reason, job.account, job.array_job_id, job.array_task_id) == (None,) * 4
    assert job.expected_end == 1795229999


def test_an_estimate_is_not_a_time() -> None:
    """The start of a waiting job and the end of a running one are guesses that change."""
    (job,) = read_queue(queue_line(State="PENDING"))

    assert (job.start_time, job.end_time) == (None, None)


def test_an_array_task_knows_its_array() -> None:
    """A task has its array's id and its own number."""
    (job,) = read_queue(queue_line(JobArrayID="36_3"))

    assert (job.job_id, job.array_job_id, job.array_task_id) == ("36_3", "36", 3)


def test_an_accounting_row_is_read() -> None:
    """Who cancelled is cut off the state; a job that never started has no start."""
    (job,) = read_accounting(accounting_line())

    assert (job.state, job.signal, job.start_time, job.node_list) == ("CANCELLED", 15, None, None)
    assert job.time_limit_seconds is None


def test_an_array_cancelled_while_waiting_is_read_task_by_task() -> None:
    """One row stands for all the tasks that never ran."""
    jobs = read_accounting(accounting_line(JobID="36_[1-3,7-9:2%4]"))

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
    assert cells.exit_status(text) == status


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
    assert cells.time_limit(text) == seconds


@pytest.mark.parametrize(
    ("text", "tasks"),
    [
        ("36", ["36"]),
        ("36_3", ["36_3"]),
        ("36_[1,3]", ["36_1", "36_3"]),
        ("36_[0-6:3]", ["36_0", "36_3", "36_6"]),
        ("36_[1-3,...]", ["36_1", "36_2", "36_3"]),
        ("36_[1-3,10...]", ["36_1", "36_2", "36_3"]),
        ("12+0", ["12"]),
        ("12+1", ["12+1"]),
    ],
)
def test_lists_of_tasks_are_read(text: str, tasks: list[str]) -> None:
    """Compressed, with a step, cut short; and the components of a het job."""
    assert list(cells.expand_tasks(text)) == tasks


def test_a_short_text_cannot_fill_the_memory() -> None:
    """A list is expanded to a number of tasks that a machine can bear."""
    huge = "1_[" + ",".join(["0-4000000"] * 9) + "]"

    assert sum(1 for _ in cells.expand_tasks(huge)) == cells.MOST_TASKS


def test_a_row_of_accounting_without_a_time_is_left_out() -> None:
    """It hides no other."""
    table = accounting_line(Submit="Unknown") + accounting_line()

    assert len(read_accounting(table)) == 1


def test_a_het_job_is_known_by_its_leader() -> None:
    """`12+0` is what sbatch calls 12; the components keep their numbers."""
    jobs = read_queue(queue_line(JobArrayID="12+0") + queue_line(JobArrayID="12+1"))

    assert [job.job_id for job in jobs] == ["12", "12+1"]
    assert [cells.leader_of(job.job_id) for job in jobs] == [None, "12"]


def test_who_cancelled_is_kept() -> None:
    """Accounting tells the user's number, where it knows it."""
    jobs = read_accounting(accounting_line() + accounting_line(State="CANCELLED+"))

    assert [(job.state, job.cancelled_by) for job in jobs] == [
        ("CANCELLED", 1000),
        ("CANCELLED", None),
    ]


def test_steps_follow_their_run() -> None:
    """They are rows of their own behind it; one without its run says nothing."""
    ids = ("3.0", "4711", "4711.batch", "4711.0", "47", "47.extern", "5_0", "5_0.batch")
    table = "".join(accounting_line(JobID=job_id) for job_id in ids)
    entries = accounting.parse_accounting(table, NONCE, "demo")

    assert [(e.job.job_id, [step["JobID"] for step in e.steps]) for e in entries] == [
        ("4711", ["4711.batch", "4711.0"]),
        ("47", ["47.extern"]),
        ("5_0", ["5_0.batch"]),
    ]


def test_a_site_is_asked_for_what_it_knows() -> None:
    """Columns that a version does not have are not asked for, and not missed."""
    fields = (*accounting.FIELDS, "Restarts", "SLUID")
    row = "".join(cell + NONCE for cell in [*ACCOUNTING.values(), "2", "sFYSM7XVP5AR00"]) + "\n"
    (entry,) = accounting.parse_accounting(row, NONCE, "demo", fields)

    assert (entry.job.restart_count, entry.job.sluid) == (2, "sFYSM7XVP5AR00")
    assert accounting.known_fields("Account  JobID\nRestarts\n") == {"Account", "JobID", "Restarts"}


def rows_of(*lines: str) -> list[str]:
    return queue.split_rows("".join(lines), MARKS)


def test_an_unchanged_table_is_not_read_again() -> None:
    """Equal text is an equal job, whatever the marks were."""
    first = queue.compare({}, rows_of(queue_line()), "demo")
    other = Marks(text=draw_nonce(), record=draw_nonce())
    output = queue_line().replace(MARKS.text, other.text).replace(MARKS.record, other.record)
    second = queue.compare(first.rows, queue.split_rows(output, other), "demo")

    assert (second.jobs, second.gone, second.rows) == ((), frozenset(), first.rows)


def test_only_what_differs_is_read() -> None:
    """A new row is a new or changed job; a run without a row is gone."""
    lines = [queue_line(JobArrayID=str(number)) for number in range(3)]
    before = queue.compare({}, rows_of(*lines), "demo").rows
    ended = queue_line(JobArrayID="1", State="COMPLETED")
    change = queue.compare(before, rows_of(lines[0], ended), "demo")

    assert [(job.job_id, job.state) for job in change.jobs] == [("1", "COMPLETED")]
    assert {job_id for job_id, _ in change.gone} == {"2"}
    assert len(change.rows) == 2


def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    """One odd row is set aside and named; if none can be read, it is no table."""
    change = queue.compare({}, rows_of(queue_line(), queue_line(SubmitTime="x")), "demo")
    assert [job.job_id for job in change.jobs] == ["4711"]
    assert len(change.unreadable) == 1
    with pytest.raises(ParseError, match="wrapper"):
        queue.compare({}, rows_of(queue_line(SubmitTime="2026-11-21T01:55:36")), "demo")


def test_the_heading_of_another_cluster_is_no_row() -> None:
    """With --clusters some versions print which cluster it is."""
    assert len(read_queue("CLUSTER: demo\n" + queue_line())) == 1


FREE_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300)


@given(st.lists(st.tuples(FREE_TEXT, FREE_TEXT, FREE_TEXT, FREE_TEXT), max_size=5))
def test_no_free_text_forges_a_queue_record(
    texts: Sequence[tuple[str, str, str, str]],
) -> None:
    """Whatever users write into their jobs, every record is read as it was written."""
    table = "".join(
        queue_line(JobArrayID=str(i), Name=name, WorkDir=folder, Comment=comment, Account=account)
        for i, (name, folder, comment, account) in enumerate(texts)
    )
    jobs = read_queue(table)

    assert [job.name for job in jobs] == [name for name, _, _, _ in texts]
    assert [job.job_id for job in jobs] == [str(i) for i in range(len(texts))]


@given(st.lists(st.tuples(FREE_TEXT, FREE_TEXT), max_size=5))
def test_no_name_or_folder_forges_an_accounting_record(texts: Sequence[tuple[str, str]]) -> None:
    """The same for the database's table."""
    table = "".join(accounting_line(JobName=name, WorkDir=folder) for name, folder in texts)

    assert [job.name for job in read_accounting(table)] == [name for name, _ in texts]


@given(st.integers(1, len(queue_line()) - 2))
def test_half_a_queue_is_no_queue(length: int) -> None:
    """Output that was cut anywhere is refused whole."""
    with pytest.raises(ParseError):
        read_queue(queue_line() + queue_line()[:length])


PIECES = st.sampled_from(
    [NONCE, MARKS.text, MARKS.record, MARKS.record + "\n", "\x1f", "\n", "1", "36_[1-", "x", "...]"]
)


@given(st.text() | st.lists(PIECES).map("".join))
def test_any_output_is_read_or_refused(text: str) -> None:
    """Nothing that a command prints raises anything but the one documented error."""
    for read in (read_queue, read_accounting):
        try:
            read(text)
        except ParseError:
            continue


@given(st.text())
def test_any_cell_is_read(text: str) -> None:
    """Whatever is in it, the worst is that it says nothing."""
    cells.time_limit(text)
    cells.exit_status(text)
    cells.state(text)
    cells.limit_of_minutes(text)
    assert list(itertools.islice(cells.expand_tasks(text), 10))
