"""The circuit breaker: opens on a row of failures, probes, and closes on successes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifyd.delivery.breaker import LONGEST, Breaker, State

BREAKER = Breaker(failure_threshold=3, timeout=60.0, success_threshold=2)


def opened(at: float = 0.0) -> Breaker:
    breaker = BREAKER
    for _ in range(3):
        breaker = breaker.failed(at)
    return breaker


def test_it_opens_at_the_threshold() -> None:
    """Two failures of three let messages through, the third does not."""
    almost = BREAKER.failed(0.0).failed(0.0)

    assert almost.state(0.0) is State.CLOSED
    assert opened().state(0.0) is State.OPEN
    assert opened().wait(0.0) == 60


def test_a_success_in_between_starts_the_count_anew() -> None:
    """Only failures in a row open it."""
    assert BREAKER.failed(0).failed(0).succeeded().failed(0).failed(0).state(0) is State.CLOSED


def test_it_probes_after_the_time_out_and_closes_on_successes() -> None:
    """Half open, one success is not enough."""
    half_open = opened()
    assert half_open.state(60.0) is State.HALF_OPEN

    once = half_open.succeeded()
    assert once.state(60.0) is State.HALF_OPEN
    assert once.succeeded().state(60.0) is State.CLOSED


def test_a_failed_probe_opens_it_for_twice_as_long() -> None:
    """The wait grows up to its ceiling, and starts small again after a close."""
    again = opened().failed(60.0)
    assert again.wait(60.0) == 120

    for _ in range(30):
        again = again.failed(60.0)
    assert again.wait(60.0) == LONGEST
    assert again.succeeded().succeeded() == BREAKER


@given(st.lists(st.booleans(), max_size=200))
def test_whatever_happens_it_never_waits_for_ever(outcomes: list[bool]) -> None:
    """Whoever waits as told may try, and enough successes always close it."""
    breaker, now = BREAKER, 0.0
    for good in outcomes:
        now += breaker.wait(now)
        assert breaker.state(now) is not State.OPEN
        breaker = breaker.succeeded() if good else breaker.failed(now)
    now += breaker.wait(now)

    assert breaker.succeeded().succeeded().state(now) is State.CLOSED
