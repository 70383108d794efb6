"""The only place that starts a Slurm process.

Every call has a hard time-out, an environment of its own, and one of two ends: the whole
answer, or SlurmError. Half an answer is never handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import re
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifyd.slurm.details.usage import USAGE_FIELDS
from notifyd.slurm.settings import ClusterSettings, SlurmSettings
from notifyd.slurm.states import END_EVENTS
from notifyd.slurm.tables import queue
from notifyd.slurm.tables.accounting import (
    FIELDS,
    WHERE_KNOWN,
    Entry,
    known_fields,
    parse_accounting,
)
from notifyd.slurm.tables.cells import ParseError

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LD_LIBRARY_PATH", "SLURM_CONF", "SLURM_JWT", "TMPDIR")
_DEFAULT_MIN_JOB_AGE = 300
_SETTING = re.compile(r"^(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)


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
    """Asks `squeue`, `sacct` and `scontrol` about one cluster."""

    def __init__(
        self,
        settings: SlurmSettings,
        environ: Mapping[str, str],
        cluster: ClusterSettings | None = None,
    ) -> None:
        which = cluster or ClusterSettings()
        self._settings = settings
        self._env = clean_environment(environ, which.conf or settings.conf)
        self._on = [f"--clusters={which.name}"] if which.name else []
        self._users = ",".join(settings.user_names())
        self._fields: tuple[str, ...] = ()

    async def site(self) -> Site:
        """Return the cluster's name and settings. Raises SlurmError."""
        text = await self._run([self._settings.scontrol, *self._on, "show", "config"])
        config = dict(_SETTING.findall(text))
        if not config.get("ClusterName"):
            raise SlurmError("scontrol show config names no cluster")
        age = re.match(r"\d+", config.get("MinJobAge", ""))
        has_accounting = "slurmdbd" in config.get("AccountingStorageType", "")
        if has_accounting:
            self._fields = await self._known_fields()
        return Site(
            cluster=config["ClusterName"],
            min_job_age=int(age[0]) if age else _DEFAULT_MIN_JOB_AGE,
            accounting=has_accounting,
        )

    async def _known_fields(self) -> tuple[str, ...]:
        try:
            text = await self._run([self._settings.sacct, "--helpformat"])
        except SlurmError:
            return ()
        known = known_fields(text)
        more = (*WHERE_KNOWN, *USAGE_FIELDS)
        wanted = dict.fromkeys([*FIELDS, *(name for name in more if name in known)])
        return tuple(wanted)

    async def queue(self) -> list[str]:
        """Return every watched job that the controller knows, one text each. Raises SlurmError."""
        marks = queue.Marks(text=draw_nonce(), record=draw_nonce())
        command = [self._settings.squeue, *self._on, "--noheader", "--array", "--states=all"]
        command += [*self._whose("--user"), "-O", queue.queue_format(marks)]
        with _as_slurm_error("squeue"):
            return queue.split_rows(await self._run(command), marks)

    async def outputs(self, job_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return where jobs that are still in the queue write: stdout and stderr, as Slurm
        prints them. Only of use where accounting does not know. Raises SlurmError.
        """
        nonce = draw_nonce()
        command = [self._settings.squeue, *self._on, "--noheader", "--array", "--states=all"]
        fields = ",".join(f"{name}:{nonce}" for name in ("JobArrayID", "STDOUT", "STDERR"))
        command += [f"--jobs={','.join(job_ids)}", "-O", fields]
        cells = (await self._run(command)).split(nonce)
        rows = zip(cells[0::3], cells[1::3], cells[2::3], strict=False)
        return {job_id.strip(): (out, err) for job_id, out, err in rows}

    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Entry]:
        """Return what accounting knows of these jobs, earlier runs and steps included.

        Raises SlurmError.
        """
        # By id alone: with --user, sacct shows a run up to three seconds later (seen on 22.05).
        ids = f"--jobs={','.join(job_ids)}"
        return await self._accounting(cluster, "--allusers", ids, f"--starttime=uts{since}")

    async def ended(self, cluster: str, since: int) -> list[Entry]:
        """Return the runs that ended after `since` (Unix seconds), without their steps.

        Raises SlurmError.
        """
        # Without --state, sacct picks by the time a job became eligible, and so misses one
        # that was cancelled while held (measured on 22.05 to 26.05).
        states = f"--state={','.join(END_EVENTS)}"
        window = (f"--starttime=uts{since}", "--endtime=now")
        whose = [*self._whose("--user"), *([] if self._users else ["--allusers"])]
        found = await self._accounting(cluster, "--allocations", *whose, states, *window)
        return [dataclasses.replace(entry, whole=False) for entry in found]

    async def _accounting(self, cluster: str, *which: str) -> list[Entry]:
        fields = self._fields = self._fields or await self._known_fields()
        fields = fields or FIELDS
        nonce = draw_nonce()
        command = [self._settings.sacct, *self._on, "--duplicates", "--noheader", "-p"]
        command += [f"--delimiter={nonce}", f"--format={','.join(fields)}"]
        command += which
        with _as_slurm_error("sacct"):
            output = await self._run(command)
            # In a thread: after a long gap there may be a hundred thousand rows.
            return await asyncio.to_thread(parse_accounting, output, nonce, cluster, fields)

    def _whose(self, option: str) -> list[str]:
        """The controller itself picks one user's jobs; any other filter is the command's own."""
        accounts = ",".join(self._settings.accounts)
        chosen = [f"{option}={self._users}"] if self._users else []
        return [*chosen, *([f"--account={accounts}"] if accounts else [])]

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
    except ParseError as error:
        raise SlurmError(f"{name}: {error}") from error
