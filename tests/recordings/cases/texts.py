"""What users write freely, and what they set in their shells."""

from __future__ import annotations

from tests.recordings.stage import Stage

NAMES = (
    "new\nline|pipe\ttab",
    "us\x1f`q` \\b",
    'say "hi"',
    "bad\udcff utf-8",
    "<!channel> $(x) 🎉",
    " blanks ",
    "%j %u [1-3]",
)


async def odd_texts(stage: Stage) -> None:
    """Names, comments, accounts and folders with all that could be taken for something else."""
    folder = stage.user.home / "a | folder\nwith \x1f, \udcff"
    stage.user.run("mkdir", str(folder))
    for name in NAMES:
        options = (f"--comment={name}", f"--account={name}", f"--chdir={folder}")
        await stage.until(stage.submit(name, "true", *options), "COMPLETED")
    await stage.look()
    for job in stage.jobs:
        await stage.until_known(job, "COMPLETED")
    await stage.ask(*stage.jobs)


async def variables_of_the_user(stage: Stage) -> None:
    """What users set to see other tables does not reach the commands."""
    stage.submit("plain", "sleep 300", "--hold")
    await stage.look()
    set_by_user = {
        "SQUEUE_STATES": "RUNNING",
        "SQUEUE_FORMAT": "%i",
        "SQUEUE_NAMES": "other",
        "SACCT_FORMAT": "jobid",
        "SLURM_TIME_FORMAT": "relative",
        "TZ": "America/New_York",
    }
    await stage.look(stage.a_client(stage.user, set_by_user))


async def cluster_by_name(stage: Stage) -> None:
    """The cluster is named, as where there are several."""
    stage.submit("plain", "sleep 300", "--hold")
    await stage.look(stage.a_client(stage.user, on="demo"))


async def nothing(stage: Stage) -> None:
    """A user without any job."""
    await stage.look(stage.a_client(stage.other))
    await stage.ask_what_ended()


async def unknown_id(stage: Stage) -> None:
    """The queue and accounting are asked about an id that nobody has."""
    await stage.ask_for_outputs("999999", fails=True)
    await stage.ask("999999")


async def site(stage: Stage) -> None:
    """The cluster's settings, and the columns that accounting knows."""
    await stage.ask_for_the_site()
    await stage.ask("999999")


CASES = (odd_texts, variables_of_the_user, cluster_by_name, nothing, unknown_id, site)
