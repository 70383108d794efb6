"""The daemon as a process: it ends in time whatever hangs, and says plainly why it cannot start."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from notifyd.outbox.store import Outbox
from tests.cli.world import Done, Receiver, Running, World, webhook

IN_TIME = 10.0
"""Seconds in which a stop is over, whatever hangs."""


@pytest.fixture
def world() -> Iterator[World]:
    """A machine with a Slurm without jobs."""
    folder = Path(tempfile.mkdtemp(prefix="n-", dir="/tmp"))
    made = World(folder)
    made.has_slurm()
    yield made
    shutil.rmtree(folder)


@dataclass(slots=True)
class DeafReceiver:
    """Takes connections, and never says a word."""

    door: socket.socket
    held: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.getsockname()[1]}/hook"

    async def is_asked(self) -> None:
        """Wait for the next connection, and hold it."""
        async with asyncio.timeout(20):
            connection, _ = await asyncio.get_running_loop().sock_accept(self.door)
        self.held.append(connection)


@pytest.fixture
def deaf() -> Iterator[DeafReceiver]:
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        door.setblocking(False)
        receiver = DeafReceiver(door)
        yield receiver
        for connection in receiver.held:
            connection.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().serving() as serving:
        yield serving


def places(url: str, more: str = "") -> str:
    return f"channels:\n  team:\n    type: webhook\n    url: {url}\n{more}"


@contextlib.asynccontextmanager
async def stopped_in_time(world: World, config: str) -> AsyncIterator[Running]:
    """Run a daemon; when the block is left, SIGTERM must end it in time and in order."""
    async with world.daemon(config) as daemon:
        yield daemon
        began = time.monotonic()
    took = time.monotonic() - began

    assert daemon.process.returncode == 0
    assert took < IN_TIME
    assert "Traceback" not in daemon.err
    assert '"event": "stopped"' in daemon.err
    assert not (world.state / "control.sock").exists()


async def owed(world: World) -> dict[str, int]:
    """Return what the stopped daemon still owes to each channel."""
    outbox = Outbox(world.state / "outbox.sqlite")
    await outbox.open()
    backlog = await outbox.backlog()
    await outbox.close()
    return {name: one.pending for name, one in backlog.items()}


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that has ended, and waits to be buried, does not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.asynccontextmanager
async def said_through(pipe: Path) -> AsyncIterator[asyncio.Queue[str]]:
    """Make a pipe in which stand-ins can say something, and listen."""
    os.mkfifo(pipe)
    loop, said = asyncio.get_running_loop(), asyncio.Queue[str]()
    end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    loop.add_reader(end, lambda: said.put_nowait(os.read(end, 4096).decode()))
    try:
        yield said
    finally:
        loop.remove_reader(end)
        os.close(end)


async def test_a_stop_is_over_in_time_whatever_hangs(world: World, deaf: DeafReceiver) -> None:
    """The receiver, squeue and a test all hang; nothing is lost, and nothing left behind."""
    pipe = world.folder / "pipe"
    world.command("squeue", f"echo $$ > {pipe}\nexec sleep 600")
    testing: asyncio.Task[Done]
    async with said_through(pipe) as pids, stopped_in_time(world, places(deaf.url)):
        assert (await world.run("send", "hello", "--channel", "team")).code == 0
        await deaf.is_asked()
        testing = asyncio.create_task(world.run("test", "--channel", "team"))
        await deaf.is_asked()
        async with asyncio.timeout(20):
            squeue = int(await pids.get())
        assert is_alive(squeue)
    tested = await testing

    assert not is_alive(squeue)
    assert tested.code != 0
    assert "Traceback" not in tested.err
    assert await owed(world) == {"team": 1}


@pytest.mark.parametrize("number", range(5))
async def test_a_reload_and_a_stop_at_once_end(
    world: World, receiver: Receiver, number: int
) -> None:
    """SIGHUP and then SIGTERM, before the reload can have been done."""
    async with stopped_in_time(world, webhook(receiver)) as daemon:
        world.write(webhook(receiver) + f"slurm: {{interval: {30 + number}s}}\n")
        for _ in range(number + 1):
            daemon.process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("hups", [1, 3])
async def test_a_stop_during_a_reload_that_waits_for_a_message(
    world: World, deaf: DeafReceiver, hups: int
) -> None:
    """The old worker hangs in its message; the stop does not wait for one after the other."""
    async with stopped_in_time(world, places(deaf.url)) as daemon:
        await world.run("send", "hello", "--channel", "team")
        await deaf.is_asked()
        world.write(places(deaf.url, "    timeout: 20s\nslurm: {interval: 40s}\n"))
        for _ in range(hups):
            daemon.process.send_signal(signal.SIGHUP)
            status = await world.run("status", "--json")
            assert status.code == 0, "while a reload waits, the daemon answers"

    assert await owed(world) == {"team": 1}


async def refused(world: World, state: Path) -> str:
    """Run a daemon that cannot start, and return the one line that says why."""
    done = await world.run("--state-dir", str(state), "run")

    assert (done.code, done.out) == (1, "")
    assert "Traceback" not in done.err
    assert done.err.startswith("notifyd: ")
    assert done.err.count("\n") == 1
    return done.err


async def test_a_state_folder_that_is_a_file_is_explained(world: World, receiver: Receiver) -> None:
    """One plain line, and the file is left alone."""
    world.write(webhook(receiver))
    state = world.folder / "state"
    state.write_text("precious")

    assert f"{state} cannot be made" in await refused(world, state)
    assert f"{state}/below cannot be made" in await refused(world, state / "below")
    assert state.read_text() == "precious"


async def test_a_state_folder_that_cannot_be_written_is_explained(
    world: World, receiver: Receiver
) -> None:
    """Not even root can write in /proc."""
    world.write(webhook(receiver))

    assert "/proc cannot be written" in await refused(world, Path("/proc"))
    assert "/proc/notifyd cannot be made" in await refused(world, Path("/proc/notifyd"))


async def test_a_socket_that_cannot_be_made_is_explained(world: World, receiver: Receiver) -> None:
    """What others could replace is refused, and what has begun by then ends in order."""
    world.write(webhook(receiver))
    world.state.mkdir(parents=True)
    world.state.chmod(0o777)
    done = await world.run("run")

    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("notifyd: others can write in ")
    assert "Traceback" not in done.err


async def test_a_second_daemon_is_refused_and_harms_nothing(
    world: World, receiver: Receiver
) -> None:
    """It says that another one uses the folder; that one goes on answering."""
    async with stopped_in_time(world, webhook(receiver)) as first:
        said = await refused(world, world.state)
        status = (await world.run("status", "--json")).json()

        assert f"another notifyd uses {world.state}" in said
        assert status["pid"] == first.process.pid
        assert os.path.exists(world.state / "control.sock")
