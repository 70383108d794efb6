"""The tracker tells the true story of each run: once, in order, and nothing that is not so."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

from notifyd.slurm.tracker.look import Look
from notifyd.slurm.tracker.memory import Scope
from notifyd.slurm.tracker.patience import REQUEUE_GRACE, SUPERSEDED_GRACE
from notifyd.slurm.tracker.step import step
from notifyd.slurm.tracker.views import begin, first_step, runs_to_ask
from tests.fakes import a_job
from tests.slurm.tracker.watch import ME, Watch


def test_the_first_look_tells_nothing() -> None:
    """What was there before the daemon is known, and none of it is news."""
    watch = Watch(a_job("1", "RUNNING"), a_job("2", "FAILED"), a_job("3", "PENDING"))

    assert watch.look(a_job("1", "RUNNING"), a_job("2", "FAILED"), a_job("3", "PENDING")) == []


def test_what_is_submitted_after_the_start_is_news_at_the_first_look() -> None:
    """Between the daemon's start and its first look somebody may have submitted."""
    jobs = (a_job("1", submit_time=999), a_job("2", submit_time=1000), a_job("3"))
    look = Look(jobs=jobs, now=1_000_020)
    told = step(first_step(ME, look, since=1000.5).memory, look).transitions

    assert {transition.job.job_id for transition in told} == {"2", "3"}


def test_a_job_is_told_from_its_submission_to_its_end() -> None:
    """Each step of a life is told when it is seen, with Slurm's own times."""
    watch = Watch()

    assert watch.look(a_job("1", "PENDING")) == ["job_submitted"]
    assert watch.look(a_job("1", "RUNNING")) == ["job_started"]
    assert watch.look(a_job("1", "COMPLETING")) == []
    assert watch.look(a_job("1", "COMPLETED")) == ["job_completed"]
    assert watch.look(a_job("1", "COMPLETED")) == []
    assert watch.look() == []
    assert [told.at for told in watch.told] == [1_000_000, 1_000_010, 1_000_070]


def test_a_job_shorter_than_a_poll_still_has_its_start_and_its_end() -> None:
    """What happened between two looks is told in its order."""
    watch = Watch()

    assert watch.look(a_job("1", "FAILED")) == ["job_submitted", "job_started", "job_failed"]
    submitted, started, failed = (transition.job for transition in watch.told)
    assert (submitted.state, submitted.start_time, submitted.end_time) == ("PENDING", None, None)
    assert (started.state, started.start_time, started.end_time) == ("RUNNING", 1_000_010, None)
    assert (failed.state, failed.end_time) == ("FAILED", 1_000_070)


def test_a_job_cancelled_while_waiting_never_started() -> None:
    """Without nodes there was no start, whatever the start time says."""
    watch = Watch(a_job("1", "PENDING"))

    assert watch.look(a_job("1", "CANCELLED", node_list=None)) == ["job_cancelled"]


def test_each_terminal_state_has_its_own_event() -> None:
    """Only an explicit terminal state is an end, and each says which."""
    ends = {
        "COMPLETED": "job_completed",
        "CANCELLED": "job_cancelled",
        "FAILED": "job_failed",
        "BOOT_FAIL": "job_failed",
        "DEADLINE": "job_failed",
        "TIMEOUT": "job_timed_out",
        "OUT_OF_MEMORY": "job_out_of_memory",
        "NODE_FAIL": "job_node_failed",
        "PREEMPTED": "job_preempted",
    }
    for state, event in ends.items():
        assert Watch(a_job("1", "RUNNING")).look(a_job("1", state)) == [event]


def test_absence_says_nothing() -> None:
    """A job that is not in the queue has neither ended nor failed."""
    watch = Watch(a_job("1", "RUNNING"))

    assert [watch.look() for _ in range(19)] == [[]] * 19
    assert watch.look(a_job("1", "RUNNING")) == []
    assert watch.look(a_job("1", "COMPLETED")) == ["job_completed"]


def test_accounting_settles_what_left_the_queue() -> None:
    """An explicit terminal state in accounting is an end as good as one in the queue."""
    watch = Watch(a_job("1", "PENDING"))

    assert watch.look(records=[a_job("1", "RUNNING")]) == []
    assert watch.look(records=[a_job("1", "TIMEOUT")]) == ["job_started", "job_timed_out"]
    assert watch.look(records=[a_job("1", "TIMEOUT")]) == []


