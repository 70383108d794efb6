"""A machine of its own for each test: a home, stand-in commands, and the real `notifyd`."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from notifyd.cli.context import Context
from notifyd.client import Client, Json

_LIMIT = 30.0

SCONTROL = (
    "printf 'ClusterName = demo\\nAccountingStorageType = accounting_storage/slurmdbd\\n"
    "MinJobAge = 300 sec\\n'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Running:
    """A daemon that has said that it is ready."""

    process: asyncio.subprocess.Process
    err: str = ""
    """What it has logged after READY=1, once it has ended."""


@dataclass(frozen=True, slots=True)
class World:
    """Folders and an environment in which commands run."""

    folder: Path
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / ".config" / "notifyd" / "config.yaml"

    @property
    def state(self) -> Path:
        return self.folder / ".local" / "state" / "notifyd"

    @property
    def environ(self) -> dict[str, str]:
        path = f"{self.folder}/bin:/usr/bin:/bin"
        return {"HOME": str(self.folder), "PATH": path, "LC_ALL": "C.UTF-8"} | self.changes

    @property
    def client(self) -> Client:
        """The client of the daemon that runs here."""
        return Context.find(None, None, self.environ).client()

    async def ended(self, number: int = 1) -> list[Json]:
        """Wait until so many deliveries have ended, and return the whole history."""
        async with asyncio.timeout(_LIMIT):
            while True:
                told = await asyncio.to_thread(self.client.history, 1000)
                if sum(one["finished"] is not None for one in told) >= number:
                    return told

    async def fares(self, channel: str, state: str) -> Json:
        """Wait until a channel is in that state, and return how it is."""
        async with asyncio.timeout(_LIMIT):
            while True:
                status = await asyncio.to_thread(self.client.status)
                for one in status["channels"]:
                    if (one["name"], one["state"]) == (channel, state):
                        return dict(one)

    def command(self, name: str, script: str) -> None:
        """Put a stand-in on the PATH."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def write(self, text: str) -> None:
        """Write the configuration."""
        self.config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config.write_text(text)
        self.config.chmod(0o600)

    def environment(self, text: str) -> None:
        """Write the file that the service's unit names."""
        file = self.config.with_name("environment")
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o600)

    async def run(self, *arguments: str, given: str = "") -> Done:
        """Run `notifyd` to its end, without a terminal."""
        process = await self._start(*arguments, stdin=subprocess.PIPE)
        async with asyncio.timeout(_LIMIT):
            out, err = await process.communicate(given.encode())
        assert process.returncode is not None
        return Done(
            code=process.returncode,
            out=out.decode("utf-8", "replace"),
            err=err.decode("utf-8", "replace"),
        )

    @asynccontextmanager
    async def daemon(self, config: str) -> AsyncIterator[Running]:
        """Run a daemon, from its READY=1 on to its end by SIGTERM."""
        self.write(config)
        ready = self.folder / "ready.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.bind(str(ready))
            door.setblocking(False)
            process = await self._start("run", stdin=subprocess.DEVNULL, NOTIFY_SOCKET=str(ready))
            async with asyncio.timeout(_LIMIT):
                said = await asyncio.get_running_loop().sock_recv(door, 4096)
            assert said.startswith(b"READY=1")
            running = Running(process)
            try:
                yield running
            finally:
                process.terminate()
                async with asyncio.timeout(_LIMIT):
                    _, err = await process.communicate()
                running.err = err.decode("utf-8", "replace")
                ready.unlink()

    async def _start(self, *arguments: str, stdin: int, **more: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "notifyd", *arguments),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.environ | more,
        )

    def has_slurm(self) -> None:
        """Put stand-ins for a Slurm without jobs on the PATH."""
        self.command("scontrol", SCONTROL)
        self.command("squeue", "exit 0")
        self.command("sacct", "exit 0")

    def has_systemd(self, then: str = "exit 0") -> None:
        """Put a `systemctl` on the PATH that notes its calls and runs the script."""
        self.changes["XDG_RUNTIME_DIR"] = str(self.folder / "run")
        self.command("systemctl", f'echo "$@" >> {self.folder}/systemctl.calls\n{then}')

    @property
    def systemctl_calls(self) -> list[str]:
        calls = self.folder / "systemctl.calls"
        return calls.read_text().splitlines() if calls.exists() else []


@dataclass(slots=True)
class Receiver:
    """A web service that keeps what it is sent and answers with `status`."""

    url: str = ""
    status: int = 200
    words: str = "no such hook"
    """What it says to what it refuses."""
    headers: dict[str, str] = field(default_factory=dict)
    got: list[bytes] = field(default_factory=list)

    async def _take(self, request: web.Request) -> web.Response:
        self.got.append(await request.read())
        text = "ok" if self.status < 400 else self.words
        return web.Response(status=self.status, text=text, headers=self.headers)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Receiver]:
        """Answer on a port of this machine."""
        app = web.Application()
        app.router.add_post("/{tail:.*}", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/hook/s3cret"
        try:
            yield self
        finally:
            await runner.cleanup()


def webhook(receiver: Receiver, name: str = "team") -> str:
    """Return a configuration with one channel."""
    return f"channels:\n  {name}:\n    type: webhook\n    url: {receiver.url}\n"


def modes(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return stat.S_IMODE(os.stat(path).st_mode)


def widest(text: str) -> int:
    """Return the width of the widest line that could have been wrapped.

    That is one of several words, and no command that is there to be copied.
    """
    lines = [line for line in text.splitlines() if not line.startswith("  nohup ")]
    return max((len(line) for line in lines if len(line.split()) > 1), default=0)
