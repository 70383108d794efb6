"""The file is opened, made, brought up to date, or refused with the reason."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notifyd.model import DeliveryState
from notifyd.outbox.database import take_hold
from notifyd.outbox.errors import OutboxBusy, OutboxError
from notifyd.outbox.records import Owed
from notifyd.outbox.store import Outbox
from tests.outbox.files import EARLIER, change, held, schema_of, write_earlier
from tests.outbox.parts import NOW, delivery, drain, ids, kill, owed, record, states, take, told


async def refusal(path: Path) -> str:
    """Return why the file cannot be opened."""
    outbox = Outbox(path)
    with pytest.raises(OutboxError) as error:
        await outbox.open()
    await outbox.close()
    return str(error.value)


@pytest.mark.parametrize("schema", EARLIER)
async def test_an_earlier_file_is_brought_up_to_date(path: Path, schema: str) -> None:
    """Nothing is lost, and what is owed comes in the order in which it happened."""
    stored = write_earlier(path, schema)
    outbox = Outbox(path)
    assert await outbox.open() is None

    assert list(await states(outbox)) == stored[::-1]
    assert [one.outcome for one in (await record(outbox, "d2")).attempts] == ["permanent"]
    assert (await record(outbox, "d2")).title == "Job 1 (train) completed"
    assert await outbox.dead_counts() == {"team": 2}
    assert await outbox.note("mutes") == "{}"
    assert await outbox.load_watch("demo") == ({"job 1": "runs"} if schema >= "2" else {})
    assert await drain(outbox) == ["d0", "d5", "d4", "d9"]
    await outbox.close()


@pytest.mark.parametrize("schema", EARLIER)
async def test_an_updated_file_is_like_a_new_one(path: Path, schema: str) -> None:
    """However old it is, later versions find the same."""
    write_earlier(path, schema)
    for file in (path, path.with_name("new.sqlite")):
        outbox = Outbox(file)
        await outbox.open()
        await outbox.close()

    assert schema_of(path) == schema_of(path.with_name("new.sqlite"))


async def test_a_large_backlog_is_brought_up_to_date_at_once(path: Path) -> None:
    """Ten thousand rows that are owed are no reason to start late."""
    write_earlier(path, "2", rows=25_000)
    outbox = Outbox(path)
    async with asyncio.timeout(5):
        await outbox.open()

    assert (await outbox.backlog())["team"].pending == 10_000
    assert ids(await take(outbox)) == ["d0", "d5"]
    await outbox.close()


async def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    """And left as it is."""
    change(path, "PRAGMA user_version = 99")
    before = path.read_bytes()

    assert "written by a newer notifyd (schema 99" in await refusal(path)
    # All but the mark that it is in WAL mode, which comes with taking hold of it.
    assert path.read_bytes()[100:] == before[100:]


async def test_a_second_daemon_is_kept_out(outbox: Outbox) -> None:
    """Two daemons on one state folder would tell everything twice."""
    second = Outbox(outbox.path)
    with pytest.raises(OutboxBusy, match="another notifyd uses"):
        await second.open()
    await second.close()

    assert await outbox.add(owed("d1")) == 1


async def test_another_process_is_kept_waiting_for(path: Path) -> None:
    """Whoever holds the file has it; when they are gone, it opens."""
    outbox = Outbox(path)
    with held(path):
        assert "another notifyd" in await refusal(path)
    await outbox.open()
    await outbox.close()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With what to look at."""
    folder = tmp_path / "a file, not a folder"
    folder.touch()

    assert "cannot be" in await refusal(folder / "outbox.sqlite")
    assert str(folder) in await refusal(folder / "outbox.sqlite")


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let every write beyond so many bytes fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_write_that_fails_changes_nothing(outbox: Outbox, path: Path) -> None:
    """It says so; and once there is room, all goes on, and all that was stored is there."""
    await outbox.add(owed(*[f"before {n}" for n in range(50)]))
    written = path.with_name(f"{path.name}-wal").stat().st_size
    with no_file_larger_than(written), pytest.raises(OutboxError, match=r"outbox.sqlite"):
        await outbox.add(owed(*[f"lost {n}" for n in range(50)]))
    assert await outbox.next_due("team") is not None
    assert outbox.trouble is not None, "what can be read may still be full"
    assert await outbox.add(owed(*[f"after {n}" for n in range(50)])) == 50
    assert outbox.trouble is None

    assert len(await drain(outbox)) == 100


