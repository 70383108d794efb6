"""Parts of Slurm that do not answer, and a cluster that is set up in another way."""

from __future__ import annotations

from tests.recordings.stage import Stage


async def database_stopped(stage: Stage) -> None:
    """Accounting does not answer while a job fails; when it is back, it catches up."""
    job = stage.submit("unaware", "sleep 1; exit 7")
    stage.cluster.stop("slurmdbd")
    try:
        await stage.until(job, "FAILED")
        await stage.look()
        await stage.ask(job, fails=True)
    finally:
        stage.cluster.start("slurmdbd")
    await stage.until_known(job, "FAILED")
    await stage.ask(job)
    await stage.pause(60)
    await stage.ask(job)


async def controller_stopped(stage: Stage) -> None:
    """The queue does not answer while a job ends; accounting does."""
    job = stage.submit("alone", "sleep 2")
    await stage.until(job, "RUNNING")
    await stage.look()
    stage.cluster.stop("slurmctld")
    try:
        await stage.look(fails=True)
        await stage.ask(job)
    finally:
        stage.cluster.start("slurmctld")
    await stage.until(job, "COMPLETED")
    await stage.look()


async def gone_before_a_look(stage: Stage) -> None:
    """The controller forgets a job two seconds after its end: nobody has seen that."""
    stage.cluster.set("MinJobAge", "2")
    seen = stage.submit("seen", "sleep 2")
    await stage.until(seen, "RUNNING")
    await stage.look()
    unseen = stage.submit("unseen", "exit 1")
    for job in (seen, unseen):
        await stage.until_forgotten(job)
    await stage.look()
    await stage.ask(seen)
    await stage.ask_what_ended()
    stage.cluster.set("MinJobAge", "300")


async def no_accounting(stage: Stage) -> None:
    """A cluster that keeps no accounts. This case is the last one: it does not undo that."""
    stage.cluster.set("AccountingStorageType", "accounting_storage/none")
    stage.cluster.stop("slurmctld")
    stage.cluster.start("slurmctld")
    await stage.ask_for_the_site()
    job = stage.submit("uncounted", "exit 1")
    await stage.until(job, "FAILED")
    await stage.look()
    await stage.ask(job, fails=True)


CASES = (database_stopped, controller_stopped, gone_before_a_look, no_accounting)
