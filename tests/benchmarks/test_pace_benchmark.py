"""What the pace is worth: how late news is, and for how many calls, on seeded traces.

The traces are assumptions (see `trace`), and nothing here measures real time: the figures are the
same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notifyd.slurm.pace import Tempo
from tests.benchmarks.trace import Trace, Watch, adaptive, busy, fixed, group, play, researcher

TRACES: list[Callable[[], Trace]] = [
    lambda: researcher(11, days=10),
    lambda: group(11),
    lambda: busy(11),
]


def as_late_as_fixed(watch: Watch) -> float:
    """Return the mean delay (seconds) of as many calls at a fixed interval."""
    return 3600 / watch.per_hour() / 2


def test_news_of_a_group_comes_sooner_than_by_as_many_calls_at_fixed_intervals() -> None:
    """A call is spent where it is worth most."""
    watch = play(group(11), adaptive(Tempo()))

    assert watch.mean() < 0.85 * as_late_as_fixed(watch)


def test_where_something_happens_day_and_night_nothing_is_gained_and_nothing_lost() -> None:
    """Arrays that always start and end leave no quiet time to save calls in."""
    watch = play(busy(11), adaptive(Tempo()))

    assert watch.mean() == pytest.approx(as_late_as_fixed(watch), rel=0.1)


@pytest.mark.parametrize("trace", TRACES, ids=["researcher", "group", "busy"])
def test_the_budget_holds_in_the_busiest_hour(trace: Callable[[], Trace]) -> None:
    """No hour of a trace has more calls than were allowed, and a busy one has most of them."""
    watch = play(trace(), adaptive(Tempo()))

    assert 100 <= watch.busiest_hour() <= 120


def test_a_researcher_gets_news_about_as_soon_as_by_thirty_seconds_for_half_the_calls() -> None:
    """The default budget: little is lost, and half of the calls are saved."""
    trace = researcher(11, days=10)
    auto, every_30 = play(trace, adaptive(Tempo())), play(trace, fixed(30))

    assert auto.per_hour() < 0.6 * every_30.per_hour()
    assert auto.mean() < 1.35 * every_30.mean()
    assert auto.mean() < 0.75 * as_late_as_fixed(auto)


def test_a_busy_group_loses_nearly_nothing_against_thirty_seconds() -> None:
    """Where something happens all the time, the budget is spent evenly."""
    trace = group(11)
    auto, every_30 = play(trace, adaptive(Tempo())), play(trace, fixed(30))

    assert auto.per_hour() < 0.8 * every_30.per_hour()
    assert auto.mean() < 1.2 * every_30.mean()


def test_twice_the_budget_halves_the_delay_and_is_seldom_spent() -> None:
    """With 240 calls an hour allowed, a researcher's day needs about a third of them."""
    trace = researcher(11, days=10)
    auto, every_15 = play(trace, adaptive(Tempo(calls_per_hour=240))), play(trace, fixed(15))

    assert auto.per_hour() < 0.4 * every_15.per_hour()
    assert auto.mean() < 1.6 * every_15.mean()
    assert auto.mean() < 0.6 * as_late_as_fixed(auto)


def test_the_simulation_tells_what_fixed_intervals_must_give() -> None:
    """Polling every T seconds sees things T / 2 late on average: so the yardstick is right."""
    watch = play(researcher(11, days=10), fixed(59))  # starts come in steps of 30 s

    assert watch.per_hour() == pytest.approx(3600 / 59, rel=0.01)
    assert watch.mean() == pytest.approx(59 / 2, rel=0.1)
    assert min(watch.news) >= 0
    assert max(watch.news) <= 59


def test_a_trace_is_the_same_every_time() -> None:
    """A seed is a trace: whoever plays it again gets the same figures."""
    assert researcher(3, days=1) == researcher(3, days=1)
    assert researcher(3, days=1) != researcher(4, days=1)
