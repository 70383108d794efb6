"""Whatever is killed or gone for a while, on a real Slurm: nothing is lost, nothing repeated."""

from __future__ import annotations

import asyncio
import signal
import socket
import time

import pytest

from tests.live.cluster import Cluster, User
from tests.live.receivers import WebServer

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CONFIG = """
slurm: {{interval: 1s}}
channels:
  hook:
    type: webhook
    url: "{url}"
    events: [all]
    retry: {{max_delay: 2s}}
"""
OK = ["job_submitted", "job_started", "job_completed"]
FAILED = ["job_submitted", "job_started", "job_failed"]
KILLS = 20


async def wait_until(moment: float) -> None:
    """Wait for a moment of the monotonic clock: the moments are what this test is about."""
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, moment - time.monotonic())


async def test_twenty_kills_lose_nothing_and_repeat_nothing(alice: User, web: WebServer) -> None:
    """kill -9 from start-up to the middle of a delivery, each time while jobs come and go.

    The receiver fails every fifth call, so that retries are under way too.
    """
    calls = iter(range(10**6))
    web.answer = lambda: 503 if next(calls) % 5 == 0 else 204
    alice.write_config(CONFIG.format(url=web.url))
    alice.start_daemon().kill()  # from here on jobs are news
    stories: dict[str, list[str]] = {}
    for number in range(KILLS):
        began = time.monotonic()
        daemon = alice.start_daemon(ready=False)
        stories[alice.sbatch("sleep 1", f"good {number}")] = OK
        stories[alice.sbatch("exit 1", f"bad {number}")] = FAILED
        await wait_until(began + 0.3 + 0.11 * number)
        daemon.kill()
        daemon.wait()
    alice.start_daemon()
    await web.wait_for(lambda: web.stories() == stories, 60)
    await web.wait_for(lambda: False, 4)  # nothing more may come

    assert web.stories() == stories
    ids = {
        call.what: {other.id for other in web.calls if other.what == call.what}
        for call in web.calls
    }
    assert {what: len(found) for what, found in ids.items() if len(found) > 1} == {}


async def test_a_clean_stop_loses_nothing_and_ends_in_time(alice: User, web: WebServer) -> None:
    """SIGTERM with a receiver that is down: within ten seconds, and all is told afterwards."""
    web.answer = lambda: 503
    alice.write_config(CONFIG.format(url=web.url))
    daemon = alice.start_daemon()
    job = alice.sbatch("true", "stopped")
    await web.wait_for(lambda: False, 3)
    began = time.monotonic()
    daemon.kill(signal.SIGTERM)

    assert daemon.wait() == 0
    assert time.monotonic() - began < 10
    web.answer = lambda: 204
    alice.start_daemon()
    await web.wait_for(lambda: web.stories() == {job: OK}, 20)
    assert web.stories() == {job: OK}


async def test_slurm_gone_for_a_minute_and_back(
    alice: User, cluster: Cluster, web: WebServer
) -> None:
    """An outage is no outcome: one line says so, and what happened meanwhile is told after it."""
    alice.write_config(CONFIG.format(url=web.url))
    daemon = alice.start_daemon()
    short = alice.sbatch("sleep 20; exit 1", "ends while Slurm is away")
    long = alice.sbatch("sleep 600", "goes on")
    await web.wait_for(lambda: len(web.calls) == 4, 20)
    cluster.stop("slurmctld")
    try:
        await web.wait_for(lambda: len(web.calls) > 4, 60)
        assert web.stories() == {short: OK[:2], long: OK[:2]}
        status = alice.notifyd("status")
        assert "unreachable since" in status
    finally:
        cluster.start("slurmctld")
    await web.wait_for(lambda: web.stories()[short] == FAILED, 90)

    assert web.stories() == {short: FAILED, long: OK[:2]}
    assert daemon.logged("slurm_unreachable") == 1
    assert daemon.logged("slurm_answers_again") == 1


async def test_what_came_and_went_while_the_daemon_was_away_is_told(
    alice: User, cluster: Cluster, web: WebServer
) -> None:
    """Jobs that have left the queue meanwhile are told from accounting, in their order."""
    cluster.set("MinJobAge", "2")
    try:
        alice.write_config(CONFIG.format(url=web.url))
        daemon = alice.start_daemon()
        known = alice.sbatch("sleep 2", "known before")
        await web.wait_for(lambda: len(web.calls) == 2, 20)
        daemon.kill()
        daemon.wait()
        unseen = alice.sbatch("exit 1", "never seen")
        held = alice.sbatch("true", "never started", "--hold")
        alice.run("scancel", held)
        alice.wait_for_empty_queue()
        alice.start_daemon()
        stories = {known: OK, unseen: FAILED, held: ["job_submitted", "job_cancelled"]}
        await web.wait_for(lambda: web.stories() == stories, 100)
        assert web.stories() == stories
    finally:
        cluster.set("MinJobAge", "300")


async def test_a_dead_receiver_holds_up_nobody(alice: User, web: WebServer) -> None:
    """One webhook hangs; the other is told in time."""
    with socket.create_server(("127.0.0.1", 0)) as hung:  # it takes calls, and never answers
        port = hung.getsockname()[1]
        config = CONFIG.format(url=web.url)
        config += f'  hung: {{type: webhook, url: "http://127.0.0.1:{port}/", events: [all]}}\n'
        alice.write_config(config)
        alice.start_daemon()
        job = alice.sbatch("sleep 1", "heard in time")
        await web.wait_for(lambda: web.stories() == {job: OK}, 20)

    assert web.stories() == {job: OK}
    assert max(call.late for call in web.calls) < 3
