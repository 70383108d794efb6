"""The outbox keeps what is owed: once, in order, over a restart, for one daemon."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sqlite3
from pathlib import Path

import pytest

from notifyd.model import DeliveryState
from notifyd.outbox.database import OutboxBusy, OutboxError, load_queries
from notifyd.outbox.records import Attempt
from notifyd.outbox.store import Outbox
from tests.fakes import a_delivery

NOW = 1_000_100.0
TRIED = Attempt(at=NOW, seconds=0.5, outcome="temporary", detail="it is down")


async def next_id(outbox: Outbox, now: float = NOW) -> str | None:
    delivery = await outbox.next("team", now)
    return delivery.id if delivery else None


async def test_a_delivery_is_stored_once(outbox: Outbox) -> None:
    """A replay of the same event finds it there, and changes nothing."""
    assert await outbox.add([a_delivery("d1"), a_delivery("d2")]) == 2
    assert await outbox.add([a_delivery("d1"), a_delivery("d3")]) == 1
    assert (await outbox.backlog())["team"].pending == 3


async def test_a_replay_does_not_wake_what_has_ended(outbox: Outbox) -> None:
    """Told is told, also when the same event comes again."""
    await outbox.add([a_delivery("d1")])
    await outbox.finish("d1", DeliveryState.DELIVERED, TRIED)

    assert await outbox.add([a_delivery("d1")]) == 0
    assert await next_id(outbox) is None


async def test_what_comes_out_is_what_went_in(outbox: Outbox) -> None:
    """Event and message survive the store, hostile names included."""
    data = {"job_id": "1", "job_name": 'a\nb|\x1f"🙂<!channel>', "exit_code": 1, "nodes": None}
    delivery = a_delivery("d1", data=data)
    await outbox.add([delivery])

    assert await outbox.next("team", NOW) == delivery


async def test_a_group_stays_in_order(outbox: Outbox) -> None:
    """While the first of a job's messages waits for its retry, no later one overtakes it."""
    await outbox.add([a_delivery(id, group="job 1") for id in ("started", "completed")])
    await outbox.add([a_delivery("other", group="job 2")])
    await outbox.postpone("started", TRIED, due=NOW + 60, counted=True)

    assert await next_id(outbox) == "other"
    assert await outbox.next_due("team") == 1_000_000.0
    await outbox.finish("other", DeliveryState.DELIVERED, TRIED)
    assert await next_id(outbox) is None
    assert await outbox.next_due("team") == NOW + 60
    assert await next_id(outbox, NOW + 60) == "started"
    await outbox.finish("started", DeliveryState.DEAD, TRIED)
    assert await next_id(outbox, NOW + 60) == "completed"


async def test_channels_do_not_see_each_other(outbox: Outbox) -> None:
    """One channel's backlog is no other's."""
    await outbox.add([a_delivery("d1", channel="team"), a_delivery("d2", channel="mail")])
    await outbox.finish("d2", DeliveryState.DELIVERED, TRIED)

    assert await next_id(outbox) == "d1"
    assert await outbox.next("mail", NOW) is None
    assert await outbox.next_due("mail") is None


async def test_history_shows_each_attempt(outbox: Outbox) -> None:
    """Newest first, with what happened at each try."""
    await outbox.add([a_delivery("d1"), a_delivery("d2")])
    await outbox.postpone("d1", TRIED, due=NOW, counted=True)
    done = Attempt(at=NOW + 1, seconds=0.1, outcome="delivered")
    await outbox.finish("d1", DeliveryState.DELIVERED, done)
    await outbox.suppress("d2", NOW, "muted")
    newest, oldest = await outbox.history(10)

    assert (newest.id, newest.state, newest.detail) == ("d2", DeliveryState.SUPPRESSED, "muted")
    assert (oldest.state, oldest.detail) == (DeliveryState.DELIVERED, None)
    assert [(one.number, one.outcome) for one in oldest.attempts] == [
        (1, "temporary"),
        (2, "delivered"),
    ]


async def test_an_ended_delivery_does_not_change_any_more(outbox: Outbox) -> None:
    """A late outcome of a try is not written over an end."""
    await outbox.add([a_delivery("d1")])
    await outbox.finish("d1", DeliveryState.DELIVERED, TRIED)
    await outbox.finish("d1", DeliveryState.DEAD, TRIED)
    await outbox.postpone("d1", TRIED, due=NOW, counted=True)
    (record,) = await outbox.history(10)

    assert (record.state, len(record.attempts)) == (DeliveryState.DELIVERED, 1)


async def test_it_outlives_the_daemon(tmp_path: Path) -> None:
    """What was stored is there after a restart."""
    path = tmp_path / "outbox.sqlite"
    first = Outbox(path)
    await first.open()
    await first.add([a_delivery("d1")])
    await first.save_watch("demo", {"job 1": "runs", "job 2": "waits"})
    await first.save_watch("demo", {"job 1": "ended", "job 2": None})
    await first.close()
    second = Outbox(path)
    await second.open()

    assert await next_id(second) == "d1"
    assert await second.load_watch("demo") == {"job 1": "ended"}
    assert await second.load_watch("other") == {}
    await second.close()


