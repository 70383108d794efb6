"""The intake: who is owed what, when, for how long, and who is told instead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from notifyd.bus import Bus, NotTaken
from notifyd.channels.settings import ChannelSettings, EditableSettings
from notifyd.delivery.intake import Intake, Rules
from notifyd.model import DeliveryState, Severity
from notifyd.outbox.records import Record
from notifyd.outbox.store import Outbox
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router, Subscriber
from tests.delivery.parts import a_lease, many, plain
from tests.fakes import FakeClock, an_event

NOW = 1_000_000.0
OWED = DeliveryState.PENDING


def rules(channels: Mapping[str, ChannelSettings]) -> Rules:
    heard = [Subscriber(channel=name, patterns=one.events) for name, one in channels.items()]
    return Rules(router=Router(subscribers=tuple(heard)), renderer=Renderer({}), channels=channels)


@dataclass(slots=True)
class Desk:
    """An intake, and whom it wakes."""

    outbox: Outbox
    woken: list[str] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)

    def _wake(self, names: Iterable[str]) -> None:
        self.woken.extend(sorted(names))

    def intake(self, **channels: ChannelSettings) -> Intake:
        return Intake(self.outbox, self.clock, self._wake, rules(channels))

    async def records(self, channel: str = "team") -> list[Record]:
        return (await self.outbox.history(100, channel=channel))[::-1]


@pytest.fixture
def desk(outbox: Outbox) -> Desk:
    return Desk(outbox)


async def test_each_channel_that_asks_is_owed_one(desk: Desk) -> None:
    """And is woken; others are left alone."""
    deaf = plain(events=["job_stuck"])
    await desk.intake(team=plain(), mail=plain(), deaf=deaf).take_in([an_event()])

    assert desk.woken == ["mail", "team"]
    assert [len(await desk.records(name)) for name in ("team", "mail", "deaf")] == [1, 1, 0]


async def test_each_target_is_owed_one_of_its_own(desk: Desk) -> None:
    """In a lane of its own: one that is slow does not hold up the other."""
    await desk.intake(team=many()).take_in([an_event()])
    claims = await desk.outbox.claim("team", a_lease(), 9)

    assert [claim.delivery.target for claim in claims] == ["a", "b"]
    assert len({claim.delivery.id for claim in claims}) == 2


async def test_a_replay_changes_nothing(desk: Desk) -> None:
    """Every id is derived. It wakes all the same: what was added first may have told nobody."""
    intake = desk.intake(team=many())
    await intake.take_in([an_event()])
    await intake.take_in([an_event(), an_event()])

    assert len(await desk.records()) == 2
    assert desk.woken == ["team", "team"]


async def test_it_is_due_at_once_or_with_its_digest(desk: Desk) -> None:
    """As the channel's timetable says."""
    calm = plain(digest={"every": "1h"})
    await desk.intake(team=plain(), calm=calm).take_in([an_event()])

    assert [record.due for record in await desk.records()] == [NOW]
    assert [record.due for record in await desk.records("calm")] == [1_000_800]


async def test_all_targets_are_told_at_the_same_time(desk: Desk) -> None:
    """Three chats that are told the same are no burst."""
    batched = many(to=["a", "b", "c"], batch={"max_wait": 30})
    await desk.intake(team=batched).take_in([an_event()])

    assert [record.due for record in await desk.records()] == [NOW] * 3


async def test_its_life_is_that_of_its_severity(desk: Desk) -> None:
    """Counted from when it is due: what waits for a digest is not too old for it."""
    lives = {"give_up_after": {"info": "10m", "error": "1h"}}
    quick, calm = plain(retry=lives), plain(retry=lives, digest={"every": "1h"})
    events = [an_event(), an_event("job_failed", id="e2", severity=Severity.ERROR)]
    await desk.intake(team=quick, calm=calm).take_in(events)

    assert [record.expires - NOW for record in await desk.records()] == [600, 3600]
    assert [record.expires - NOW for record in await desk.records("calm")] == [1400, 3600]


async def test_its_fallback_is_that_of_the_moment(desk: Desk) -> None:
    """No reload changes it afterwards."""
    intake = desk.intake(team=plain(fallback=["mail", "desk"]))
    await intake.take_in([an_event()])
    intake.rules = rules({"team": plain()})
    (claim,) = await desk.outbox.claim("team", a_lease(), 9)

    assert claim.delivery.fallback == ("mail", "desk")


async def test_what_says_the_same_is_told_once(desk: Desk) -> None:
    """Within the time that the channel asks for, at each target."""
    same = many(deduplicate="1m")
    intake = desk.intake(team=same)
    for number, pause in enumerate((0, 30, 61)):
        desk.clock.time += pause
        await intake.take_in([an_event(id=f"e{number}")])
    found = [record.state for record in await desk.records()]

    assert found == ["pending"] * 2 + ["suppressed"] * 2 + ["pending"] * 2


async def test_what_is_repeated_all_the_time_is_told_now_and_then(desk: Desk) -> None:
    """What was held back has not been told: it does not hold back the next one."""
    intake = desk.intake(team=plain(deduplicate="1m"))
    for number in range(10):
        await intake.take_in([an_event(id=f"e{number}")])
        desk.clock.time += 40
    found = [record.state for record in await desk.records()]

    assert found.count(DeliveryState.PENDING) == 5


async def test_what_differs_in_its_reason_is_not_the_same(desk: Desk) -> None:
    """Another exit code is other news."""
    intake = desk.intake(team=plain(deduplicate="1m"))
    for number, code in enumerate((1, 2)):
        data = {"job_id": "1", "job_name": "train", "exit_code": code}
        await intake.take_in([an_event("job_failed", id=f"e{number}", data=data)])

    assert [str(record.state) for record in await desk.records()] == ["pending", "pending"]


async def test_what_cannot_be_stored_goes_back_to_its_publisher(desk: Desk) -> None:
    """Who has to try again."""
    bus = Bus()
    with bus.subscribe("intake", lossless=True) as inbox:
        intake = desk.intake(team=plain())
        work = asyncio.get_running_loop().create_task(intake.run(inbox))
        await desk.outbox.close()
        with pytest.raises(NotTaken):
            await bus.publish([an_event()])
        work.cancel()
        await asyncio.wait([work])


async def test_what_cannot_be_written_is_told_in_part(desk: Desk) -> None:
    """And the others, which came with it, as they are."""
    intake = desk.intake(team=plain())
    await intake.take_in([an_event(), an_event(id="e2", group="\ud800", subject="7\ud800")])

    told = {record.subject: record.state for record in await desk.outbox.history(9)}
    assert told == {"1": OWED, "7?": OWED}


async def test_what_there_are_no_words_for_is_told_by_its_name(desk: Desk) -> None:
    """As an event of another version would be."""
    await desk.intake(team=plain(events=["*"])).take_in([an_event(type="job_teleported")])
    (record,) = await desk.outbox.history(9)

    assert record.title == "job teleported: 1"


async def test_stories_of_a_channel_that_keeps_cards_go_at_once_and_alone(desk: Desk) -> None:
    """A burst of them is not put off: they change messages that are there."""
    cards = EditableSettings(type="fake", batch={"max_wait": 30}, events=("job_ended",))
    story = [an_event(id=str(n), type="job_completed", data={"total": 9}) for n in range(3)]
    await desk.intake(team=cards).take_in(story)
    claims = await desk.outbox.claim("team", a_lease(), 9)

    assert [claim.delivery.alone for claim in claims] == [True]
    assert await desk.outbox.next_due("team", "me") is None
