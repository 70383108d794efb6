"""The only place that starts a Slurm process.

Every call has a hard time-out, an environment of its own, and one of two ends: the whole
answer, or SlurmError. Half an answer is never handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifyd.model import Job
from notifyd.slurm import parse
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.states import END_EVENTS

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LD_LIBRARY_PATH", "SLURM_CONF", "SLURM_JWT", "TMPDIR")
_BATCH = 500
"""Job ids in one call: a list of thousands can be longer than an argument may be."""

_DEFAULT_MIN_JOB_AGE = 300
_SETTING = re.compile(r"^(\w+)\s*=\s*(.*?)\s*$", re.MULTILINE)


class SlurmError(Exception):
    """Slurm gave no whole answer. The text says which command and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the daemon needs to know of the cluster (`scontrol show config`)."""

    cluster: str
    min_job_age: int = _DEFAULT_MIN_JOB_AGE
    """Seconds that an ended job stays in `squeue` (slurm.conf, MinJobAge)."""
    accounting: bool = True


class SlurmClient:
    """Asks `squeue`, `sacct` and `scontrol`."""

    def __init__(self, settings: SlurmSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._env = clean_environment(environ, settings.conf)
        self._users = ",".join(settings.user_names())

    async def site(self) -> Site:
        """Return the cluster's name and settings. Raises SlurmError."""
        text = await self._run([self._settings.scontrol, "show", "config"])
        config = dict(_SETTING.findall(text))
        if not config.get("ClusterName"):
            raise SlurmError("scontrol show config names no cluster")
        age = re.match(r"\d+", config.get("MinJobAge", ""))
        return Site(
            cluster=config["ClusterName"],
            min_job_age=int(age[0]) if age else _DEFAULT_MIN_JOB_AGE,
            accounting="slurmdbd" in config.get("AccountingStorageType", ""),
        )

    async def queue(self, cluster: str) -> list[Job]:
        """Return every job of the watched users that the controller knows. Raises SlurmError."""
        nonce = draw_nonce()
        command = [self._settings.squeue, "--noheader", "--array", "--states=all"]
        command += [f"--user={self._users}", "-O", parse.queue_format(nonce)]
        with _as_slurm_error("squeue"):
            return parse.parse_queue(await self._run(command), nonce, cluster)

    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Job]:
        """Return what accounting knows of these jobs, earlier runs included. Raises SlurmError."""
        found: list[Job] = []
        for start in range(0, len(job_ids), _BATCH):
            ids = ",".join(job_ids[start : start + _BATCH])
            found += await self._accounting(cluster, f"--jobs={ids}", f"--starttime=uts{since}")
        return found

    async def ended(self, cluster: str, since: int) -> list[Job]:
        """Return the runs that ended after `since` (Unix seconds). Raises SlurmError."""
        # Without --state, sacct picks by the time a job became eligible, and so misses one
        # that was cancelled while held (measured on 22.05 to 26.05).
        states = f"--state={','.join(END_EVENTS)}"
        window = (f"--starttime=uts{since}", "--endtime=now")
        return await self._accounting(cluster, states, *window)

    async def _accounting(self, cluster: str, *which: str) -> list[Job]:
        nonce = draw_nonce()
        command = [self._settings.sacct, "--allocations", "--duplicates", "--noheader", "-p"]
        command += [f"--delimiter={nonce}", f"--format={','.join(parse.ACCOUNTING_FIELDS)}"]
        command += [f"--uid={self._users}", *which]
        with _as_slurm_error("sacct"):
            return parse.parse_accounting(await self._run(command), nonce, cluster)

    async def _run(self, command: Sequence[str]) -> str:
        name = os.path.basename(command[0])
        process = await self._start(command)
        try:
            async with asyncio.timeout(self._settings.command_timeout):
                out, err = await process.communicate()
        except TimeoutError:
            limit = self._settings.command_timeout
            raise SlurmError(f"{name} gave no answer within {limit:g} s") from None
        finally:
            await _end(process)
        complaint = _last_line(err)
        # Before 23.11 sacct could fail and still exit with 0; its complaint gives it away.
        silent_failure = command[0] == self._settings.sacct and "error" in complaint.lower()
        if process.returncode != 0 or silent_failure:
            raise SlurmError(f"{name}: {complaint or f'exit status {process.returncode}'}")
        return out.decode("utf-8", "replace")

    async def _start(self, command: Sequence[str]) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._env,
                start_new_session=True,
            )
        except OSError as error:
            raise SlurmError(f"{command[0]} cannot be run: {error.strerror}") from error


def draw_nonce() -> str:
    """Return a mark that nobody knows beforehand. A leading digit would be read as a width."""
    return "m" + secrets.token_hex(8)


def clean_environment(environ: Mapping[str, str], conf: str | None = None) -> dict[str, str]:
    """Return an environment in which nothing of the user's changes what Slurm prints.

    `SQUEUE_STATES`, `SACCT_FORMAT` and their kin silently shrink or reshape a table.
    """
    env = {name: environ[name] for name in _KEPT if name in environ}
    if conf:
        env["SLURM_CONF"] = conf
    return env | {"LC_ALL": "C.UTF-8", "SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0"}


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing behind: a hung command and its children are killed and reaped."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # A process that hangs in the kernel (a dead file server) cannot even be killed.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await process.wait()


def _last_line(raw: bytes) -> str:
    lines = [line.strip() for line in raw.decode("utf-8", "replace").splitlines() if line.strip()]
    return "".join(c if c.isprintable() else " " for c in lines[-1])[:200] if lines else ""


@contextlib.contextmanager
def _as_slurm_error(name: str) -> Iterator[None]:
    try:
        yield
    except parse.ParseError as error:
        raise SlurmError(f"{name}: {error}") from error
