"""A mute silences its channel until its end, and outlives the daemon."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from notifyd.delivery.mutes import Mutes
from notifyd.outbox.store import Outbox


async def restarted(outbox: Outbox) -> Mutes:
    mutes = Mutes(outbox)
    await mutes.restore()
    return mutes


async def test_a_mute_ends_by_itself_and_survives_a_restart(outbox: Outbox) -> None:
    """Its end is stored with it."""
    mutes = Mutes(outbox)
    await mutes.mute("team", 100.0)
    await mutes.mute("mail", None)
    later = await restarted(outbox)

    assert later.why("team", 99.0) is not None
    assert later.why("team", 100.0) is None
    assert later.why("mail", 1e12) == "muted"
    await later.unmute("mail")
    assert later.why("mail", 0.0) is None


async def test_two_at_once_are_both_kept(outbox: Outbox) -> None:
    """Neither writes over the other."""
    mutes = Mutes(outbox)
    await mutes.mute("c", None)
    await asyncio.gather(mutes.mute("a", None), mutes.mute("b", None), mutes.unmute("c"))
    later = await restarted(outbox)

    for one in (mutes, later):
        assert [one.why(name, 0.0) for name in "abc"] == ["muted", "muted", None]


@pytest.mark.parametrize("note", ["{", "[]", '{"team": "soon"}'])
async def test_a_note_that_a_bad_disk_has_spoilt_mutes_nobody(outbox: Outbox, note: str) -> None:
    """And keeps no daemon from starting; it says so."""
    await outbox.write_note("mutes", note)
    with capture_logs() as logs:
        mutes = await restarted(outbox)

    assert mutes.why("team", 0.0) is None
    assert [one["event"] for one in logs] == ["mutes_forgotten"]
