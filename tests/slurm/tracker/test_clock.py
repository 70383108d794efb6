"""What becomes news by the clock alone: time limits that come near, waits that last."""

from __future__ import annotations

from notifyd.model import Job
from notifyd.slurm.tracker.look import Rules
from tests.fakes import a_job
from tests.slurm.tracker.watch import START, Watch

T = int(START)


def running(limit: int = 1000, end: int = T + 1000, **changes: object) -> Job:
    """Return a job that its time limit ends at a moment."""
    return a_job("1", "RUNNING", time_limit_seconds=limit, expected_end=end, **changes)


def test_a_time_limit_is_told_as_it_comes_near_once_each() -> None:
    """At 50, 80, 90 and 100 percent, without a word from Slurm in between."""
    watch = Watch(running())
    told = {int(watch.now) - T: kinds for _ in range(40) if (kinds := watch.look(running()))}

    assert told == {
        510: ["job_time_limit_50"],
        810: ["job_time_limit_80"],
        900: ["job_time_limit_90"],
        1020: ["job_time_limit_reached"],
    }


def test_shares_that_pass_between_two_looks_are_one() -> None:
    """Only the highest is told, and none at the first look of all."""
    watch = Watch(running())
    assert watch.look(running(), after=850) == ["job_time_limit_80"]
    assert Watch(running(end=T + 50)).look(running(end=T + 50)) == []


def test_a_suspended_job_does_not_run_out_of_time() -> None:
    """Slurm puts its end off by as long as it was suspended; nothing is told meanwhile."""
    watch = Watch(running())
    suspended = a_job("1", "SUSPENDED", time_limit_seconds=1000)
    assert watch.look(suspended) == ["job_suspended"]
    assert watch.look(suspended, after=2000) == []
    later = running(end=T + 3000)
    assert watch.look(later, after=1) == ["job_resumed"]
    assert watch.look(later, after=T + 2499 - watch.now) == []
    assert watch.look(later, after=2) == ["job_time_limit_50"]


def test_a_changed_limit_counts_and_nothing_is_told_twice() -> None:
    """After `scontrol update TimeLimit` the shares are those of the new limit."""
    watch = Watch(running())
    assert watch.look(running(), after=600) == ["job_time_limit_50"]
    longer = running(limit=2000, end=T + 2000)
    assert watch.look(longer) == []
    assert watch.look(longer, after=T + 1100 - watch.now) == []
    assert watch.look(longer, after=T + 1601 - watch.now) == ["job_time_limit_80"]


def test_each_run_has_its_own_warnings() -> None:
    """And a job without a limit has none."""
    watch = Watch(running())
    watch.look(running(), after=600)
    again = running(submit_time=T + 700, end=T + 1700, restart_count=1)
    told = watch.look(again, records=[a_job("1", "REQUEUED")], after=700)
    assert told == ["job_requeued", "job_started", "job_time_limit_50"]
    assert Watch(a_job("1")).look(a_job("1"), after=1e6) == []


def test_a_restart_tells_no_share_again() -> None:
    """What was told is remembered, and the next share still comes."""
    watch = Watch(running())
    watch.look(running(), after=600)
    watch.restart()
    assert watch.look(running(), after=1) == []
    assert watch.look(running(), after=250) == ["job_time_limit_80"]


def test_a_long_wait_is_told_once_with_slurms_own_guess() -> None:
    """The guess of its start moves all the time, and is no news; the last one is told."""
    watch = Watch(rules=Rules(waiting_after=3600.0))
    waiting = [a_job("1", "PENDING", reason="Priority", estimated_start=T + n) for n in range(9)]
    assert watch.look(waiting[0]) == ["job_submitted"]
    assert watch.look(waiting[1]) == []
    watch.look(waiting[2], after=3500)
    assert watch.look(waiting[3], after=100) == ["job_waiting"]
    assert watch.told[-1].job.estimated_start is not None
    assert watch.look(waiting[4], after=1e6) == []


def test_a_wait_that_its_user_wanted_is_no_news() -> None:
    """Held, begun later, behind another job; only from when it waits for Slurm."""
    for reason in ("JobHeldUser", "BeginTime", "Dependency"):
        watch = Watch(rules=Rules(waiting_after=3600.0))
        held = a_job("1", "PENDING", reason=reason)
        assert watch.look(held) == ["job_submitted"]
        assert watch.look(held, after=7200) == []
        assert watch.look(a_job("1", "PENDING", reason="Resources")) == ["job_waiting"]
