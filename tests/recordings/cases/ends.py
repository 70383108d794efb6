"""How jobs end."""

from __future__ import annotations

from tests.recordings.stage import Stage


async def short_job(stage: Stage) -> None:
    """A job begins and ends between two looks."""
    job = stage.submit("short", "true")
    await stage.until(job, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "COMPLETED")
    await stage.ask(job)


async def exit_codes(stage: Stage) -> None:
    """Four ways to fail, and one not to."""
    scripts = {
        "exit 0": "exit 0",
        "exit 7": "exit 7",
        "exit 200": "exit 200",
        "signal 11": "kill -SEGV $$",
        "signal 9": "kill -KILL $$",
    }
    jobs = [stage.submit(name, script) for name, script in scripts.items()]
    for job in jobs:
        await stage.until(job, "COMPLETED", "FAILED")
    await stage.look()
    for job in jobs:
        await stage.until_known(job, "COMPLETED" if job == jobs[0] else "FAILED")
    await stage.ask(*jobs)


async def failed_step(stage: Stage) -> None:
    """A step fails, the script goes on, and the job completes."""
    job = stage.submit("steps", "srun true; srun sh -c 'exit 3'; srun true")
    await stage.until(job, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "COMPLETED")
    await stage.ask(job)


async def cancelled_by_its_user(stage: Stage) -> None:
    """A running job is cancelled by whom it belongs to."""
    job = stage.submit("regret")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.user.run("scancel", job)
    await stage.until(job, "CANCELLED")
    await stage.look()
    await stage.until_known(job, "CANCELLED")
    await stage.ask(job)


async def cancelled_by_root(stage: Stage) -> None:
    """A running job is cancelled by an administrator, who ignores signals no longer than that."""
    job = stage.submit("evicted", "trap : TERM; while :; do sleep 0.2; done")
    await stage.until(job, "RUNNING")
    await stage.pause(1)  # until it has set its trap
    await stage.look()
    stage.as_root("scancel", job)
    await stage.until(job, "COMPLETING", "CANCELLED")
    await stage.look()
    await stage.until(job, "CANCELLED")
    await stage.look()
    await stage.until_known(job, "CANCELLED")
    await stage.ask(job)


async def time_limit(stage: Stage) -> None:
    """A job hits its limit, which is moved twice before."""
    job = stage.submit("long", "sleep 300", "--time=10")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.cluster.scontrol("update", f"jobid={job}", "TimeLimit=60")
    await stage.look()
    stage.user.run("scontrol", "update", f"jobid={job}", "TimeLimit=1")
    await stage.look()
    await stage.until(job, "TIMEOUT")
    await stage.look()
    await stage.until_known(job, "TIMEOUT")
    await stage.ask(job)


async def deadline(stage: Stage) -> None:
    """A job waits for a node until it cannot end before its deadline any more."""
    blocker = stage.submit("blocker", "sleep 300", "--nodelist=n4", "--exclusive")
    await stage.until(blocker, "RUNNING")
    options = ("--nodelist=n4", "--exclusive", "--time=1", "--deadline=now+65")
    job = stage.submit("late", "true", *options)
    await stage.look()
    await stage.until(job, "DEADLINE")
    await stage.look()
    await stage.until_known(job, "DEADLINE")
    await stage.ask(job)


async def node_failed(stage: Stage) -> None:
    """A node goes down under a job that may not be put back."""
    job = stage.submit("fragile", "sleep 300", "--no-requeue", "--nodelist=n4")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.cluster.scontrol("update", "node=n4", "state=down", "reason=x")
    await stage.until(job, "NODE_FAIL")
    await stage.look()
    await stage.until_known(job, "NODE_FAIL")
    await stage.ask(job)
    await stage.bring_back("n4")


async def preempted(stage: Stage) -> None:
    """A job that may not be put back makes room for one of a better partition."""
    job = stage.submit("modest", "sleep 300", "--no-requeue", "--nodelist=n4", "--exclusive")
    await stage.until(job, "RUNNING")
    await stage.look()
    urgent = stage.submit("urgent", "sleep 1", "--partition=urgent", "--nodelist=n4")
    await stage.until(job, "PREEMPTED")
    await stage.until(urgent, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "PREEMPTED")
    await stage.until_known(urgent, "COMPLETED")
    await stage.ask(job, urgent)


async def het_job(stage: Stage) -> None:
    """Three components, each with an id of its own."""
    job = stage.submit("parts", "sleep 3", "--ntasks=1", ":", "--ntasks=2", ":", "--ntasks=1")
    stage.belongs(str(int(job) + 1))
    stage.belongs(str(int(job) + 2))
    await stage.until(job, "RUNNING")
    await stage.look()
    await stage.until(job, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "COMPLETED")
    await stage.ask(job)


async def two_nodes(stage: Stage) -> None:
    """A job on two nodes, and one on two that are no neighbours."""
    jobs = [
        stage.submit("neighbours", "sleep 2", "--nodelist=n1,n2"),
        stage.submit("apart", "sleep 2", "--nodelist=n1,n3"),
    ]
    for job in jobs:
        await stage.until(job, "COMPLETED")
    await stage.look()
    for job in jobs:
        await stage.until_known(job, "COMPLETED")
    await stage.ask(*jobs)


CASES = (
    short_job,
    exit_codes,
    failed_step,
    cancelled_by_its_user,
    cancelled_by_root,
    time_limit,
    deadline,
    node_failed,
    preempted,
    het_job,
    two_nodes,
)
