"""A lease keeps another host's daemon out, where file locks may not reach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from notifyd.outbox.errors import OutboxBusy, OutboxError
from notifyd.outbox.housekeeping import Housekeeper
from notifyd.outbox.ownership import LASTS, Deed
from notifyd.outbox.records import Claim, Outcome
from notifyd.outbox.store import Outbox
from tests.fakes import FakeClock
from tests.outbox.parts import dead, kill, owed, record, states, take_one, told

NOW = 1_000_000.0
DAY = 86400.0


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
    clock = FakeClock(NOW)
    await keeper(path, "ant", clock).move_in()
    before = clock.now()
    await keeper(path, "ant", clock).move_in()

    assert clock.now() == before


async def test_who_was_asleep_is_not_put_out_by_its_own_host(path: Path) -> None:
    """A second daemon that the file's lock refuses leaves nothing behind."""
    clock = FakeClock(NOW)
    sleeper, second = keeper(path, "ant", clock), keeper(path, "ant", clock)
    await sleeper.move_in()
    clock.time += 2 * LASTS
    await second.move_in()
    await second.move_out()

    await sleeper.renew()
    await sleeper.outbox.open()
    await sleeper.outbox.add(owed("a"))
    await sleeper.outbox.close()


async def test_who_moves_out_lets_others_in(path: Path) -> None:
    """At once, and also when it never moved in."""
    clock = FakeClock(NOW)
    ant = keeper(path, "ant", clock)
    await ant.move_out()
    await ant.move_in()
    await ant.move_out()
    await ant.move_out()
    await keeper(path, "bee", clock).move_in()


@pytest.mark.parametrize("text", ["", "{", '{"host": 1}', '{"host": "ant", "until": 9e99}', "\0"])
async def test_what_says_nothing_sensible_keeps_nobody_out(path: Path, text: str) -> None:
    """Nor does a lease from a clock that is years ahead."""
    path.with_name("owner.json").write_text(text)

    assert Deed(path.parent).other_owner("bee", NOW) is None


class Racing(FakeClock):
    """A clock that lets somebody else act while one waits."""

    def __init__(self, now: float, meanwhile: Callable[[], object]) -> None:
        super().__init__(now)
        self.meanwhile = meanwhile

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        self.meanwhile()
        return await super().wait(event, seconds)


async def test_of_two_hosts_that_come_at_once_one_gets_in(path: Path) -> None:
    """Both have seen that it is free; whoever writes last has it."""
    clock = Racing(NOW, lambda: Deed(path.parent).renew("bee", NOW, "bee's"))
    with pytest.raises(OutboxBusy, match="another daemon has just taken"):
        await keeper(path, "ant", clock).move_in()

    assert Deed(path.parent).names("bee's")


async def test_who_has_lost_the_folder_leaves_the_new_owner_in_peace(path: Path) -> None:
    """It may only give up what is its own."""
    clock = FakeClock(NOW)
    ant, bee = keeper(path, "ant", clock), keeper(path, "bee", clock)
    await ant.move_in()
    clock.time += LASTS
    await bee.move_in()
    await ant.move_out()

    with pytest.raises(OutboxBusy, match="on bee"):
        await keeper(path, "cat", clock).move_in()


async def test_a_second_daemon_of_the_host_leaves_the_first_ones_lease_alone(path: Path) -> None:
    """The file's lock refuses it; when it goes, the first is still the owner."""
    clock = FakeClock(NOW)
    first, second = keeper(path, "ant", clock), keeper(path, "ant", clock)
    await first.move_in()
    await second.move_in()
    await second.move_out()

    with pytest.raises(OutboxBusy, match="on ant"):
        await keeper(path, "bee", clock).move_in()
    await second.renew()
    assert Deed(path.parent).names(second.token)


