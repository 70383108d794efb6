"""What a rescue may meet: no shared memory, a daemon that runs, its own death, a full folder."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from notifyd.model import DeliveryState
from notifyd.outbox.database import mend_database
from notifyd.outbox.errors import OutboxBusy, OutboxError
from notifyd.outbox.store import Outbox
from tests.fakes import FakeClock
from tests.outbox.files import IDS, LARGE, PAGE, change, leaves, lose, write_earlier
from tests.outbox.parts import NOW, ids, owed, record, states, take

ROWS = 500
RESCUE = """
import os, sys
from pathlib import Path
from notifyd.outbox.database import mend_database

def hook(event, arguments):
    if event == sys.argv[2]:
        {happens}

sys.addaudithook(hook)
print(mend_database(Path(sys.argv[1]))[1].rows)
"""


async def store_rows(path: Path, *names: str) -> None:
    outbox = Outbox(path)
    await outbox.open()
    await outbox.add(owed(*(names or [f"d{number:04}" for number in range(ROWS)])))
    await outbox.close()


def rescue_apart(path: Path, event: str, happens: str) -> subprocess.CompletedProcess[str]:
    """Mend a file in a process of its own, to which something happens at an audit event."""
    command = [sys.executable, "-c", RESCUE.format(happens=happens), str(path), event]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_a_rescue_needs_no_shared_memory(path: Path) -> None:
    """Network file systems have none."""
    await store_rows(path)
    held = lose(path, IDS, 0.5)
    path.with_name(f"{path.name}-shm").mkdir()
    outbox = Outbox(path)
    recovered = await outbox.open()
    await outbox.close()

    assert recovered is not None
    assert (recovered.rows, recovered.missing) == (ROWS - len(held), len(held))


async def test_what_a_daemon_holds_is_not_put_aside(outbox: Outbox, path: Path) -> None:
    """Not to be let in says nothing of the file."""
    await outbox.add(owed("d1"))
    there = path.stat().st_ino
    with pytest.raises(OutboxBusy, match="another notifyd uses"):
        mend_database(path)

    assert path.stat().st_ino == there
    assert list(path.parent.glob("*.damaged-*")) == []


async def test_an_index_that_is_wrong_hides_nothing(path: Path) -> None:
    """All that the table holds is owed, and the index is made anew."""
    await store_rows(path)
    with closing(sqlite3.connect(path)) as file:
        (root,) = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'due'").fetchone()
    content = bytearray(path.read_bytes())
    start = (root - 1) * PAGE
    for page in (start, *(start for start, _ in leaves(path, rb"team(?=A\.\x84)", kind=0x0A))):
        content[page : page + PAGE] = content[page : page + PAGE].replace(b"team", b"teal")
    path.write_bytes(content)
    outbox = Outbox(path)
    recovered = await outbox.open()

    assert recovered is not None
    assert (recovered.rows, recovered.missing) == (ROWS, 0)
    assert len(await take(outbox, limit=2 * ROWS)) == ROWS
    assert await outbox.next_due("team") is not None
    await outbox.close()


async def test_who_is_killed_in_a_rescue_loses_nothing(outbox: Outbox, path: Path) -> None:
    """Also what was in the WAL alone is there for the next daemon."""
    await outbox.add(owed("in the file"))
    live = path.parent / "live"
    live.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), live / name)
    (live / f"{path.name}-shm").mkdir()  # there is no shared memory that would write it back
    happens = "str(arguments[1]) == sys.argv[1] and os._exit(9)"
    killed = rescue_apart(live / path.name, "os.rename", happens)
    assert killed.returncode == 9
    survivor = Outbox(live / path.name)
    await survivor.open()

    assert list(await states(survivor)) == ["in the file"]
    await survivor.close()


async def test_a_file_system_without_second_names_is_no_obstacle(path: Path) -> None:
    """The damaged file is copied then."""
    await store_rows(path)
    held = lose(path, IDS, 0.5)
    before = path.read_bytes()
    saved = rescue_apart(path, "os.link", "raise PermissionError(1, 'no links here')")

    assert saved.stdout.strip() == str(ROWS - len(held))
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == before


async def test_a_rescue_that_fails_is_tried_again_after_a_while(path: Path) -> None:
    """Each reads and writes all of the file; meanwhile everybody hears why."""
    await store_rows(path)
    clock = FakeClock(NOW)
    outbox = Outbox(path, clock=clock)
    await outbox.open()
    await outbox.write_note("large", LARGE)
    held = lose(path, IDS, 0.5)
    assert await outbox.note("large") == LARGE
    with pytest.raises(OutboxError, match="malformed"):
        await states(outbox)
    obstacle = path.with_name(f"{path.name}.new")
    obstacle.mkdir()
    with pytest.raises(OutboxError, match=r"damaged, and cannot be mended: .*directory"):
        await states(outbox)
    obstacle.rmdir()
    for _ in range(3):
        with pytest.raises(OutboxError, match="cannot be mended"):
            await outbox.note("large")
    assert "cannot be mended" in (outbox.trouble or "")
    clock.time += 60

    assert len(await states(outbox)) == ROWS - len(held)
    assert outbox.trouble is None
    await outbox.close()


async def test_of_many_damaged_files_the_first_and_the_newest_are_kept(path: Path) -> None:
    """A disk that goes on failing is not filled by what is put aside."""
    for number in range(1, 9):
        path.write_text(f"{number} " * 1000)
        outbox = Outbox(path)
        await outbox.open()
        await outbox.close()

    kept = sorted(path.parent.glob("*.damaged-*"))
    assert [one.read_text().split()[0] for one in kept] == ["1", "5", "6", "7", "8"]
    assert [one.name.rpartition("-")[2] for one in kept] == ["1", "5", "6", "7", "8"]


async def test_a_version_that_cannot_be_is_damage(path: Path) -> None:
    """Its rows are as good as ever."""
    await store_rows(path)
    change(path, "PRAGMA user_version = -1515870811")
    outbox = Outbox(path)
    recovered = await outbox.open()
    await outbox.close()

    assert recovered is not None
    assert (recovered.rows, recovered.missing) == (ROWS, 0)


async def test_an_earlier_version_keeps_its_attempts_and_its_ends(path: Path) -> None:
    """It is saved as it was, and brought up to date like any other."""
    write_earlier(path, "2", rows=ROWS)
    change(path, "INSERT OR IGNORE INTO attempts SELECT id, 1, 5, 1, 'no', NULL FROM deliveries")
    change(path, "UPDATE deliveries SET finished = NULL WHERE id = 'd7'")
    with closing(mend_database(path)[0]) as file:
        (attempts,) = file.execute("SELECT count(*) FROM attempts").fetchone()
    outbox = Outbox(path)
    await outbox.open()

    assert attempts == ROWS
    assert (await record(outbox, "d7")).state is DeliveryState.DEAD
    assert ids(await take(outbox, limit=2)) == ["d0", "d5"]
    await outbox.close()