def test_accounting_is_asked_less_and_less() -> None:
    """A row that is late is asked for again after 5, 10, 20 … seconds."""
    watch = Watch(a_job("1", "RUNNING"))
    asked_at = []
    for _ in range(40):
        if runs_to_ask(watch.memory, Look(now=watch.now + 5, gone=frozenset(watch.table))):
            asked_at.append(watch.now + 5)
        watch.look(after=5)

    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses == [5, 10, 20, 40, 80]


def test_a_job_that_came_and_went_unseen_is_told_from_accounting() -> None:
    """The gap after a restart is filled with whole stories."""
    watch = Watch()
    unseen = a_job("7", "FAILED", end_time=1_000_020)

    assert watch.look(records=[unseen]) == ["job_submitted", "job_started", "job_failed"]
    assert watch.look(records=[unseen]) == []


def test_what_ended_before_the_first_look_stays_untold() -> None:
    """Accounting reaches further back than notifyd has been watching."""
    assert Watch().look(records=[a_job("7", "FAILED", end_time=999_990)]) == []


def test_two_sources_tell_an_end_once() -> None:
    """An end seen in the queue is not told again when accounting has it too."""
    watch = Watch(a_job("1", "RUNNING"))
    watch.look(a_job("1", "FAILED"))

    assert watch.look(a_job("1", "FAILED"), records=[a_job("1", "FAILED")]) == []
    assert watch.look(records=[a_job("1", "FAILED")]) == []


def test_a_requeued_job_is_one_story_with_a_new_run() -> None:
    """The id stays, the submit time is new: told as put back, then as a run of its own."""
    again = a_job("1", "PENDING", submit_time=1_000_050, restart_count=1)
    watch = Watch(a_job("1", "RUNNING"))

    assert watch.look(again) == [], "the run before is not settled yet"
    assert watch.look(again, records=[a_job("1", "REQUEUED")]) == ["job_requeued"]
    running = dataclasses.replace(again, state="RUNNING", start_time=1_000_060, node_list="n1")
    assert watch.look(running) == ["job_started"]


def test_a_requeue_says_what_ended_the_run_before() -> None:
    """Preempted and put back is no end; the cause is told with the requeue."""
    again = a_job("1", "PENDING", submit_time=1_000_050, restart_count=1)
    for cause in ("PREEMPTED", "NODE_FAIL"):
        watch = Watch(a_job("1", "PENDING"))
        told = watch.look(again, records=[a_job("1", cause)])

        assert told == ["job_started", "job_requeued"]
        assert watch.told[-1].cause == cause


def test_a_requeue_is_told_even_when_accounting_is_silent() -> None:
    """Without accounting the earlier run is let go after the grace, and order is kept."""
    again = a_job("1", "PENDING", submit_time=1_000_050, restart_count=1)
    watch = Watch(a_job("1", "RUNNING"))

    assert watch.look(again, after=1) == []
    assert watch.look(again, after=SUPERSEDED_GRACE) == ["job_requeued"]


def test_a_preempted_run_waits_for_its_return_before_it_is_an_end() -> None:
    """Accounting calls a run preempted both when it is over and when it comes back."""
    watch = Watch(a_job("1", "RUNNING"))
    preempted = [a_job("1", "PREEMPTED")]

    assert watch.look(records=preempted, after=1) == []
    assert watch.look(records=preempted, after=REQUEUE_GRACE) == ["job_preempted"]


def test_suspension_is_told_each_time() -> None:
    """A run can be suspended twice; the marks keep the two apart."""
    watch = Watch(a_job("1", "RUNNING"))
    states = ("SUSPENDED", "RUNNING", "SUSPENDED", "RUNNING")
    told = [kind for state in states for kind in watch.look(a_job("1", state))]

    assert told == ["job_suspended", "job_resumed"] * 2
    assert [transition.mark for transition in watch.told] == ["1", "1", "2", "2"]


def test_a_job_that_will_never_start_is_told_once_a_reason() -> None:
    """Waiting for resources is normal; a reason that never clears is news, once."""
    watch = Watch()
    waiting = a_job("1", "PENDING", reason="Resources")
    stuck = a_job("1", "PENDING", reason="DependencyNeverSatisfied")

    assert watch.look(waiting) == ["job_submitted"]
    assert watch.look(stuck) == ["job_stuck"]
    assert watch.look(dataclasses.replace(stuck, partition="long")) == []
    assert Watch().look(stuck) == ["job_submitted", "job_stuck"]