async def test_a_second_daemon_is_kept_out(outbox: Outbox, tmp_path: Path) -> None:
    """Two daemons on one state folder would tell everything twice."""
    second = Outbox(tmp_path / "outbox.sqlite")
    with pytest.raises(OutboxBusy, match="another notifyd uses"):
        await second.open()
    await second.close()


async def test_a_damaged_file_is_explained_and_left_alone(tmp_path: Path) -> None:
    """What is no database is not written over."""
    path = tmp_path / "outbox.sqlite"
    path.write_text("precious " * 1000)
    store = Outbox(path)
    with pytest.raises(OutboxError, match="damaged"):
        await store.open()
    await store.close()

    assert path.read_text() == "precious " * 1000


async def test_ended_deliveries_are_forgotten_in_time(outbox: Outbox) -> None:
    """What is still owed is never purged, however old."""
    await outbox.add([a_delivery("d1"), a_delivery("d2")])
    await outbox.finish("d1", DeliveryState.DELIVERED, TRIED)
    await outbox.purge(before=NOW + 1)

    assert [record.id for record in await outbox.history(10)] == ["d2"]


def test_every_query_has_a_name_of_its_own() -> None:
    """A statement that nobody can call is a mistake."""
    queries = load_queries()

    assert len(queries) == 16
    assert all(text.strip().endswith(";") for text in queries.values())


async def test_what_nobody_can_send_any_more_is_suppressed(outbox: Outbox) -> None:
    """Only what is pending, old, and owed to a channel that is not configured; with the reason."""
    owed = [a_delivery("gone, old", "gone"), a_delivery("here, old", "team")]
    told = a_delivery("gone, told", "gone")
    new = dataclasses.replace(a_delivery("gone, new", "gone"), created=NOW)
    await outbox.add([*owed, told, new])
    await outbox.finish("gone, told", DeliveryState.DELIVERED, TRIED)
    await outbox.suppress_orphans({"team": object()}, before=NOW - 50, now=NOW)
    records = {record.id: record for record in await outbox.history(10)}

    assert {id: record.state for id, record in records.items()} == {
        "gone, old": DeliveryState.SUPPRESSED,
        "here, old": DeliveryState.PENDING,
        "gone, told": DeliveryState.DELIVERED,
        "gone, new": DeliveryState.PENDING,
    }
    suppressed = records["gone, old"]
    assert (suppressed.detail, suppressed.finished) == ("its channel is not configured", NOW)


@pytest.mark.parametrize("name", ['it\'s "quoted"', "a,b", "é🙂", ""])
async def test_a_configured_channel_is_no_orphan_whatever_its_name(
    outbox: Outbox, name: str
) -> None:
    """Names are handed to SQL as values."""
    await outbox.add([a_delivery("d1", name), a_delivery("d2", "gone")])
    await outbox.suppress_orphans([name], before=NOW, now=NOW)

    assert set(await outbox.backlog()) == {name}


async def test_without_a_channel_all_that_is_old_is_an_orphan(outbox: Outbox) -> None:
    """No channel at all is no special case."""
    await outbox.add([a_delivery("d1")])
    await outbox.suppress_orphans([], before=NOW, now=NOW)

    assert await outbox.backlog() == {}


@pytest.mark.parametrize("content", ["'not JSON'", "'{}'", "CAST(x'ff7b00' AS TEXT)"])
async def test_history_survives_a_row_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    """It shows the event's type for its title, and everything else as it is."""
    path = tmp_path / "outbox.sqlite"
    before = Outbox(path)
    await before.open()
    await before.add([a_delivery("bad"), a_delivery("good")])
    await before.finish("bad", DeliveryState.DEAD, TRIED)
    await before.close()
    with contextlib.closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(f"UPDATE deliveries SET content = {content} WHERE id = 'bad'")
    outbox = Outbox(path)
    await outbox.open()
    good, bad = await outbox.history(10)
    await outbox.close()

    assert (good.id, good.title) == ("good", "Job 1 (train) completed")
    assert (bad.id, bad.title, bad.detail) == ("bad", "job_completed", "it is down")
    assert [attempt.outcome for attempt in bad.attempts] == ["temporary"]


async def test_what_was_begun_is_stored_before_the_file_is_closed(tmp_path: Path) -> None:
    """Also when whoever waited for it was cancelled: a stop in the middle loses no outcome."""
    path = tmp_path / "outbox.sqlite"
    first = Outbox(path)
    await first.open()
    await first.add([a_delivery("d1")])
    adding = asyncio.create_task(first.add([a_delivery(f"more {n}") for n in range(500)]))
    ending = asyncio.create_task(first.finish("d1", DeliveryState.DELIVERED, TRIED))
    await asyncio.sleep(0)
    adding.cancel()
    ending.cancel()
    await first.close()
    second = Outbox(path)
    await second.open()
    records = await second.history(1000)
    await second.close()

    assert len(records) == 501
    assert [one.id for one in records if one.state is DeliveryState.DELIVERED] == ["d1"]
