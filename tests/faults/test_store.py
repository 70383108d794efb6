"""What the file system does to the store: it is full, read-only, damaged, somebody else's."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from notifyd.client import Client, Refused
from tests.faults.daemon import Home, webhook
from tests.faults.owed import fill, send
from tests.faults.receivers import receiving
from tests.faults.table import Table
from tests.outbox.files import change, held, lose

pytestmark = pytest.mark.alone

OBEYS_MODES = (shutil.which("setpriv") or "setpriv", "--bounding-set=-all", "--")
"""Starts root's daemon without the right to write where nobody may."""


@pytest.fixture
async def small(home: Home) -> AsyncIterator[Home]:
    """A home whose state lies on a disk of 16 MB."""
    home.state.mkdir()
    options = ["-t", "tmpfs", "-o", "size=16m,mode=700"]
    subprocess.run(["mount", *options, "tmpfs", home.state], check=True)
    try:
        yield home
    finally:
        for daemon in home.daemons:
            await daemon.end()
        subprocess.run(["umount", home.state], check=True)


@pytest.mark.system
async def test_a_full_disk_loses_nothing(small: Home, table: Table) -> None:
    """What cannot be stored is refused with the reason; the rest waits for room, and is told."""
    async with receiving(listens=False) as hook:
        small.write(hook=webhook(hook.url, circuit_breaker={"timeout": "1s"}))
        owed = await fill(small.state, "hook", 200)
        daemon = await small.start()
        with full(small.state):
            taken, why = await asyncio.to_thread(send_until_refused, small.client)
            await hook.listen()
            status = await asyncio.to_thread(small.client.status)
            alive = daemon.runs
        owed += [*taken, *await send(small.client, "hook", map(str, range(50)))]
        row = await table.told("a full disk", owed, hook, small)
    row.besides = f"refused: {why.rpartition(': ')[2]}"

    assert alive
    assert "full" in status["store"]["trouble"]
    assert (row.lost, row.anew) == (0, 0)
    assert "full" in why
    assert "\n" not in why


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leave no room on a disk until the block is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096):
            continue
    try:
        yield
    finally:
        filler.unlink()


def send_until_refused(client: Client) -> tuple[list[str], str]:
    """Send until a message is refused: return what was taken, and why that one was not."""
    taken = []
    for number in range(10_000):
        try:
            taken.append(str(client.send("x" * 1000, "hook", f"full-{number}")["id"]))
        except Refused as refusal:
            return taken, refusal.title
    raise AssertionError("a full disk takes everything")


async def test_a_read_only_state_folder_loses_nothing(home: Home, table: Table) -> None:
    """A daemon that runs goes on; one that starts refuses with one line; then all is told."""
    if os.geteuid() == 0:
        home.before = OBEYS_MODES
    async with receiving(listens=False) as hook:
        home.write(hook=webhook(hook.url, circuit_breaker={"timeout": "1s"}))
        owed = await fill(home.state, "hook", 100)
        daemon = await home.start()
        with read_only(home.state):
            owed += await send(home.client, "hook", map(str, range(50)))
            assert daemon.runs
            await daemon.end()
            lines = await home.refused()
        await hook.listen()
        await home.start()
        row = await table.told("a read-only state folder", owed, hook, home)

    assert row.counts == (0, 0, 0)
    assert len(lines) == 1
    assert str(home.state) in lines[0]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write to a folder and its files until the block is left."""
    files = [path for path in folder.iterdir() if path.is_file()]
    for path in (folder, *files):
        path.chmod(0o500)
    try:
        yield
    finally:
        for path in (folder, *files):
            path.chmod(0o700)


async def test_a_damaged_file_loses_what_is_gone_and_no_more(home: Home, table: Table) -> None:
    """The daemon says how much that is, keeps the file, and tells all the rest once."""
    async with receiving() as hook:
        home.write(hook=webhook(hook.url))
        owed = await fill(home.state, "hook", 500)
        file = home.state / "outbox.sqlite"
        gone = lose(file, rb"hook-\d+", 0.1, 0.5, 0.9)
        left = [id for id in owed if id not in gone]
        await home.start()
        row = await table.told("a damaged file", left, hook, home)
    row.besides = f"besides {len(gone)} that were in the pages that are gone"

    assert row.counts == (0, 0, 0)
    assert gone
    assert f'"saved": {len(left)}, "missing": {len(gone)}' in home.said()
    assert file.with_name("outbox.sqlite.damaged-1").exists()


async def test_a_start_that_fails_keeps_nobody_waiting(home: Home) -> None:
    """The folder is not this host's when the store cannot be opened."""
    home.write()
    home.state.mkdir(mode=0o700)
    change(home.state / "outbox.sqlite", "PRAGMA user_version = 99")
    lines = await home.refused()

    assert "newer notifyd" in lines[0]
    assert [path.name for path in home.state.iterdir()] == ["outbox.sqlite"]


async def test_a_locked_file_is_refused_and_told_later(home: Home, table: Table) -> None:
    """While another process holds the file a start is refused with one line; then all is told."""
    async with receiving() as hook:
        home.write(hook=webhook(hook.url))
        owed = await fill(home.state, "hook", 100)
        with held(home.state / "outbox.sqlite"):
            lines = await home.refused()
        await home.start()
        row = await table.told("a locked file", owed, hook, home)

    assert row.counts == (0, 0, 0)
    assert len(lines) == 1
    assert str(home.state) in lines[0]
