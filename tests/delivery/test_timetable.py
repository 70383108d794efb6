"""The timetable: bursts are told together, and what can wait at set times of day."""

from __future__ import annotations

import datetime
import time
import zoneinfo
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifyd.channels.settings import Digest
from notifyd.delivery.timetable import Timetable, next_digest
from notifyd.model import Severity
from tests.delivery.parts import plain
from tests.fakes import an_event

DAY = 86400.0
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
SetZone = Callable[[str], zoneinfo.ZoneInfo]


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetZone]:
    """Put the machine into a time zone, and out of it again."""

    def set_to(name: str) -> zoneinfo.ZoneInfo:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        return zoneinfo.ZoneInfo(name)

    yield set_to
    monkeypatch.undo()
    time.tzset()


def moment(zone: zoneinfo.ZoneInfo, *parts: int, fold: int = 0) -> float:
    year, month, day, hour, minute = parts
    local = datetime.datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold)
    return local.timestamp()


def dues(by: str, *events: tuple[float, str, str]) -> list[float]:
    """Return when events (time, type, group) are due on a channel that gathers for 30 s."""
    table, team = Timetable(), plain(batch={"max_wait": 30, "by": by})
    return [
        table.due("team", team, an_event(type, group=group), now) for now, type, group in events
    ]


def test_without_a_batch_or_a_digest_it_goes_at_once() -> None:
    """Whatever came before."""
    table = Timetable()

    assert [table.due("team", plain(), an_event(), now) for now in (5.0, 5.0, 6.0)] == [5, 5, 6]


def test_the_first_goes_at_once_and_the_burst_together() -> None:
    """What comes within 30 s of a message waits for the next, 30 s after that one."""
    events = [(now, "job_failed", "g") for now in (0.0, 1.0, 29.0, 30.0, 31.0, 61.0, 120.0)]

    assert dues("event_type", *events) == [0, 30, 30, 60, 60, 90, 120]


def test_after_a_quiet_time_the_next_is_a_first_again() -> None:
    """Exactly 30 s are enough."""
    assert dues("event_type", (0.0, "job_failed", "g"), (30.0, "job_failed", "g")) == [0, 30]


@pytest.mark.parametrize(
    ("by", "expected"),
    [("event_type", [0, 0, 30]), ("group", [0, 30, 0]), ("channel", [0, 30, 30])],
)
def test_what_a_burst_is_can_be_chosen(by: str, expected: list[float]) -> None:
    """Of one type, of one job, or all that a channel is told."""
    events = [(0.0, "job_failed", "a"), (0.0, "job_completed", "a"), (0.0, "job_failed", "b")]

    assert dues(by, *events) == expected


def test_channels_do_not_wait_for_each_other() -> None:
    """A burst on one is none on the other."""
    table, batched = Timetable(), plain(batch={})

    assert [table.due(name, batched, an_event(), 0.0) for name in ("a", "b")] == [0, 0]


@settings(max_examples=300)
@given(st.lists(st.floats(0, 50), min_size=1, max_size=60))
def test_messages_of_a_key_are_never_closer_than_max_wait(pauses: list[float]) -> None:
    """Nothing is due before it came, or more than max_wait after; and order is kept."""
    now, last = 0.0, float("-inf")
    table, team = Timetable(), plain(batch={"max_wait": 30})
    for pause in pauses:
        now += pause
        due = table.due("team", team, an_event(), now)
        assert now <= due <= now + 30
        assert due == last or due >= last + 30
        last = due


def test_a_clock_that_was_set_back_delays_nothing_for_long() -> None:
    """The next message comes within max_wait, whatever the clock showed before."""
    table, team = Timetable(), plain(batch={"max_wait": 30})
    table.due("team", team, an_event(), 10_000.0)

    assert table.due("team", team, an_event(), 0.0) <= 30


