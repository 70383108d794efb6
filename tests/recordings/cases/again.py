"""Jobs that run more than once, or in more than one go."""

from __future__ import annotations

from tests.recordings.stage import Stage


async def requeued(stage: Stage) -> None:
    """A running job is put back by its user, and runs again."""
    job = stage.submit("again", "sleep 3", "--requeue")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.user.run("scontrol", "requeue", job)
    await stage.until(job, "PENDING")
    await stage.look()
    await stage.until_known(job, "REQUEUED")
    await stage.ask(job)
    await stage.until(job, "RUNNING")
    await stage.look()
    await stage.until(job, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "COMPLETED")
    await stage.ask(job)


async def requeued_and_held(stage: Stage) -> None:
    """A running job is put back, held, and released."""
    job = stage.submit("aside", "sleep 300", "--requeue")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.user.run("scontrol", "requeuehold", job)
    await stage.until(job, "PENDING", "REQUEUE_HOLD")
    await stage.look()
    await stage.until_known(job, "REQUEUED")
    await stage.ask(job)
    stage.user.run("scontrol", "release", job)
    await stage.look()


async def special_exit(stage: Stage) -> None:
    """A running job is put back with a call for attention."""
    job = stage.submit("special", "sleep 300", "--requeue")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.user.run("scontrol", "requeuehold", "State=SpecialExit", job)
    await stage.until(job, "SPECIAL_EXIT", "PENDING")
    await stage.look()
    await stage.until_known(job, "REQUEUED")
    await stage.ask(job)


async def node_failed_and_requeued(stage: Stage) -> None:
    """A node goes down under a job, which runs again on another."""
    job = stage.submit("tough", "sleep 3", "--requeue", "--nodelist=n4")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.cluster.scontrol("update", "node=n4", "state=down", "reason=x")
    await stage.until(job, "PENDING")
    await stage.look()
    await stage.until_known(job, "NODE_FAIL")
    await stage.ask(job)
    await stage.bring_back("n4")
    await stage.until(job, "RUNNING")
    await stage.look()
    await stage.until(job, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "COMPLETED")
    await stage.ask(job)


async def preempted_and_requeued(stage: Stage) -> None:
    """A job makes room for one of a better partition, and runs again after it."""
    job = stage.submit("patient", "sleep 5", "--requeue", "--nodelist=n4", "--exclusive")
    await stage.until(job, "RUNNING")
    await stage.look()
    urgent = stage.submit("urgent", "sleep 5", "--partition=urgent", "--nodelist=n4")
    await stage.until(urgent, "RUNNING")
    await stage.look()
    await stage.until_known(job, "PREEMPTED")
    await stage.ask(job)
    await stage.until(job, "RUNNING")
    await stage.look()
    await stage.until(job, "COMPLETED")
    await stage.look()
    await stage.until_known(job, "COMPLETED")
    await stage.ask(job)


async def suspended(stage: Stage) -> None:
    """A job is suspended for some seconds, and runs on."""
    job = stage.submit("nap", "sleep 300", "--time=10")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.cluster.scontrol("suspend", job)
    await stage.until(job, "SUSPENDED")
    await stage.look()
    await stage.until_known(job, "SUSPENDED")
    await stage.ask(job)
    await stage.pause(5)
    stage.cluster.scontrol("resume", job)
    await stage.until(job, "RUNNING")
    await stage.look()


CASES = (
    requeued,
    requeued_and_held,
    special_exit,
    node_failed_and_requeued,
    preempted_and_requeued,
    suspended,
)
