"""A lease keeps another host's daemon out, where file locks may not reach."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from notifyd.outbox.errors import OutboxBusy, OutboxError
from notifyd.outbox.housekeeping import Housekeeper
from notifyd.outbox.ownership import LASTS, Deed
from notifyd.outbox.store import Outbox
from tests.fakes import FakeClock
from tests.outbox.parts import kill, owed, states

NOW = 1_000_000.0


def keeper(path: Path, host: str, clock: FakeClock) -> Housekeeper:
    return Housekeeper(Outbox(path), clock, host)


async def test_another_host_is_kept_out_until_the_lease_is_over(path: Path) -> None:
    """It is told whose the folder is, and when to try again; the store is not touched."""
    clock = FakeClock(NOW)
    await keeper(path, "ant", clock).move_in()
    with pytest.raises(OutboxBusy, match=r"daemon on ant .* try again in 90 s"):
        await keeper(path, "bee", clock).move_in()
    assert not path.exists()
    clock.time += LASTS

    await keeper(path, "bee", clock).move_in()
    with pytest.raises(OutboxBusy, match="on bee"):
        await keeper(path, "ant", clock).move_in()


async def test_the_same_host_comes_back_at_once(path: Path) -> None:
    """Between daemons of one host the file's own lock decides."""
    await keeper(path, "ant", FakeClock(NOW)).move_in()
    await keeper(path, "ant", FakeClock(NOW)).move_in()


async def test_who_moves_out_lets_others_in(path: Path) -> None:
    """At once, and also when it never moved in."""
    clock = FakeClock(NOW)
    await keeper(path, "ant", clock).move_in()
    await keeper(path, "ant", clock).move_out()
    await keeper(path, "ant", clock).move_out()
    await keeper(path, "bee", clock).move_in()


@pytest.mark.parametrize("text", ["", "{", '{"host": 1}', '{"host": "ant", "until": 9e99}', "\0"])
async def test_what_says_nothing_sensible_keeps_nobody_out(path: Path, text: str) -> None:
    """Nor does a lease from a clock that is years ahead."""
    path.with_name("owner.json").write_text(text)

    assert Deed(path.parent).other_owner("bee", NOW) is None


async def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(OutboxError, match="nowhere cannot be written"):
        await keeper(tmp_path / "nowhere" / "outbox.sqlite", "ant", FakeClock(NOW)).move_in()


async def test_who_has_slept_too_long_gives_way(outbox: Outbox) -> None:
    """Another host has taken over meanwhile: two would tell everything twice."""
    clock = FakeClock(NOW)
    Deed(outbox.path.parent).renew("bee", NOW)
    with pytest.raises(OutboxBusy, match="on bee"):
        await Housekeeper(outbox, clock, "ant").keep(lambda: [], asyncio.Event())


async def test_the_house_is_kept_in_order_until_the_stop(outbox: Outbox) -> None:
    """The lease is renewed, what is old is forgotten, and who is gone is owed nothing."""
    clock, stopping = FakeClock(NOW + 100 * 86400), asyncio.Event()
    await kill(outbox, "dead")
    await outbox.add(owed("stranger", channel="gone"))
    await outbox.add(owed("here"))

    def channels() -> list[str]:
        stopping.set()
        return ["team"]

    await Housekeeper(outbox, clock, "ant").keep(channels, stopping)

    assert {id: state.value for id, state in (await states(outbox)).items()} == {
        "here": "pending",
        "stranger": "suppressed",
    }
    assert Deed(outbox.path.parent).other_owner("bee", clock.now()) is not None
