"""What single recordings show of how jobs end, wait and run again."""

from __future__ import annotations

import dataclasses

import pytest

from notifyd.slurm.reasons import stuck_advice
from notifyd.slurm.tables import queue
from notifyd.slurm.tracker.patience import TRACELESS_DUE
from tests.recordings.reading import MARKS, last_answer, last_look, recorded, records
from tests.recordings.replay import Replay, play, stories


def test_exit_codes_and_signals() -> None:
    """Accounting took 128 from codes above it before 25.11; the queue has the true one."""
    codes: dict[str, tuple[int | None, int | None]] = {
        "exit 0": (0, None),
        "exit 7": (7, None),
        "exit 200": (200, None),
        "signal 11": (0, 11),
        "signal 9": (0, 9),
    }
    in_queue = {name: (job.exit_code, job.signal) for name, job in last_look("exit_codes").items()}
    recorded_ = {name: (job.exit_code, job.signal) for name, job in records("exit_codes").items()}

    assert in_queue == codes
    assert recorded_ == codes | {"exit 200": (72, None)}


def test_a_failed_step_of_a_completed_job() -> None:
    """The highest exit code of its steps is a column of its own, and each step has a row."""
    (entry,) = last_answer("failed_step")
    ends = {step["JobID"].partition(".")[2]: step["ExitCode"] for step in entry.steps}

    assert (entry.job.state, entry.row["DerivedExitCode"]) == ("COMPLETED", "3:0")
    assert ends == {"batch": "0:0", "0": "0:0", "1": "3:0", "2": "0:0"}


@pytest.mark.parametrize(
    ("case", "uid"), [("cancelled_by_its_user", 1001), ("cancelled_by_root", 0)]
)
def test_who_cancelled(case: str, uid: int) -> None:
    """Only accounting knows; the signal is only in the queue."""
    (job,), (entry,) = recorded(case).looks()[-1], last_answer(case)

    assert (job.cancelled_by, entry.job.cancelled_by) == (None, uid)
    assert job.signal in (9, 15)
    assert entry.job.signal is None


def test_a_limit_that_is_moved_moves_the_end() -> None:
    """And with it the shares of it that are told."""
    recording = recorded("time_limit")
    looks = [look[0] for look in recording.looks()[:3]]
    limits = [job.time_limit_seconds for job in looks]
    start = looks[0].start_time or 0
    running = dataclasses.replace(recording, sections=recording.sections[:4])

    assert limits == [600, 3600, 60]
    assert [(job.expected_end or 0) - start for job in looks] == limits
    assert list(play(running).memory.alarms.values()) == [start + 30]


def test_a_suspension_moves_the_end() -> None:
    """By as long as it took, in which both sources say so."""
    before, suspended, after = (look[0] for look in recorded("suspended").looks())
    (entry,) = last_answer("suspended")

    assert suspended.state == entry.job.state == "SUSPENDED"
    assert 4 <= (after.expected_end or 0) - (before.expected_end or 0) <= 10
    assert after.time_limit_seconds == before.time_limit_seconds == 600


def test_a_base_id_is_the_raw_id_of_a_task() -> None:
    """Of the one that Slurm split off last: a raw id says nothing about the array."""
    tasks = {entry.job.job_id: entry.row["JobIDRaw"] for entry in last_answer("array")}
    (base,) = {job_id.partition("_")[0] for job_id in tasks}

    assert tasks[f"{base}_5"] == base
    assert len(set(tasks.values())) == len(tasks) == 6


def test_waiting_tasks_are_one_row_in_accounting() -> None:
    """With the limit of tasks that run at once; each of them has an entry."""
    first, *_ = recorded("array").answers()
    waiting = [entry for entry in first if entry.job.state == "PENDING"]

    tasks = [entry.job.array_task_id or 0 for entry in waiting]

    assert {entry.row["JobID"].partition("_")[2] for entry in waiting} == {f"[{tasks[0]}-5%2]"}
    assert tasks == list(range(tasks[0], 6))


def test_an_array_cancelled_while_waiting_is_the_same_tasks_in_both() -> None:
    """Row by row in the queue, one list in accounting."""
    case = "array_cancelled_while_waiting"
    in_queue = {job.job_id for job in recorded(case).looks()[-1]}
    entries = last_answer(case)

    assert {entry.job.job_id for entry in entries} == in_queue
    assert {entry.row["JobID"].partition("_")[2] for entry in entries} == {"[1,3,5,7,9,20-25%3]"}
    assert {(entry.job.state, entry.job.node_list) for entry in entries} == {("CANCELLED", None)}