@pytest.mark.system
async def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """What is stored stays; when there is room again, the next is stored too."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(disk)], check=True)
    try:
        outbox = Outbox(disk / "outbox.sqlite")
        await outbox.open()
        await outbox.add(owed("first"))
        (disk / "else").write_bytes(b"x" * (_free(disk) - 8192))
        with pytest.raises(OutboxError, match="disk"):
            await outbox.add(owed(*[f"lost {n}" for n in range(500)]))
        (disk / "else").unlink()
        await outbox.add(owed("second"))
        assert await drain(outbox) == ["first", "second"]
        await outbox.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@pytest.mark.parametrize("content", ["'not JSON'", "'{}'", "CAST(x'ff7b00' AS TEXT)"])
async def test_a_row_that_cannot_be_read_is_dead_and_blocks_nobody(
    path: Path, content: str
) -> None:
    """The history shows the event's type for its title, and everything else as it is."""
    before = Outbox(path)
    await before.open()
    await before.add(owed("bad", "next", group="job"))
    await before.close()
    change(path, f"UPDATE deliveries SET content = {content} WHERE id = 'bad'")
    outbox = Outbox(path)
    await outbox.open()

    assert await take(outbox) == []
    assert ids(await take(outbox)) == ["next"]
    bad = await record(outbox, "bad")
    assert (bad.state, bad.title) == (DeliveryState.DEAD, "job_completed")
    assert bad.detail == "this version of notifyd cannot read it"
    await outbox.close()


@pytest.mark.parametrize("value", ["half an emoji: \ud83d", "\udcff"])
async def test_a_text_that_cannot_be_stored_is_an_error_of_the_store(
    outbox: Outbox, value: str
) -> None:
    """Whoever lives with a store that fails lives with it too; the store goes on."""
    with pytest.raises(OutboxError, match="surrogates not allowed"):
        await outbox.write_note("a", value)
    await outbox.write_note("a", "b")

    assert await outbox.note("a") == "b"


async def test_a_number_that_is_too_large_is_an_error_of_the_store(outbox: Outbox) -> None:
    """As is a text that cannot be stored."""
    with pytest.raises(OutboxError, match="too large"):
        await outbox.history(2**63)


def test_a_file_system_that_refuses_the_journal_is_refused(path: Path) -> None:
    """Another journal would keep less than is promised. Without locks SQLite cannot have it."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{path}?nolock=1", uri=True)) as file,
        pytest.raises(OutboxError, match="journal mode delete, not WAL"),
    ):
        take_hold(file, path)


async def test_what_was_begun_is_stored_before_the_file_is_closed(path: Path) -> None:
    """Also when whoever waited for it was cancelled: a stop in the middle loses no outcome."""
    first = Outbox(path)
    await first.open()
    await first.add(owed("d1"))
    (claim,) = await take(first)
    adding = asyncio.create_task(first.add(owed(*[f"more {n}" for n in range(500)])))
    ending = asyncio.create_task(first.settle([told(claim)]))
    await asyncio.sleep(0)
    adding.cancel()
    ending.cancel()
    await first.close()
    second = Outbox(path)
    await second.open()
    found = await states(second)
    await second.close()

    assert len(found) == 501
    assert found["d1"] is DeliveryState.DELIVERED


async def test_what_is_closed_says_so(path: Path) -> None:
    """Before it is opened, and after it is closed."""
    outbox = Outbox(path)
    with pytest.raises(OutboxError, match="is closed"):
        await outbox.note("x")
    await outbox.close()


async def test_a_clean_end_leaves_one_file(outbox: Outbox, path: Path) -> None:
    """So that what is left beside it tells of a daemon that was killed."""
    await kill(outbox, "d1", created=NOW)
    await outbox.close()

    assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_a_chain_that_cannot_be_read_stops_nobody(path: Path) -> None:
    """Who hands on to it has its end all the same; whoever takes it in hand buries it."""
    before = Outbox(path)
    await before.open()
    await before.add(owed("own", channel="mail"))
    await before.close()
    change(path, "UPDATE deliveries SET content = '{'")
    outbox = Outbox(path)
    await outbox.open()
    handed_on = delivery("more", "mail", fallback=("desk",))

    assert await outbox.add([Owed(delivery=handed_on, unless="own")]) == 0
    assert await take(outbox, "mail") == []
    assert (await record(outbox, "own")).state is DeliveryState.DEAD
    await outbox.close()