async def test_nothing_is_written_to_what_another_host_may_use(path: Path) -> None:
    """From the moment when the lease has run out, and not only when it should be renewed."""
    clock = FakeClock(NOW)
    outbox = Outbox(path, clock=clock)
    await Housekeeper(outbox, clock, "ant").move_in()
    await outbox.open()
    await outbox.add(owed("d1"))
    clock.time += 600
    assert await outbox.add(owed("d2")) == 1, "nobody has come"
    Deed(path.parent).renew("bee", clock.now(), "bee's")
    before = path.with_name(f"{path.name}-wal").read_bytes()
    for _ in range(2):
        with pytest.raises(OutboxBusy, match="not this daemon's any more"):
            await outbox.add(owed("d3"))
    await outbox.close()

    assert path.with_name(f"{path.name}-wal").read_bytes() == before, "closing would write"


async def test_who_has_slept_does_not_come_back_into_what_others_have_used(path: Path) -> None:
    """Another host came and went meanwhile: what this one remembers of the file is wrong."""
    clock = FakeClock(NOW)
    outbox = Outbox(path, clock=clock)
    ant, bee = Housekeeper(outbox, clock, "ant"), keeper(path, "bee", clock)
    await ant.move_in()
    clock.time += 600
    await bee.move_in()
    await bee.move_out()
    with pytest.raises(OutboxBusy, match="was not this daemon's for a while"):
        await ant.keep(lambda: [], asyncio.Event())


async def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(OutboxError, match="nowhere cannot be written"):
        await keeper(tmp_path / "nowhere" / "outbox.sqlite", "ant", FakeClock(NOW)).move_in()


async def test_who_has_slept_too_long_gives_way(outbox: Outbox) -> None:
    """Another host has taken over meanwhile: two would tell everything twice."""
    clock = FakeClock(NOW)
    Deed(outbox.path.parent).renew("bee", NOW, "bee's")
    with pytest.raises(OutboxBusy, match="on bee"):
        await Housekeeper(outbox, clock, "ant").keep(lambda: [], asyncio.Event())


async def test_the_house_is_kept_in_order_until_the_stop(outbox: Outbox) -> None:
    """The lease is renewed, what is old is forgotten, and who is gone is owed nothing."""
    clock, stopping = FakeClock(NOW + 100 * DAY), asyncio.Event()
    await kill(outbox, "dead")
    await outbox.add(owed("stranger", channel="gone"))
    await outbox.add(owed("here"))

    def channels() -> list[str]:
        if clock.time > NOW + 101 * DAY:
            stopping.set()
        else:
            clock.time += DAY
        return ["team"]

    with capture_logs() as logs:
        await Housekeeper(outbox, clock, "ant").keep(channels, stopping)

    assert [(one["event"], one.get("number")) for one in logs] == [("dead_letters_forgotten", 1)]
    assert {id: state.value for id, state in (await states(outbox)).items()} == {
        "here": "pending",
        "stranger": "suppressed",
    }
    assert Deed(outbox.path.parent).other_owner("bee", clock.now()) is not None


@pytest.mark.parametrize(
    ("end", "days", "is_kept"),
    [(told, 29.9, True), (told, 30.1, False), (dead, 89.9, True), (dead, 90.1, False)],
)
async def test_what_has_ended_is_kept_for_a_while(
    outbox: Outbox, end: Callable[[Claim], Outcome], days: float, is_kept: bool
) -> None:
    """The history for thirty days, dead letters for ninety."""
    await outbox.add(owed("a"))
    await outbox.settle([end(await take_one(outbox))])
    await clean_up(outbox, NOW + days * DAY)

    assert (await outbox.record("a") is not None) is is_kept


@pytest.mark.parametrize(("hours", "state"), [(23, "pending"), (25, "suppressed")])
async def test_a_channel_that_is_gone_is_owed_for_a_day(
    outbox: Outbox, hours: float, state: str
) -> None:
    """From when it was first missed, however old it is: it may come back."""
    await outbox.add(owed("a", channel="gone"))
    later = NOW + 10 * DAY
    await clean_up(outbox, later)
    await clean_up(outbox, later + hours * 3600)

    assert (await record(outbox, "a")).state == state


async def clean_up(outbox: Outbox, now: float) -> None:
    """Clean up once."""
    stopping = asyncio.Event()

    def channels() -> list[str]:
        stopping.set()
        return ["team"]

    outbox.held = None  # a lease of days ago is not what is looked at
    await Housekeeper(outbox, FakeClock(now), "ant").keep(channels, stopping)