def test_tasks_cancelled_while_their_array_waits_leave_no_trace() -> None:
    """Accounting still has them waiting: after two minutes it is said that nobody knows."""
    recording = recorded("tasks_cancelled_while_waiting")
    one, two = [section for section in recording.sections if section.is_a_look][1:3]
    beginning = recording.sections[: recording.sections.index(two) + 2]
    replay = play(dataclasses.replace(recording, sections=beginning))
    rows = queue.split_rows(two.out, MARKS)
    replay.wait(TRACELESS_DUE * 2, rows, [entry.job for entry in recording.answers()[0]])

    assert [job.array_task_id for job in recording.jobs(one)] == [1, 2, 3, 4, 5]
    unknown = "submitted, outcome_unknown"
    known = {f"some {n}": "submitted" if n in (1, 3) else unknown for n in range(1, 6)}
    assert stories(replay.told) == known


def test_an_array_without_tasks_is_no_job() -> None:
    """When its last tasks are cancelled, the queue shows the array under its plain id."""
    told = stories(play(recorded("tasks_cancelled_while_waiting")).told)

    assert told == {f"some {n}": "submitted, cancelled" for n in range(1, 6)}


def test_a_job_cancelled_while_held_is_among_what_ended() -> None:
    """It was never eligible, and is found by its state."""
    by_id, by_state = recorded("held_then_cancelled").answers()

    assert [entry.job for entry in by_state] == [entry.job for entry in by_id]
    assert [(entry.job.state, entry.job.node_list) for entry in by_id] == [("CANCELLED", None)]


def test_a_job_that_never_ran_was_ended_by_no_signal() -> None:
    """Its raw status is 1, which would be a SIGHUP."""
    job = last_look("deadline")["late"]

    assert (job.state, job.start_time, job.signal) == ("DEADLINE", None, None)


def test_a_het_job_is_told_with_its_components() -> None:
    """Each has its own nodes, and an id below the leader's."""
    jobs = recorded("het_job").looks()[-1]
    leader, *components = jobs
    end = play(recorded("het_job")).told[-1]

    assert [job.job_id for job in components] == [f"{leader.job_id}+{n}" for n in (1, 2)]
    assert [job.cpus for job in jobs] == [1, 2, 1]
    assert (end.job, end.components) == (leader, tuple(components))
    assert {entry.job.job_id for entry in last_answer("het_job")} == {job.job_id for job in jobs}


@pytest.mark.parametrize("case", ["requeued", "node_failed_and_requeued", "preempted_and_requeued"])
def test_a_requeue_is_a_new_run_under_the_old_id(case: str) -> None:
    """With a later submission and a count; accounting keeps both when asked for duplicates."""
    looks = [look[0] for look in recorded(case).looks()]
    earlier, later = (entry.job for entry in last_answer(case))

    assert [job.restart_count for job in looks] == [0, 1, 1, 1]
    assert len({job.job_id for job in looks}) == 1
    assert [queue.key_of(earlier), queue.key_of(later)] == [
        queue.key_of(looks[0]),
        queue.key_of(looks[-1]),
    ]
    assert earlier.submit_time < later.submit_time


@pytest.mark.parametrize(
    ("case", "name", "word"),
    [
        ("too_many_nodes", "huge", "partition"),
        ("dependency_never_satisfied", "second", "depends"),
        ("held_by_an_administrator", "blocked", "administrator"),
        ("special_exit", "special", "held"),
    ],
)
def test_what_never_starts_has_advice(case: str, name: str, word: str) -> None:
    """The reasons are spelled as this version does."""
    assert word in (stuck_advice(last_look(case)[name]) or "")


def test_an_end_without_a_time_is_not_yet_the_end() -> None:
    """Accounting that catches up knows that a job failed, and only later when and with what."""
    early, late = recorded("database_stopped").answers()

    assert [(entry.job.state, entry.job.end_time) for entry in early] == [("FAILED", None)]
    assert [(entry.job.state, entry.job.exit_code) for entry in late] == [("FAILED", 7)]
    watch = Replay(early[0].job.submit_time)
    watch.look([], [entry.job for entry in early])
    assert stories(watch.told) == {}
    watch.look([], [entry.job for entry in late])
    assert stories(watch.told) == {"unaware": "submitted, started, failed"}


def test_an_end_without_a_time_is_not_told_of_a_missing_run() -> None:
    """The same for a run that was seen: its exit code would not be the true one."""
    recording = recorded("database_stopped")
    table = next(one.out for one in recording.sections[1:] if one.is_a_look)
    watch = Replay(recording.sections[0].at)
    watch.look(queue.split_rows(table.replace("FAILED", "RUNNING"), MARKS))
    for answer in recording.answers():
        watch.now += 60
        watch.look([], [entry.job for entry in answer])

    assert watch.told[-1].job.exit_code == 7
