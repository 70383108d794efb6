"""A channel that is gone for a moment loses nothing."""

from __future__ import annotations

from notifyd.outbox.missing import missed_since
from notifyd.outbox.store import Outbox
from tests.outbox.parts import NOW, Reopen, owed, take_one, told

DAY = 86400.0


async def gone(outbox: Outbox, now: float, *here: str) -> list[str]:
    """Return who has been missed for a day."""
    return await missed_since(outbox, here, now - DAY, now)


async def test_the_day_is_counted_from_when_it_was_first_missed(outbox: Outbox) -> None:
    """Not from when the message came to be: it may be older, as after a long outage."""
    await outbox.add(owed("old", created=NOW - 9 * DAY))
    await outbox.add(owed("here", channel="mail"))

    assert await gone(outbox, NOW, "mail") == []
    assert await gone(outbox, NOW + DAY - 1, "mail") == []
    assert await gone(outbox, NOW + DAY, "mail") == ["team"]


async def test_who_comes_back_is_counted_anew(outbox: Outbox) -> None:
    """Two minutes of absence are no two days."""
    await outbox.add(owed("old"))
    await gone(outbox, NOW)
    await gone(outbox, NOW + 60, "team")

    assert await gone(outbox, NOW + 2 * DAY) == []
    assert await gone(outbox, NOW + 3 * DAY) == ["team"]


async def test_a_restart_does_not_count_anew(outbox: Outbox, reopen: Reopen) -> None:
    """Or a daemon that is restarted every day would owe to nobody for ever."""
    await outbox.add(owed("old"))
    await gone(outbox, NOW)
    store = await reopen()

    assert await missed_since(store, [], NOW, NOW + DAY) == ["team"]


async def test_who_is_owed_nothing_is_not_missed(outbox: Outbox) -> None:
    """What comes to be owed later has its own day."""
    await outbox.add(owed("old"))
    await gone(outbox, NOW)
    await outbox.settle([told(await take_one(outbox))])
    await gone(outbox, NOW + DAY)
    await outbox.add(owed("new"))

    assert await gone(outbox, NOW + DAY + 60) == []


async def test_a_note_that_cannot_be_read_counts_anew(outbox: Outbox) -> None:
    """As does one from a clock that was ahead."""
    await outbox.add(owed("old"))
    for note in ("\0", "[]", '{"team": 9e99}'):
        await outbox.write_note("missing_channels", note)
        assert await gone(outbox, NOW) == []

    assert await gone(outbox, NOW + DAY) == ["team"]
