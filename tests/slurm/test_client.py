"""The client hands on whole answers or an error, from an environment of its own."""

from __future__ import annotations

import os
import pwd
import select
import stat
from pathlib import Path

import pytest

from notifyd.slurm.client import SlurmClient, SlurmError, clean_environment
from notifyd.slurm.settings import SlurmSettings


def a_command(folder: Path, name: str, script: str) -> str:
    """Put a stand-in for a Slurm command into a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def a_client(folder: Path, script: str, timeout: float = 30.0) -> SlurmClient:
    """Return a client whose every command is the script."""
    paths = {name: a_command(folder, name, script) for name in ("squeue", "sacct", "scontrol")}
    settings = SlurmSettings.model_validate({**paths, "command_timeout": timeout})
    return SlurmClient(settings, {"PATH": os.environ["PATH"]})


async def test_a_failed_command_says_which_and_why(tmp_path: Path) -> None:
    """The last line of its complaint is passed on, clean of control characters."""
    client = a_client(tmp_path, "echo 'squeue: error: no \033[31mcontroller' >&2; exit 1")
    with pytest.raises(SlurmError, match=r"squeue: squeue: error: no  \[31mcontroller"):
        await client.queue()


async def test_a_hung_command_is_killed_with_its_children(tmp_path: Path) -> None:
    """It counts as no answer, and leaves no process behind."""
    client = a_client(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child; wait", timeout=0.5)
    with pytest.raises(SlurmError, match=r"no answer within 0\.5 s"):
        await client.queue()

    assert _is_gone(int((tmp_path / "child").read_text()), within=5)


def _is_gone(pid: int, within: float) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([process], [], [], within)
    os.close(process)
    return bool(ended)


async def test_half_a_table_is_an_error(tmp_path: Path) -> None:
    """A table that does not end where it should is never taken for the queue."""
    with pytest.raises(SlurmError, match="cut short"):
        await a_client(tmp_path, "echo 4711").queue()


async def test_a_missing_command_is_an_error(tmp_path: Path) -> None:
    """Not every machine has Slurm."""
    settings = SlurmSettings(squeue=str(tmp_path / "nowhere"))
    with pytest.raises(SlurmError, match="nowhere cannot be run: No such file"):
        await SlurmClient(settings, {}).queue()


async def test_sacct_that_complains_and_exits_well_is_not_believed(tmp_path: Path) -> None:
    """Before 23.11 sacct could fail with exit status 0."""
    client = a_client(tmp_path, "echo 'sacct: error: Problem talking to the database' >&2")
    with pytest.raises(SlurmError, match="Problem talking"):
        await client.ended("demo", 0)


async def test_an_empty_queue_is_a_queue(tmp_path: Path) -> None:
    """Nothing printed and exit status 0 is a whole answer."""
    assert await a_client(tmp_path, "exit 0").queue() == []


async def test_one_call_asks_for_everything(tmp_path: Path) -> None:
    """Filtered by the controller for one user, with every state, task by task."""
    client = a_client(tmp_path, f'printf "%s\\n" "$@" >> {tmp_path}/calls')
    await client.queue()
    arguments = (tmp_path / "calls").read_text().splitlines()

    assert {"--array", "--states=all", f"--user={pwd.getpwuid(os.getuid()).pw_name}"} <= set(
        arguments
    )


async def test_many_ids_are_asked_for_in_one_call(tmp_path: Path) -> None:
    """Never a call per job; what the site knows is asked once."""
    client = a_client(tmp_path, f'echo "$@" >> {tmp_path}/calls')
    await client.runs("demo", [str(n) for n in range(500)], since=1)
    calls = (tmp_path / "calls").read_text().splitlines()

    assert calls[0] == "--helpformat"
    assert [f"--jobs={','.join(map(str, range(500)))}" in call for call in calls[1:]] == [True]


async def test_the_cluster_is_asked_for_its_settings(tmp_path: Path) -> None:
    """Its name, how long ended jobs stay in the queue, and whether there is accounting."""
    config = "AccountingStorageType   = accounting_storage/slurmdbd\\nClusterName  = c1\\n"
    client = a_client(tmp_path, f"printf '{config}MinJobAge  = 42 sec\\n'")
    site = await client.site()

    assert (site.cluster, site.min_job_age, site.accounting) == ("c1", 42, True)


def test_nothing_of_the_users_changes_what_slurm_prints() -> None:
    """Variables that shrink or reshape a table do not reach the commands."""
    shaping = ("SQUEUE_STATES", "SQUEUE_FORMAT", "SACCT_FORMAT", "SLURM_CLUSTERS", "LANG", "TZ")
    env = clean_environment(dict.fromkeys(shaping, "x") | {"SLURM_CONF": "/etc/s.conf"})

    assert not set(shaping) & set(env)
    assert env["SLURM_TIME_FORMAT"] == "%s"
    assert env["SLURM_CONF"] == "/etc/s.conf"
