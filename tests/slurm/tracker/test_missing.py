"""A run that is not in the queue any more: what is known of it is told, and nothing else."""

from __future__ import annotations

import dataclasses

from notifyd.slurm.tracker.look import Rules
from tests.fakes import a_job
from tests.slurm.tracker.watch import Watch


def looks(watch: Watch, seconds: float, *records: object) -> list[str]:
    """Look every half minute at an empty queue, and return all that was told."""
    return [
        kind
        for _ in range(int(seconds // 30))
        for kind in watch.look(records=records)  # type: ignore[arg-type]
    ]


def test_a_silent_database_is_waited_for_and_then_it_is_said() -> None:
    """After ten minutes: it has left the queue, and its outcome is not known yet. Once."""
    watch = Watch(a_job("1", "RUNNING"))
    assert looks(watch, 570) == []
    assert looks(watch, 86400) == ["job_outcome_unknown"]
    assert watch.look(records=[a_job("1", "FAILED")]) == ["job_failed"]
    assert watch.told[-1].corrects


def test_a_row_that_runs_for_ever_is_not_alive() -> None:
    """The database may have missed an end; only the queue says that a job runs."""
    watch = Watch(a_job("1", "RUNNING"))
    assert looks(watch, 7200, a_job("1", "RUNNING")) == ["job_outcome_unknown"]


def test_a_task_cancelled_while_its_array_waits_leaves_no_trace() -> None:
    """It is said soon, for nothing more will ever be known; the other tasks are not touched."""
    tasks = [
        a_job(f"6_{n}", "PENDING", array_job_id="6", array_task_id=n, reason="JobHeldUser")
        for n in range(4)
    ]
    watch = Watch(*tasks)
    row = [a_job("6_2", "PENDING", array_job_id="6", array_task_id=2)]
    told = [
        kind for _ in range(40) for kind in watch.look(tasks[0], tasks[1], tasks[3], records=row)
    ]

    assert told == ["job_outcome_unknown"]
    assert watch.told[0].job.job_id == "6_2"
    assert watch.told[0].at == watch.memory.missing["6_2", 1_000_000].since


def test_without_accounting_the_unknown_is_said_within_minutes() -> None:
    """There is nobody to ask; what the queue shows in time is told as ever."""
    watch = Watch(a_job("1"), a_job("2"), rules=Rules(accounting=False))
    assert watch.look(a_job("1", "FAILED")) == ["job_failed"]
    assert looks(watch, 120) == ["job_outcome_unknown"]


def test_without_accounting_a_requeue_waits_for_nobody() -> None:
    """The new run in the queue is all that there is to know of the old one."""
    watch = Watch(a_job("1"), rules=Rules(accounting=False))
    assert watch.look(a_job("1", "PENDING", submit_time=1_000_050, restart_count=1)) == [
        "job_requeued"
    ]


def test_a_job_that_comes_back_was_only_away() -> None:
    """A controller that starts from an older state shows it again; its story goes on."""
    watch = Watch(a_job("1", "RUNNING"))
    assert looks(watch, 1200) == ["job_outcome_unknown"]
    assert watch.look(a_job("1", "RUNNING")) == []
    assert watch.look(a_job("1", "COMPLETED")) == ["job_completed"]


def test_a_reused_id_is_another_job() -> None:
    """Ids begin anew at MaxJobId; the time of submission tells the two apart."""
    watch = Watch(a_job("1", "RUNNING"))
    assert watch.look(a_job("1", "COMPLETED")) == ["job_completed"]
    other = a_job("1", "PENDING", submit_time=1_009_000, restart_count=0)
    assert watch.look(other, records=[a_job("1", "COMPLETED")]) == ["job_submitted"]


def test_scrontab_jobs_keep_their_id_and_each_cycle_is_a_run() -> None:
    """It ends, and begins to wait again under its id: each end is told, no submission is."""
    watch = Watch()
    first = a_job("9", "COMPLETED", end_time=1_000_070)
    assert watch.look(first) == ["job_submitted", "job_started", "job_completed"]
    waits = a_job("9", "PENDING", submit_time=1_000_071, reason="BeginTime", restart_count=0)
    assert watch.look(waits, records=[first]) == []
    second = dataclasses.replace(
        waits, state="FAILED", start_time=1_000_100, end_time=1_000_110, node_list="n1"
    )
    assert watch.look(second) == ["job_started", "job_failed"]


def test_a_revoked_sibling_says_nothing() -> None:
    """In a federation another cluster runs the job; here it neither failed nor was lost."""
    watch = Watch(a_job("67108865", "PENDING"))
    assert watch.look(a_job("67108865", "REVOKED", node_list=None)) == []
    assert looks(watch, 86400) == []


def test_a_het_job_is_told_through_its_leader() -> None:
    """Once, with its components; they have no story of their own."""
    watch = Watch()
    parts = [a_job("12", "PENDING"), a_job("12+1", "PENDING"), a_job("12+2", "PENDING")]
    assert watch.look(*parts) == ["job_submitted"]
    ended = [dataclasses.replace(part, state="RUNNING", node_list="n1") for part in parts]
    assert watch.look(*ended) == ["job_started"]
    assert [job.job_id for job in watch.told[-1].components] == ["12+1", "12+2"]
    records = [a_job("12", "COMPLETED"), a_job("12+1", "FAILED"), a_job("12+2", "COMPLETED")]
    assert watch.look(records=records) == ["job_completed"]
    assert [job.state for job in watch.told[-1].components] == ["FAILED", "COMPLETED"]


def test_a_base_id_that_is_also_a_tasks_own_id_is_no_array() -> None:
    """Slurm gives one task the array's id; `36` in a table is never the whole array."""
    tasks = [a_job(f"36_{n}", "RUNNING", array_job_id="36", array_task_id=n) for n in (1, 2, 3)]
    watch = Watch(*tasks)
    ended = dataclasses.replace(tasks[2], state="COMPLETED", end_time=1_000_070)
    assert watch.look(tasks[0], tasks[1], records=[ended]) == ["job_completed"]
    assert watch.told[-1].job.job_id == "36_3"


def test_states_that_flap_say_nothing() -> None:
    """Resizing, signalling, stopped, configuring, completing: none of them is news."""
    watch = Watch(a_job("1", "RUNNING"))
    for state in ("RESIZING", "SIGNALING", "STOPPED", "COMPLETING", "STAGE_OUT", "DREAMING"):
        assert watch.look(a_job("1", state)) == []
    assert watch.look(a_job("1", "TIMEOUT", exit_code=0)) == ["job_timed_out"]


def test_a_job_that_needs_its_user_is_told() -> None:
    """A special exit or a requeue on hold lasts until somebody releases it."""
    watch = Watch(a_job("1", "PENDING"))
    assert watch.look(a_job("1", "SPECIAL_EXIT", start_time=None, node_list=None)) == ["job_stuck"]
    assert watch.look(a_job("1", "PENDING", reason="job requeued in held state")) == ["job_stuck"]


def test_what_happened_is_told_by_its_time() -> None:
    """After an outage the stories of several jobs come in the order in which they happened."""
    watch = Watch()
    early = a_job("2", "FAILED", submit_time=1_000_001, start_time=1_000_003, end_time=1_000_004)
    late = a_job("1", "FAILED", submit_time=1_000_002, start_time=1_000_005, end_time=1_000_006)
    watch.look(late, early)
    assert [(told.job.job_id, told.at) for told in watch.told] == [
        ("2", 1_000_001),
        ("1", 1_000_002),
        ("2", 1_000_003),
        ("2", 1_000_004),
        ("1", 1_000_005),
        ("1", 1_000_006),
    ]


def test_a_run_that_leaves_while_it_waits_for_an_earlier_one_is_not_lost() -> None:
    """The database knows neither end yet; both are asked about, and told in their order."""
    watch = Watch(a_job("1", "RUNNING"))
    second = a_job("1", "RUNNING", submit_time=1_000_050, restart_count=1)
    assert watch.look(second, after=1) == []
    assert watch.look(after=1) == []
    ends = [a_job("1", "REQUEUED"), dataclasses.replace(second, state="FAILED", end_time=1_000_060)]
    assert watch.look(records=ends, after=10) == ["job_requeued", "job_started", "job_failed"]


def test_what_is_followed_by_another_run_has_ended_all_the_same() -> None:
    """A job of scrontab fails while the database is down: its next run waits for nobody, and
    the end is told as unknown, and corrected later.
    """
    watch = Watch(a_job("9", "RUNNING", restart_count=0))
    again = a_job("9", "PENDING", submit_time=1_000_500, restart_count=0)
    assert watch.look(again) == []
    told = [kind for _ in range(5) for kind in watch.look(again)]
    assert told[0] == "job_outcome_unknown"
    assert watch.look(again, records=[a_job("9", "FAILED", restart_count=0)]) == ["job_failed"]
    assert watch.told[-1].corrects


def test_nothing_is_let_go_without_a_word() -> None:
    """Also when nobody watched in the meantime, and the database is silent now."""
    watch = Watch(a_job("1", "PENDING"))
    assert watch.look() == []
    assert watch.look(after=25 * 3600, asked=False) == ["job_outcome_unknown"]


def test_an_old_end_that_is_told_late_is_told_once() -> None:
    """After three days away the gap is asked about twice."""
    watch = Watch()
    old = a_job("5", "FAILED", end_time=1_000_500)
    watch.look(after=3 * 86400, records=[old])
    assert [told.type for told in watch.told] == ["job_submitted", "job_started", "job_failed"]
    assert watch.look(after=60, records=[old]) == []


def test_an_end_without_its_time_is_not_believed_at_once() -> None:
    """A database that has just come back knows the state before the exit code."""
    watch = Watch(a_job("1", "RUNNING"))
    half = a_job("1", "FAILED", end_time=None, exit_code=0)
    assert watch.look(records=[half]) == []
    assert watch.look(records=[a_job("1", "FAILED", exit_code=7)]) == ["job_failed"]
    assert watch.told[-1].job.exit_code == 7
