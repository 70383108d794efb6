"""The daemon as a process in a home of its own, on a machine without a Slurm."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from notifyd.client import Client

Channel = Mapping[str, Any]
"""What the configuration says of one channel."""

Channels = Mapping[str, dict[str, Any]]
"""How the daemon sees its channels, by their names."""

CONCURRENCY = 4
"""Calls that a channel has under way at once, unless it is told otherwise."""
OPENING = 5
"""Tries, one after the other, that open the breaker of a channel that nothing is known of yet."""

_LIMIT = 30.0
_LOOK = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")
_UNLIMITED = {"max_requests": 100_000, "burst": 100_000}
_PATIENT = {"initial_delay": "0.2s", "max_delay": "2s"}


def webhook(url: str, **more: object) -> Channel:
    """Return a channel that is as quick as it can be, and tries again soon."""
    return {"type": "webhook", "url": url, "rate_limit": _UNLIMITED, "retry": _PATIENT} | more


def mailing(port: int) -> Channel:
    """Return a channel that hands its mails in on this machine."""
    server = {"type": "email", "host": "127.0.0.1", "port": port, "rate_limit": _UNLIMITED}
    people = {"from": "notifyd@example.org", "to": "ada@example.org"}
    return (
        server | people | {"retry": _PATIENT, "circuit_breaker": {"timeout": "1s"}, "batch": None}
    )


class Daemon:
    """One process. It is signalled by its own id, and by nothing else."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._cpu = 0.0

    @property
    def runs(self) -> bool:
        return self.process.returncode is None

    def cpu(self) -> float:
        """Return the CPU seconds it has used; of one that is gone, up to its last signal."""
        if self.runs:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
            fields = stat.rpartition(")")[2].split()  # the name before may hold blanks (proc(5))
            self._cpu = (int(fields[11]) + int(fields[12])) / _TICKS
        return self._cpu

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal that ends it, and return its exit code."""
        self.cpu()
        if self.runs:
            self.process.send_signal(number)
        return await self.ended()

    async def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        return await self.end(signal.SIGTERM)

    async def ended(self) -> int:
        """Return its exit code when it has ended of itself."""
        async with asyncio.timeout(_LIMIT):
            return await self.process.wait()


class Home:
    """Configuration and state, and the daemons that were started on them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.state = folder / "state"
        self.log = folder / "log"
        self.environ: dict[str, str] = {}
        self.before: tuple[str, ...] = ()
        """A command that starts the daemon in its own place."""
        self.daemons: list[Daemon] = []
        self.began = 0.0
        """When the first of them was started, on the monotonic clock."""

    @property
    def client(self) -> Client:
        return Client(str(self.state / "control.sock"))

    def write(self, **channels: Channel) -> None:
        """Write the configuration; JSON is YAML."""
        path = self.folder / "config.yaml"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"channels": channels}))

    async def start(self) -> Daemon:
        """Start a daemon, and return when it says that it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.bind("")  # the kernel chooses an abstract name
            door.setblocking(False)
            daemon = await self.begin(NOTIFY_SOCKET="@" + door.getsockname()[1:].decode())
            ready = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(door, 4096))
            gone = asyncio.ensure_future(daemon.process.wait())
            await asyncio.wait({ready, gone}, timeout=_LIMIT, return_when="FIRST_COMPLETED")
            gone.cancel()
            if not ready.done():
                ready.cancel()
                raise AssertionError(f"the daemon did not start: {self.said()}")
        return daemon

    async def begin(self, **environ: str) -> Daemon:
        """Start a daemon without waiting for anything."""
        self.began = self.began or time.monotonic()
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(*self.before, sys.executable, "-m", "notifyd", "run"),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environ() | environ,
            )
        daemon = Daemon(process)
        self.daemons.append(daemon)
        return daemon

    async def refused(self) -> list[str]:
        """Start a daemon that cannot run: return its lines when it has ended with exit code 1."""
        before = len(self.said())
        daemon = await self.begin()
        assert await daemon.ended() == 1, self.said()
        lines = self.said()[before:].splitlines()
        return [line for line in lines if not line.startswith("{")]

    def said(self) -> str:
        """Return all that the daemons have logged and said."""
        return self.log.read_text() if self.log.exists() else ""

    def cpu(self) -> float:
        """Return the CPU seconds of all the daemons."""
        return sum(daemon.cpu() for daemon in self.daemons)

    async def rest(self) -> None:
        """Return when nothing is owed any more: what is told twice has then been told twice."""
        await self._until(lambda channels: not any(one["backlog"] for one in channels.values()))

    async def until_down(self, channel: str) -> float:
        """Return the Unix time when the daemon leaves a channel alone, its breaker being open."""
        await self._until(lambda channels: bool(channels[channel]["state"] == "down"))
        return time.time()

    async def trouble(self, channel: str) -> str:
        """Return why a channel fails, as soon as the daemon says so."""
        channels = await self._until(lambda channels: bool(channels[channel]["last_error"]))
        return str(channels[channel]["last_error"])

    async def _until(self, done: Callable[[Channels], bool]) -> Channels:
        return await asyncio.to_thread(self._look_until, done)

    def _look_until(self, done: Callable[[Channels], bool]) -> Channels:
        """Look at the daemon's channels until they are so. Raises TimeoutError."""
        late = time.monotonic() + _LIMIT
        while not done(channels := {one["name"]: one for one in self.client.status()["channels"]}):
            if time.monotonic() > late:
                raise TimeoutError(channels)
            time.sleep(_LOOK)
        return channels

    def _environ(self) -> dict[str, str]:
        places = {
            "HOME": str(self.folder),
            "NOTIFYD_CONFIG": str(self.folder / "config.yaml"),
            "NOTIFYD_STATE_DIR": str(self.state),
        }
        return places | {"PATH": "/nowhere", "LC_ALL": "C.UTF-8"} | self.environ


@asynccontextmanager
async def a_home(folder: Path) -> AsyncIterator[Home]:
    """Make a home, and end at last whatever runs in it."""
    home = Home(folder)
    try:
        yield home
    finally:
        for daemon in home.daemons:
            await daemon.end()
