"""A damaged file is kept, what can be read is saved, and the daemon goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifyd.outbox.errors import OutboxError
from notifyd.outbox.store import Outbox
from tests.outbox.files import (
    EARLIER,
    IDS,
    LARGE,
    PAGE,
    change,
    leaves,
    lose,
    overwrite,
    schema_of,
    write_earlier,
)
from tests.outbox.parts import again, drain, fold, ids, lease, owed, states, take, take_one, told

ROWS = 2000
ALL = {f"d{number:04}" for number in range(ROWS)}


@pytest.fixture
async def full(path: Path) -> Path:
    """Return a file with many rows, some of them told, and closed."""
    outbox = Outbox(path)
    await outbox.open()
    lanes = [one for n in range(ROWS) for one in owed(f"d{n:04}", group=f"job {n % 100}")]
    await outbox.add(lanes)
    await outbox.settle([told(claim) for claim in await take(outbox, limit=50)])
    await outbox.write_note("mutes", "{}")
    await outbox.save_watch("demo", {"job 1": "runs"})
    await outbox.close()
    return path


async def in_order(outbox: Outbox) -> int:
    """Tell all that is owed; return how many, each lane in its order."""
    came = await drain(outbox)
    for lane in range(100):
        mine = [id for id in came if int(id[1:]) % 100 == lane]
        assert mine == sorted(mine)
    return len(came)


async def test_bytes_in_the_middle_cost_what_they_hold(full: Path) -> None:
    """And nothing besides; each lane goes on with what it still owes."""
    held = lose(full, IDS, 0.5, 0.51)
    before = full.read_bytes()
    outbox = Outbox(full)
    recovered = await outbox.open()
    assert recovered is not None

    assert recovered.kept.name == "outbox.sqlite.damaged-1"
    assert recovered.kept.read_bytes() == before
    assert (recovered.rows, recovered.missing) == (ROWS - len(held), len(held))
    assert set(await states(outbox)) == ALL - held
    assert await in_order(outbox) == ROWS - len(held) - 50
    await outbox.close()


@pytest.mark.parametrize(
    "places", [(0.05, 0.95), (0.0, 0.3, 0.31, 0.6), (0.4, 0.999), (0.0, 0.999)]
)
async def test_what_lies_between_damaged_places_is_saved(
    full: Path, places: tuple[float, ...]
) -> None:
    """However many there are, and also when the first or the last rows are among them."""
    held = lose(full, IDS, *places)
    outbox = Outbox(full)
    recovered = await outbox.open()
    assert recovered is not None

    assert set(await states(outbox)) == ALL - held
    assert recovered.missing == len(held)
    await outbox.close()


async def test_what_is_known_of_jobs_is_saved_around_damaged_places(path: Path) -> None:
    """It has texts for its key, and is read on behind the gap all the same."""
    jobs = {f"job {number}": "runs" * 20 for number in range(5000)}
    outbox = Outbox(path)
    await outbox.open()
    await outbox.save_watch("", jobs)
    await outbox.save_watch("demo", jobs)
    await outbox.close()
    pages = leaves(path, rb"job \d+(?=runs)", kind=0x0A)
    gone = [pages[int(len(pages) * place)] for place in (0.1, 0.4, 0.8)]
    for start, _ in gone:
        overwrite(path, start, PAGE)
    outbox = Outbox(path)
    assert await outbox.open() is not None
    lost = [set(jobs) - set(await outbox.load_watch(watch)) for watch in ("", "demo")]
    await outbox.close()

    assert lost[0] | lost[1] == set[str]().union(*(names for _, names in gone))
    assert len(lost[0]) + len(lost[1]) == sum(len(names) for _, names in gone)


async def test_damage_that_comes_later_is_mended_without_a_restart(full: Path) -> None:
    """The call that meets it fails, and changes nothing; the next one goes on."""
    outbox = Outbox(full)
    await outbox.open()
    size = full.stat().st_size
    await outbox.write_note("large", LARGE)
    assert await outbox.note("large") == LARGE
    overwrite(full, size // 2 // 4096 * 4096, 3 * 4096)
    with pytest.raises(OutboxError, match="malformed"):
        await drain(outbox)
    await outbox.write_note("gate", "open")
    await outbox.take_back("team", "me", [])

    assert await in_order(outbox) > ROWS * 0.8 - 50
    assert outbox.trouble is None
    assert full.with_name("outbox.sqlite.damaged-1").exists()
    await outbox.close()


async def test_what_is_in_hand_stays_there(full: Path) -> None:
    """A rescue under a daemon that goes on gives nobody what is on its way already."""
    outbox = Outbox(full)
    await outbox.open()
    claims = await outbox.claim("team", lease(), 10)
    size = full.stat().st_size
    await outbox.write_note("large", LARGE)
    assert await outbox.note("large") == LARGE
    overwrite(full, size * 3 // 4 // 4096 * 4096, 3 * 4096)
    with pytest.raises(OutboxError, match="malformed"):
        await outbox.history(ROWS)
    others = await outbox.claim("team", lease(), ROWS)

    assert len(others) > 10
    assert not set(ids(others)) & set(ids(claims))
    assert await outbox.settle([told(claim) for claim in claims]) == 10
    await outbox.close()


async def test_a_file_that_was_cut_short_keeps_its_beginning(full: Path) -> None:
    """Told stays told."""
    content = full.read_bytes()
    full.write_bytes(content[: len(content) * 3 // 4])
    outbox = Outbox(full)
    recovered = await outbox.open()
    assert recovered is not None

    assert recovered.rows > 0
    assert "d0000" not in await drain(outbox)
    await outbox.close()


@pytest.mark.parametrize("text", [b"precious " * 1000, b"\xa5" * 100])
async def test_what_is_no_database_is_kept_and_the_daemon_goes_on(path: Path, text: bytes) -> None:
    """Nothing can be saved of it but the file itself."""
    path.write_bytes(text)
    outbox = Outbox(path)
    recovered = await outbox.open()
    assert recovered is not None

    assert (recovered.rows, recovered.kept.read_bytes()) == (0, text)
    assert await outbox.add(owed("d1")) == 1
    await outbox.close()


async def test_each_damaged_file_is_kept(path: Path) -> None:
    """A second one does not take the place of the first."""
    for text in ("first ", "second "):
        path.write_text(text * 1000)
        outbox = Outbox(path)
        await outbox.open()
        await outbox.close()

    kept = sorted(path.parent.glob("*.damaged-*"))
    assert [one.read_text().split()[0] for one in kept] == ["first", "second"]


async def test_without_its_header_nothing_is_read_of_a_file(full: Path) -> None:
    """It is kept as it is for whoever can do more, and all begins anew."""
    overwrite(full, 0, 100)
    before = full.read_bytes()
    outbox = Outbox(full)
    recovered = await outbox.open()
    assert recovered is not None
    await outbox.close()

    assert recovered.rows == 0
    assert recovered.kept.read_bytes() == before


@pytest.mark.parametrize("schema", EARLIER)
async def test_an_earlier_version_is_saved_too(path: Path, schema: str) -> None:
    """What had no column then is made up as an update would; it is like a new file, and goes on."""
    write_earlier(path, schema, rows=2000)
    overwrite(path, path.stat().st_size // 2 // 4096 * 4096, 4096)
    outbox = Outbox(path)
    recovered = await outbox.open()
    assert recovered is not None

    assert recovered.rows > 1500
    assert ids(await take(outbox, limit=2)) == ["d0", "d5"]
    assert await outbox.note("mutes") == "{}"
    await outbox.close()
    new = Outbox(path.with_name("new.sqlite"))
    await new.open()
    await new.close()
    assert schema_of(path) == schema_of(new.path)


async def test_who_has_lost_a_leader_goes_alone(path: Path) -> None:
    """Nothing waits for a row that is gone."""
    outbox = Outbox(path)
    await outbox.open()
    await outbox.add(owed("a", "b"))
    leader = await take_one(outbox)
    await fold(outbox, leader, "channel")
    await outbox.settle([again(leader)])
    await outbox.close()
    change(path, "DELETE FROM deliveries WHERE id = 'a'")
    overwrite(path, path.stat().st_size - 4096, 4096)
    outbox = Outbox(path)
    assert await outbox.open() is not None

    assert await drain(outbox) == ["b"]
    await outbox.close()