def test_many_keys_do_not_slow_it_down() -> None:
    """A big array has a key a job: what is over is forgotten, and not looked for each time."""
    table, team = Timetable(), plain(batch={"max_wait": 1, "by": "group"})
    for number in range(11_000):
        table.due("team", team, an_event(group=f"g{number}"), float(number))

    assert len(table._bursts) <= 1_001


def test_what_is_urgent_does_not_wait_for_the_digest() -> None:
    """Failures go at once, all else at the next time."""
    team = plain(digest={"every": "1h"})
    table, now = Timetable(), 1800.0

    assert table.due("team", team, an_event(severity=Severity.ERROR), now) == now
    assert table.due("team", team, an_event(severity=Severity.WARNING), now) == 3600


def test_the_urgent_of_a_digest_is_batched_all_the_same() -> None:
    """A thousand failures at once are no thousand messages."""
    team = plain(digest={"every": "1h"}, batch={"max_wait": 30})
    table, failed = Timetable(), an_event(severity=Severity.ERROR)

    assert [table.due("team", team, failed, 1800.0) for _ in range(3)] == [1800, 1830, 1830]


def test_a_digest_at_an_interval_keeps_its_rhythm() -> None:
    """Counted from midnight UTC: a restart in the middle does not shift it."""
    six_hours = Digest(every=6 * 3600)

    assert [next_digest(six_hours, now) for now in (0.0, 1.0, 21599.9)] == [21600] * 3
    assert next_digest(six_hours, 21600.0) == 43200


@pytest.mark.parametrize("name", ZONES)
def test_times_of_day_are_those_of_the_machine(set_zone: SetZone, name: str) -> None:
    """08:00 where the machine is; the one that is now has passed."""
    zone, twice = set_zone(name), Digest(at=("17:30", "08:00"))
    noon = moment(zone, 2026, 6, 1, 12, 0)

    evening = next_digest(twice, noon)
    assert evening == moment(zone, 2026, 6, 1, 17, 30)
    assert next_digest(twice, evening) == moment(zone, 2026, 6, 2, 8, 0)


def test_a_time_that_the_clocks_skip_comes_all_the_same(set_zone: SetZone) -> None:
    """In Berlin there was no 02:30 on 29 March 2026: that digest is told an hour sooner, once."""
    zone, early = set_zone("Europe/Berlin"), Digest(at=("02:30",))
    evening = moment(zone, 2026, 3, 28, 20, 0)

    skipped = next_digest(early, evening)
    assert skipped == moment(zone, 2026, 3, 29, 1, 30)
    assert next_digest(early, skipped) == moment(zone, 2026, 3, 30, 2, 30)


def test_a_time_that_comes_twice_is_told_once(set_zone: SetZone) -> None:
    """In Berlin 25 October 2026 had two 02:30: the first counts."""
    zone, early = set_zone("Europe/Berlin"), Digest(at=("02:30",))
    first = next_digest(early, moment(zone, 2026, 10, 24, 20, 0))

    assert first == moment(zone, 2026, 10, 25, 2, 30)
    assert next_digest(early, first) == moment(zone, 2026, 10, 26, 2, 30)


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    now=st.floats(1.2e9, 2e9),
    times=st.lists(st.times().map(lambda time: f"{time:%H:%M}"), min_size=1, max_size=4),
)
def test_the_next_digest_is_within_a_day(
    set_zone: SetZone, name: str, now: float, times: list[str]
) -> None:
    """Later than now, and at most a day ahead, or 25 hours when clocks change."""
    set_zone(name)
    due = next_digest(Digest(at=tuple(times)), now)

    assert now < due <= now + DAY + 3600


def test_a_day_that_a_country_leaves_out_stops_nothing(set_zone: SetZone) -> None:
    """Samoa had no 30 December 2011: what comes late on the 29th waits for the 31st."""
    zone, morning = set_zone("Pacific/Apia"), Digest(at=("08:00",))

    due = next_digest(morning, moment(zone, 2011, 12, 29, 20, 0))
    assert due == moment(zone, 2011, 12, 31, 8, 0)
