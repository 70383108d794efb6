"""How jobs wait, and how some of them never run."""

from __future__ import annotations

from tests.recordings.stage import Stage


async def array(stage: Stage) -> None:
    """At most two tasks at a time; the third of them fails."""
    job = stage.submit("sweep", "sleep 2; [ $SLURM_ARRAY_TASK_ID != 3 ]", "--array=0-5%2")
    await stage.until(f"{job}_0", "RUNNING")
    await stage.until_known(job, "RUNNING")
    await stage.look()
    await stage.ask(job)
    await stage.until(f"{job}_3", "FAILED")
    await stage.look()
    for task in range(6):
        await stage.until(f"{job}_{task}", "COMPLETED", "FAILED")
    await stage.look()
    await stage.until_known(f"{job}_5", "COMPLETED")
    await stage.until_known(f"{job}_4", "COMPLETED")
    await stage.ask(job)


async def array_cancelled_while_waiting(stage: Stage) -> None:
    """The whole of an array is cancelled before any task of it began."""
    job = stage.submit("never", "true", "--hold", "--array=1-9:2,20-25%3")
    await stage.look()
    stage.user.run("scancel", job)
    await stage.until(f"{job}_1", "CANCELLED")
    await stage.look()
    await stage.until_known(job, "CANCELLED")
    await stage.ask(job)


async def tasks_cancelled_while_waiting(stage: Stage) -> None:
    """Tasks are cancelled one after the other while their array still waits."""
    job = stage.submit("some", "true", "--hold", "--array=1-5")
    await stage.until_known(job, "PENDING")
    await stage.look()
    stage.user.run("scancel", f"{job}_2", f"{job}_[4-5]")
    await stage.pause(3)
    await stage.look()
    await stage.ask(job)
    await stage.ask_what_ended()
    stage.user.run("scancel", f"{job}_1", f"{job}_3")
    await stage.pause(3)
    await stage.look()
    await stage.ask(job)


async def held_then_cancelled(stage: Stage) -> None:
    """A held job is cancelled."""
    job = stage.submit("held", "true", "--hold")
    await stage.look()
    stage.user.run("scancel", job)
    await stage.until(job, "CANCELLED")
    await stage.look()
    await stage.until_known(job, "CANCELLED")
    await stage.ask(job)
    await stage.ask_what_ended()


async def held_by_an_administrator(stage: Stage) -> None:
    """Somebody else decides that a job may not start."""
    job = stage.submit("blocked", "true", "--begin=now+1hour")
    await stage.look()
    stage.cluster.scontrol("hold", job)
    await stage.look()


async def dependency_never_satisfied(stage: Stage) -> None:
    """What a job depends on has failed."""
    first = stage.submit("first", "exit 1")
    job = stage.submit("second", "true", f"--dependency=afterok:{first}")
    await stage.until(first, "FAILED")
    await stage.until_reason(job, "DependencyNeverSatisfied")
    await stage.look()
    await stage.until_known(first, "FAILED")
    await stage.until_known(job, "PENDING")
    await stage.ask(first, job)


async def begins_later(stage: Stage) -> None:
    """A job may not begin before an hour is over; it has a limit of two days and more."""
    job = stage.submit("tomorrow", "true", "--begin=now+1hour", "--time=2-03:04:00")
    await stage.until_reason(job, "BeginTime")
    await stage.look()
    await stage.until_known(job, "PENDING")
    await stage.ask(job)


async def too_many_nodes(stage: Stage) -> None:
    """A job asks for more nodes than there are, and for no time limit."""
    job = stage.submit("huge", "true", "--nodes=9")
    await stage.until_reason(job, "PartitionNodeLimit")
    await stage.look()
    await stage.until_known(job, "PENDING")
    await stage.ask(job)


async def limits(stage: Stage) -> None:
    """A limit of a minute, of a day and more, and none at all."""
    jobs = [
        stage.submit("minute", "sleep 300", "--time=1"),
        stage.submit("days", "sleep 300", "--time=1-12:00:00"),
        stage.submit("none", "sleep 300"),
        stage.submit("of the partition", "sleep 300", "--partition=short"),
    ]
    for job in jobs:
        await stage.until(job, "RUNNING")
    await stage.look()
    for job in jobs:
        await stage.until_known(job, "RUNNING")
    await stage.ask(*jobs)


async def partition_moved(stage: Stage) -> None:
    """A job that waits for either of two partitions is moved into one, and runs there."""
    job = stage.submit("mover", "sleep 2", "--hold", "--partition=debug,short")
    await stage.look()
    stage.user.run("scontrol", "update", f"jobid={job}", "partition=short")
    await stage.look()
    stage.user.run("scontrol", "release", job)
    await stage.until(job, "RUNNING")
    await stage.look()
    await stage.until(job, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "COMPLETED")
    await stage.ask(job)


async def renamed(stage: Stage) -> None:
    """A job gets another name and another comment while it runs."""
    job = stage.submit("before", "sleep 300", "--comment=one")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.user.run("scontrol", "update", f"jobid={job}", "name=after", "comment=two")
    await stage.look()
    stage.user.run("scancel", job)
    await stage.until(job, "CANCELLED")
    await stage.look()
    await stage.until_known(job, "CANCELLED")
    await stage.ask(job)


CASES = (
    array,
    array_cancelled_while_waiting,
    tasks_cancelled_while_waiting,
    held_then_cancelled,
    held_by_an_administrator,
    dependency_never_satisfied,
    begins_later,
    too_many_nodes,
    limits,
    partition_moved,
    renamed,
)
