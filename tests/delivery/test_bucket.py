"""The token bucket: never faster than it says, never later than it must."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.settings import RateLimit
from notifyd.delivery.bucket import Bucket


def a_bucket(rate: float, burst: int) -> Bucket:
    return Bucket.full(RateLimit(max_requests=1, window=1 / rate, burst=burst), 0.0)


def test_a_limit_is_so_many_in_a_window() -> None:
    """30 a minute are one every two seconds, after the burst."""
    bucket = Bucket.full(RateLimit(max_requests=30, window=60, burst=1), 0.0).take(0.0)

    assert bucket.wait(0.0) == 2


def test_a_burst_goes_at_once_and_then_at_the_rate() -> None:
    """The burst is spent first; after it each message waits for its token."""
    bucket = a_bucket(rate=2.0, burst=3)
    for _ in range(3):
        assert bucket.wait(0.0) == 0
        bucket = bucket.take(0.0)

    assert bucket.wait(0.0) == 0.5
    assert bucket.wait(0.5) == 0


def test_it_never_holds_more_than_the_burst() -> None:
    """A quiet night is no licence for a flood in the morning."""
    assert a_bucket(rate=10.0, burst=5).level(1e9) == 5


def test_a_pause_holds_whatever_tokens_there_are() -> None:
    """What the receiver asked for is never cut short, also not by a shorter one after it."""
    bucket = a_bucket(rate=10.0, burst=5).pause(30.0).pause(10.0)

    assert bucket.wait(0.0) == 30
    assert bucket.wait(30.0) == 0


def test_a_pause_survives_what_was_on_its_way() -> None:
    """A message taken after it was asked for does not end it."""
    assert a_bucket(rate=10.0, burst=5).pause(30.0).take(1.0).wait(1.0) == 29


def test_a_clock_that_stands_still_gives_no_tokens() -> None:
    """Nor one that is asked about the past."""
    empty = a_bucket(rate=1.0, burst=1).take(100.0)

    assert empty.level(100.0) == 0
    assert empty.level(50.0) == 0


@given(
    rate=st.floats(0.01, 100),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0, 30), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate_allow(rate: float, burst: int, steps: list[float]) -> None:
    """In any stretch from the start at most burst + rate × time messages go."""
    bucket, now, sent = a_bucket(rate, burst), 0.0, 0
    for pause in steps:
        now += pause
        while bucket.wait(now) == 0:
            bucket = bucket.take(now)
            sent += 1
            assert sent <= burst + rate * now + 1e-6
        now += bucket.wait(now)
        assert bucket.wait(now) < 1e-6, "whoever waits as told may go"
