"""The main job on a real Slurm: what happens to a job is told, once, in order, in time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live.cluster import Cluster, User
from tests.live.receivers import MailServer, WebServer

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

INTERVAL = 2
CONFIG = """
slurm: {{interval: {interval}s}}
channels:
  hook: {{type: webhook, url: "{url}", events: [all]}}
  mail: {{type: email, host: 127.0.0.1, port: {port}, from: jobs@example.org, to: me@example.org,
         batch: null}}
"""

OK = ["job_submitted", "job_started", "job_completed"]
FAILED = ["job_submitted", "job_started", "job_failed"]
CANCELLED = ["job_submitted", "job_started", "job_cancelled"]
LIMITS = [f"job_time_limit_{share}" for share in ("50", "80", "90", "reached")]
BY_DEFAULT = {"job_completed", "job_failed", "job_cancelled", "job_timed_out", "job_stuck"}
"""What a channel hears that lists no events, as far as it happens here."""
NAMES = {
    "pipe": "a|b|c",
    "newline": "first\nsecond\n4711",
    "separator": "a\x1fb\x1fc",
    "emoji": "🙂 naïve",
    "mention": "<!channel> @everyone <b>x</b>",
    "template": "{{7*7}} ${HOME} %s",
    "long": "x" * 300,
}


def submit_ten(alice: User) -> dict[str, list[str]]:
    """Submit ten jobs of different fates; return the story that each is to have."""
    failing = alice.sbatch("exit 3", NAMES["newline"])
    array = alice.sbatch('sleep 1; exit "$SLURM_ARRAY_TASK_ID"', NAMES["emoji"], "--array=0-1")
    return {
        alice.sbatch("true", NAMES["pipe"]): OK,
        failing: FAILED,
        alice.sbatch("kill -SEGV $$", NAMES["separator"]): FAILED,
        f"{array}_0": OK,
        f"{array}_1": FAILED,
        alice.sbatch("sleep 600", NAMES["mention"]): CANCELLED,
        alice.sbatch("true", NAMES["template"], "--hold"): ["job_submitted", "job_cancelled"],
        alice.sbatch("sleep 600", "too slow", "--time=1"): [*OK[:2], *LIMITS, "job_timed_out"],
        alice.sbatch("sleep 3", NAMES["long"]): OK,
        alice.sbatch("sleep 600", "put back", "--requeue"): [
            *OK[:2],
            "job_requeued",
            "job_cancelled",
        ],
        alice.sbatch("true", "never", f"--dependency=afterok:{failing}"): [
            "job_submitted",
            "job_stuck",
            "job_cancelled",
        ],
    }


def told(server: WebServer, *whats: str) -> bool:
    """Tell whether all of these have arrived: `<job id> <event type>`."""
    return {" ".join(call.what) for call in server.calls} >= set(whats)


async def test_ten_jobs_of_different_fates_are_told(
    alice: User, cluster: Cluster, web: WebServer, mail: MailServer
) -> None:
    """Every message reaches web and mail exactly once, in order per job, in time."""
    alice.write_config(CONFIG.format(interval=INTERVAL, url=web.url, port=mail.port))
    alice.start_daemon()
    stories = submit_ten(alice)
    mentioned, held, _, _, put_back, never = list(stories)[5:]
    await web.wait_for(lambda: told(web, f"{mentioned} job_started", f"{put_back} job_started"), 30)
    alice.run("scancel", mentioned, held)
    alice.run("scontrol", "requeue", put_back)
    await web.wait_for(lambda: told(web, f"{put_back} job_requeued", f"{never} job_stuck"), 30)
    alice.run("scancel", put_back, never)
    await web.wait_for(lambda: web.stories() == stories, 150)
    await web.wait_for(lambda: False, INTERVAL + 2)  # nothing more may come

    assert web.stories() == stories
    assert len({call.id for call in web.calls}) == len(web.calls), "each exactly once"
    titles = {call.what: call.event["data"]["title"] for call in web.calls}
    assert titles[held, "job_cancelled"].endswith(
        f"was cancelled by {alice.name} before it started"
    )
    late = {call.what: call.late for call in web.calls if call.late > INTERVAL + 2}
    assert not late
    ends = {job: [kind for kind in story if kind in BY_DEFAULT] for job, story in stories.items()}
    assert mail.stories() == ends
    assert len(mail.mails) == sum(map(len, ends.values()))
    happened = {call.what: call.happened for call in web.calls}
    waited = {what: at - happened[what] for what, at in mail.arrivals.items()}
    assert {what: late for what, late in waited.items() if late > INTERVAL + 2} == {}


async def test_names_arrive_as_they_were_given(
    alice: User, web: WebServer, mail: MailServer
) -> None:
    """Separators, line breaks, markup and length change nothing about the record."""
    alice.write_config(CONFIG.format(interval=1, url=web.url, port=mail.port))
    alice.start_daemon()
    jobs = {alice.sbatch("true", name): name for name in NAMES.values()}
    await web.wait_for(lambda: told(web, *(f"{job} job_completed" for job in jobs)), 40)
    heard = {call.event["subject"]: call.event["data"]["job_name"] for call in web.calls}

    assert heard == jobs
    assert all(call.event["data"]["user"] == alice.name for call in web.calls)


async def test_the_webhook_is_a_documented_cloudevent(
    alice: User, web: WebServer, mail: MailServer
) -> None:
    """Flat names, true values, and nothing that Slurm does not know."""
    alice.write_config(CONFIG.format(interval=1, url=web.url, port=mail.port))
    alice.start_daemon()
    job = alice.sbatch("sleep 1; exit 7", "train", "--time=5", "--cpus-per-task=2")
    await web.wait_for(lambda: told(web, f"{job} job_failed"), 40)
    event = next(call.event for call in web.calls if call.what == (job, "job_failed"))
    data = event["data"]

    assert (event["specversion"], event["source"]) == ("1.0", "/slurm/demo")
    assert data["title"] == f"Job {job} (train) failed: exit code 7"
    assert (data["exit_code"], data["state"], data["severity"]) == (7, "FAILED", "error")
    assert (data["cpus"], data["nodes"], data["time_limit_seconds"]) == (2, 1, 300)
    assert data["elapsed_seconds"] == data["end_time"] - data["start_time"]
    assert data["work_dir"] == str(alice.home)
    assert not {"Unknown", "None", "N/A", "(null)", None} & set(data.values())


async def test_suspension_is_told(
    alice: User, cluster: Cluster, web: WebServer, mail: MailServer
) -> None:
    """A job that an administrator suspends and resumes has both in its story."""
    alice.write_config(CONFIG.format(interval=1, url=web.url, port=mail.port))
    alice.start_daemon()
    job = alice.sbatch("sleep 600", "suspended")
    await web.wait_for(lambda: told(web, f"{job} job_started"), 30)
    cluster.scontrol("suspend", job)
    await web.wait_for(lambda: told(web, f"{job} job_suspended"), 30)
    cluster.scontrol("resume", job)
    await web.wait_for(lambda: told(web, f"{job} job_resumed"), 30)
    alice.run("scancel", job)
    await web.wait_for(lambda: told(web, f"{job} job_cancelled"), 30)

    assert web.stories()[job] == [*OK[:2], "job_suspended", "job_resumed", "job_cancelled"]


async def test_no_root_needed(alice: User, web: WebServer, mail: MailServer) -> None:
    """All of this is an ordinary user's: the process, its files, its socket, its jobs."""
    alice.write_config(CONFIG.format(interval=1, url=web.url, port=mail.port))
    daemon = alice.start_daemon()
    status = Path(f"/proc/{daemon.pid}/status").read_text()

    assert f"\nUid:\t{alice.uid}\t{alice.uid}\t" in status
    assert re.search(r"\nCapEff:\t0+\n", status)
    assert {path.owner() for path in alice.state.iterdir()} == {alice.name}
    assert {path.stat().st_mode & 0o077 for path in (alice.state, *alice.state.iterdir())} == {0}
    assert "demo" in alice.notifyd("status")