def test_an_unknown_state_is_kept_and_says_nothing() -> None:
    """A word that a later Slurm invents is no crash and no news."""
    watch = Watch(a_job("1", "RUNNING"))

    assert watch.look(a_job("1", "DREAMING")) == []
    assert watch.look(a_job("1", "COMPLETED")) == ["job_completed"]


def test_watching_more_users_does_not_tell_their_past() -> None:
    """Jobs that come into view because the settings changed are not new."""
    watch = Watch(a_job("1", "RUNNING"))
    jobs = (a_job("1", "FAILED"), a_job("2", "FAILED", user="bob"), a_job("3", user="bob"))
    look = Look(jobs=jobs, now=watch.now + 30)
    both = Scope(cluster="demo", users=("alice", "bob"))
    begun = begin(watch.memory, both, look)
    told = step(begun.memory, begun.look).transitions

    assert [(one.type, one.job.job_id) for one in told] == [("job_failed", "1")]


def test_whom_nobody_watches_any_more_is_let_go() -> None:
    """Their runs are not missing, and accounting is not asked about them."""
    watch = Watch(a_job("1", "RUNNING"), a_job("2", "RUNNING", user="bob"))
    look = Look(jobs=[a_job("1", "RUNNING")], now=watch.now + 30)
    both = dataclasses.replace(watch.memory, scope=Scope(cluster="demo", users=("alice", "bob")))
    begun = begin(both, ME, look)
    alone = step(begun.memory, begun.look)
    assert alone.transitions == []
    again = begin(alone.memory, Scope(cluster="demo", users=("alice", "carol")), look)
    after = step(again.memory, again.look)

    assert [key[0] for key in after.memory.runs] == ["1"]
    assert after.transitions == []


def test_another_cluster_is_a_new_beginning() -> None:
    """Its past is not told, and the old cluster's jobs are not missed there."""
    watch = Watch(a_job("1", "RUNNING"))
    look = Look(jobs=[a_job("8", "FAILED"), a_job("9", "RUNNING")], now=watch.now + 30)
    begun = begin(watch.memory, Scope(cluster="other", users=("alice",)), look)
    after = step(begun.memory, begun.look)

    assert after.transitions == []
    assert [key[0] for key in after.memory.runs] == ["9"]


def test_a_chapter_that_is_closed_is_not_told_again() -> None:
    """Accounting returns earlier runs too; what came before the run under watch is past."""
    second = a_job("1", "RUNNING", submit_time=1_000_500, restart_count=1)
    watch = Watch()
    watch.look(second)
    ended = dataclasses.replace(second, state="COMPLETED", end_time=1_000_900)
    first = a_job("1", "NODE_FAIL", end_time=1_000_499)

    assert watch.look(records=[first, ended]) == ["job_completed"]


def test_memory_survives_a_restart() -> None:
    """What is stored and loaded again is the same, whatever a job is called."""
    watch = Watch(a_job("1", "PENDING", name='a\nb|\x1f"🙂'), a_job("2", "FAILED"))
    watch.look(a_job("3", "PENDING", reason="BadConstraints"))
    before = watch.memory
    watch.restart()

    assert dataclasses.replace(watch.memory, alarms=before.alarms) == before
    assert watch.look(a_job("3", "PENDING", reason="BadConstraints")) == []


def test_a_run_that_is_done_is_forgotten_after_a_day() -> None:
    """Memory does not grow for ever; and what is still in the queue then is no news."""
    watch = Watch(a_job("1", "FAILED"))
    watch.look(a_job("1", "FAILED"), after=2 * 86400)
    assert not watch.memory.done
    watch.table = {}

    assert watch.look(a_job("1", "FAILED")) == []


def test_jobs_that_come_into_view_are_counted_and_watched() -> None:
    """They are no news; but their collections know them, and their time limits are told."""
    watch = Watch(a_job("1", "RUNNING"))
    other = a_job("2", user="bob", time_limit_seconds=1000, expected_end=1_000_600)
    look = Look(jobs=(other,), now=1_000_030)
    begun = begin(watch.memory, Scope(cluster="demo", users=("alice", "bob")), look)
    assert [one.job.job_id for one in begun.known] == ["2", "2"]
    later = step(begun.memory, Look(now=1_000_300))
    assert [one.type for one in later.transitions] == ["job_time_limit_50"]
