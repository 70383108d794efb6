"""Where a case is played: jobs are submitted, things happen to them, and the client looks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

from notifyd.slurm.client import SlurmClient, SlurmError
from notifyd.slurm.settings import ClusterSettings, SlurmSettings
from tests.live.cluster import Cluster, User
from tests.recordings.calls import BYSTANDER, Call, Calls, Plain

PATIENCE = 150.0
"""Seconds in which a job does what it is waited for."""


class Stage:
    """One case at a time, on the private cluster."""

    def __init__(self, cluster: Cluster, user: User, other: User, calls: Calls) -> None:
        self.cluster = cluster
        self.user = user
        self.other = other
        self._calls = calls
        self._kept: list[Call] = []
        self.jobs: list[str] = []
        self._begun = 0
        self.client = self.a_client(user)

    def a_client(
        self, user: User, variables: dict[str, str] | None = None, on: str = ""
    ) -> SlurmClient:
        """Return a client that watches a user's jobs, and whose commands are kept."""
        settings = SlurmSettings.model_validate({**self._calls.paths, "users": [user.name]})
        environ = {"PATH": os.environ["PATH"], "HOME": "/", "SLURM_CONF": str(self.cluster.conf)}
        cluster = ClusterSettings(name=on) if on else None
        return SlurmClient(settings, environ | (variables or {}), cluster)

    async def begin(self) -> None:
        """Begin a new case with a look, before which nothing was watched."""
        # So that it knows its columns, and does not ask for them in the middle of a case.
        await self.client.runs("demo", ["1"], since=int(time.time()))
        self._calls.take()
        self._kept, self.jobs = [], []
        await asyncio.sleep(1.1)  # what the case before has left is older than this one
        self._begun = int(time.time())
        await self.look()

    def end(self) -> bytes:
        """End the case, and return its recording."""
        self.user.cancel_all()
        host = socket.gethostname().partition(".")[0]
        names = [
            (str(self.user.home), "/home/alice"),
            (str(self.cluster.folder), "/cluster"),
            (self.user.name, "alice"),
            (self.other.name, "bob"),
            (f"CANCELLED by {self.user.uid}", f"CANCELLED by {BYSTANDER}"),
            (host, "login"),
        ]
        plain = Plain(begun=self._begun, names=names, jobs=frozenset(self.jobs))
        return _columns(self._kept) + b"".join(plain.section(call) for call in self._kept)

    # --- what happens

    def submit(self, name: str, script: str = "sleep 300", *options: str) -> str:
        """Submit a job of the user's and return its id."""
        job = self.user.sbatch(script, name, f"--chdir={self.user.home}", *options)
        self.jobs.append(job)
        return job

    def belongs(self, job: str) -> None:
        """Say that a job which Slurm has made by itself is of this case."""
        self.jobs.append(job)

    def as_root(self, *command: str) -> None:
        """Run a command as root."""
        env = {**os.environ, "SLURM_CONF": str(self.cluster.conf)}
        subprocess.run(command, env=env, check=True, timeout=60)

    async def bring_back(self, node: str) -> None:
        """Let a node that is down work again; it may have come back by itself."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.cluster.scontrol("update", f"node={node}", "state=resume")
        command = ("sinfo", "-h", "-n", node, "-o", "%T")
        await self.until_true(lambda: "idle" in self._words(command))

    async def pause(self, seconds: float) -> None:
        """Let time pass, for that is what the case is about."""
        await asyncio.sleep(seconds)

    async def until_forgotten(self, job: str) -> None:
        """Wait until the queue does not know a job any more."""
        command = ("squeue", "-h", "--states=all", f"--jobs={job}", "-o", "%T")
        await self.until_true(lambda: not self._words(command))

    async def until_reason(self, job: str, reason: str) -> None:
        """Wait until a job waits for this reason."""
        command = ("squeue", "-h", f"--jobs={job}", "-o", "%r")
        await self.until_true(lambda: reason in self._words(command))

    async def until(self, job: str, *states: str) -> None:
        """Wait until the queue shows a job in one of these states."""
        command = ("squeue", "-h", "-r", "--states=all", f"--jobs={job}", "-o", "%T")
        await self.until_true(lambda: set(self._words(command)) & set(states))

    async def until_known(self, job: str, state: str) -> None:
        """Wait until accounting has a run of a job in this state."""
        whose = f"--user={self.user.name}"  # a run is known by its id before its user is
        command = ("sacct", "-n", "-X", "-P", "-D", whose, f"--jobs={job}", "-o", "State")
        await self.until_true(lambda: state in self._words(command))

    async def until_true(self, is_so: Callable[[], object]) -> None:
        """Wait for anything else."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():  # noqa: ASYNC110 - it is another process that makes it so
                await asyncio.sleep(0.1)

    def _words(self, command: tuple[str, ...]) -> list[str]:
        return self.user.run(*command, check=False).split()

    # --- what the client asks

    async def look(self, client: SlurmClient | None = None, *, fails: bool = False) -> None:
        """Look at the queue."""
        with self._keeping(fails):
            await (client or self.client).queue()

    async def ask(self, *jobs: str, fails: bool = False) -> None:
        """Ask accounting about jobs, as is done when they are missing from the queue."""
        with self._keeping(fails):
            await self.client.runs("demo", jobs, self._begun)

    async def ask_what_ended(self, *, fails: bool = False) -> None:
        """Ask accounting what has ended, as is done after a time in which nobody looked."""
        with self._keeping(fails):
            await self.client.ended("demo", self._begun)

    async def ask_for_outputs(self, *jobs: str, fails: bool = False) -> None:
        """Ask the queue about single jobs."""
        with self._keeping(fails):
            await self.client.outputs(jobs)

    async def ask_for_the_site(self) -> None:
        """Ask for the cluster's settings, and which columns accounting knows."""
        with self._keeping(fails=False):
            await self.client.site()

    @contextlib.contextmanager
    def _keeping(self, fails: bool) -> Iterator[None]:
        try:
            yield
        except SlurmError:
            if not fails:
                raise
        else:
            if fails:
                raise AssertionError("this was expected to fail")
        finally:
            self._kept += self._calls.take()


def _columns(calls: list[Call]) -> bytes:
    """Return the lines that say what the columns of the tables are."""
    asked = {b"queue": "squeue", b"accounting": "sacct"}
    lines = []
    for table, command in asked.items():
        for call in calls:
            words = [word for word in call.arguments if b"JobArrayID:\x1f" in word]
            words += [word[9:] for word in call.arguments if word.startswith(b"--format=")]
            if call.name == command and words:
                names = b" ".join(part.partition(b":")[0] for part in words[0].split(b","))
                lines.append(table + b" columns: " + names + b"\n")
                break
    return b"".join(lines)
