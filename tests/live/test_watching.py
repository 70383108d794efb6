"""What is told of the stranger lives of jobs, on a real Slurm."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.live.cluster import Cluster, User
from tests.live.receivers import WebServer

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CONFIG = """
slurm: {{interval: 1s, output_tail: 5 {more}}}
channels:
  hook: {{type: webhook, url: "{url}", events: [all]}}
"""
START = ["job_submitted", "job_started"]


def configure(user: User, web: WebServer, more: str = "") -> None:
    """Tell everything to the web server."""
    user.write_config(CONFIG.format(url=web.url, more=f", {more}" if more else ""))


async def test_an_outage_of_the_database_loses_no_end(
    alice: User, cluster: Cluster, web: WebServer
) -> None:
    """Jobs that end and leave the queue meanwhile are told when it answers again."""
    cluster.set("MinJobAge", "2")
    try:
        configure(alice, web)
        daemon = alice.start_daemon()
        job = alice.sbatch("sleep 8; exit 3", "ends unseen")
        await web.wait_for(lambda: web.stories() == {job: START}, 20)
        daemon.kill()
        cluster.stop("slurmdbd")
        try:
            await asyncio.to_thread(alice.wait_for_empty_queue)
            daemon = alice.start_daemon()
            await asyncio.to_thread(daemon.wait_for_log, "accounting_unreachable")
            assert web.stories() == {job: START}, "absence is no end"
        finally:
            cluster.start("slurmdbd")
        await web.wait_for(lambda: web.stories() == {job: [*START, "job_failed"]}, 90)
        assert web.stories() == {job: [*START, "job_failed"]}
        assert web.last(job)["exit_code"] == 3
        assert daemon.logged("accounting_answers_again") == 1
    finally:
        cluster.set("MinJobAge", "300")


async def test_a_requeue_and_a_dead_node_are_chapters_of_one_story(
    alice: User, cluster: Cluster, web: WebServer
) -> None:
    """The id stays, each run is told, and no requeue is an end."""
    configure(alice, web)
    alice.start_daemon()
    moved = alice.sbatch("sleep 600", "put back", "--requeue", "--nodelist=n1")
    lost = alice.sbatch("sleep 600", "loses its node", "--no-requeue", "--nodelist=n4")
    await web.wait_for(lambda: web.stories() == {moved: START, lost: START}, 30)
    cluster.scontrol("requeue", moved)
    # It comes back by itself: its slurmd has not noticed.
    cluster.scontrol("update", "nodename=n4", "state=down", "reason=test")
    stories = {moved: [*START, "job_requeued"], lost: [*START, "job_node_failed"]}
    await web.wait_for(lambda: web.stories() == stories, 60)
    assert web.stories() == stories
    assert web.last(moved)["restart_count"] == 1
    alice.run("scancel", moved)
    await web.wait_for(lambda: web.stories()[moved][-1] == "job_cancelled", 30)
    assert web.stories()[moved] == [*START, "job_requeued", "job_cancelled"]
    assert web.last(moved)["cancelled_by"] == alice.name


async def test_an_end_says_why_and_what_it_used(alice: User, web: WebServer) -> None:
    """The last line of the traceback, failed steps, memory, and the end of the output."""
    configure(alice, web)
    alice.start_daemon()
    out = alice.home / "out-%j.txt"
    script = "python3 -c \"raise ValueError('bad shape')\""
    failed = alice.sbatch(script, "traceback", f"--output={out}")
    inside = alice.sbatch("srun sh -c 'exit 3'; true", "step fails", f"--output={out}")
    await web.wait_for(lambda: len(web.ended()) == 2, 60)

    assert "ValueError: bad shape" in str(web.last(failed)["hint"])
    assert str(web.last(failed)["output"]).splitlines()[-1] == "ValueError: bad shape"
    assert web.last(failed)["stdout"] == str(alice.home / f"out-{failed}.txt")
    assert web.stories()[inside][-1] == "job_completed"
    assert "exit code 3" in str(web.last(inside)["failed_steps"])


async def test_a_large_array_is_one_story(alice: User, web: WebServer) -> None:
    """Submitted, started, half done, the first failure, the end with its counts."""
    configure(alice, web)
    alice.start_daemon()
    # What ends in one look with the rest has no story of its own: the last waits for it.
    last = "[ $SLURM_ARRAY_TASK_ID -lt 12 ] || until [ -e go ]; do sleep 0.2; done"
    array = alice.sbatch(f"{last}; [ $SLURM_ARRAY_TASK_ID -ne 7 ]", "sweep", "--array=1-12")
    await web.wait_for(lambda: "collection_failed" in web.stories().get(array, []), 60)
    alice.run("touch", "go")
    await web.wait_for(lambda: web.stories()[array][-1] == "collection_completed", 60)

    told = web.stories()[array]
    assert list(web.stories()) == [array]
    assert told[:2] == START
    assert told.count("collection_failed") == 1
    assert web.last(array)["outcomes"] == "11 ok · 1 failed (7)"
    assert web.last(array)["total"] == 12


async def test_jobs_of_a_comment_are_one_story(alice: User, web: WebServer) -> None:
    """`--comment=notifyd:NAME` needs no configuration; a command shows how far it is."""
    configure(alice, web, "collections: {other: {name: x, settle: 1s}}")
    alice.start_daemon()
    jobs = [alice.sbatch("sleep 2", f"part {n}", "--comment=notifyd:paper") for n in range(3)]
    await web.wait_for(lambda: len(web.stories()) > 0, 10)
    assert "paper" in alice.notifyd("collection", "list")
    alice.notifyd("collection", "add", "paper", "--name", "part*")
    await web.wait_for(lambda: "collection_completed" in web.stories().get("paper", []), 120)

    assert not set(jobs) & set(web.stories())
    assert web.last("paper")["outcomes"] == "3 ok"


async def test_a_het_job_is_told_once(alice: User, web: WebServer) -> None:
    """Through its leader, with the components."""
    configure(alice, web)
    alice.start_daemon()
    command = ["sbatch", "--parsable", "--output=/dev/null", "-n1", ":", "-n1"]
    job = alice.run(*command, "--wrap=sleep 2").strip()
    await web.wait_for(lambda: web.stories() == {job: [*START, "job_completed"]}, 40)

    assert web.stories() == {job: [*START, "job_completed"]}
    assert str(web.last(job)["components"]).startswith(f"{job}+1 COMPLETED")


async def test_tasks_that_leave_no_trace_are_told_as_what_they_are(
    alice: User, web: WebServer
) -> None:
    """Cancelled while their array waits: neither table ever shows an end."""
    configure(alice, web)
    alice.start_daemon()
    array = alice.sbatch("true", "held", "--array=1-3", "--hold")
    await web.wait_for(lambda: len(web.stories()) == 3, 20)
    alice.run("scancel", f"{array}_2")
    gone = ["job_submitted", "job_outcome_unknown"]
    await web.wait_for(lambda: web.stories()[f"{array}_2"] == gone, 180)

    assert web.stories()[f"{array}_2"] == gone
    assert web.stories()[f"{array}_1"] == ["job_submitted"]


async def test_a_suspended_job_keeps_its_time(
    alice: User, cluster: Cluster, web: WebServer
) -> None:
    """Slurm puts the end off; the warnings follow it."""
    configure(alice, web)
    alice.start_daemon()
    job = alice.sbatch("sleep 600", "suspended", "--time=1")
    await web.wait_for(lambda: web.stories() == {job: START}, 20)
    cluster.scontrol("suspend", job)
    told = [*START, "job_suspended"]
    await web.wait_for(lambda: web.stories() == {job: told}, 20)
    await web.wait_for(lambda: len(web.stories()[job]) > 3, 40)
    assert web.stories() == {job: told}, "half a minute of a minute has passed, but not for it"
    cluster.scontrol("resume", job)
    await web.wait_for(lambda: "job_time_limit_50" in web.stories()[job], 60)
    assert web.stories()[job] == [*told, "job_resumed", "job_time_limit_50"]


async def test_two_clusters_have_each_their_own_health(
    alice: User, cluster: Cluster, web: WebServer
) -> None:
    """One by its slurm.conf, and one that is not there."""
    missing = Path(os.devnull).parent / "no-such-slurm.conf"
    clusters = f"clusters: [{{conf: {cluster.conf}}}, {{conf: {missing}}}]"
    configure(alice, web, f"{clusters}, command_timeout: 3s")
    daemon = alice.start_daemon()
    job = alice.sbatch("sleep 1", "on the first")
    await web.wait_for(lambda: web.stories() == {job: [*START, "job_completed"]}, 30)

    assert web.stories() == {job: [*START, "job_completed"]}
    await asyncio.to_thread(daemon.wait_for_log, "slurm_unreachable")
    status = alice.notifyd("status")
    assert "demo, " in status
    assert "unreachable since" in status
