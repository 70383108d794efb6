"""Retries wait longer each time, up to a ceiling, and not for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.settings import Retry
from notifyd.delivery.backoff import delay, is_over

RETRY = Retry(initial_delay=1, max_delay=60, multiplier=2, give_up_after=3600)


def test_the_delay_doubles_up_to_the_ceiling() -> None:
    """1, 2, 4 … seconds at the most, and half of that at the least."""
    assert [delay(RETRY, n, 1.0) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert delay(RETRY, 3, 0.0) == 2


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(1, 100))
def test_the_delay_is_always_a_sane_number(attempts: int, chance: float, factor: float) -> None:
    """However often it failed, and whatever the multiplier."""
    retry = Retry(initial_delay=1, max_delay=60, multiplier=factor, give_up_after=3600)

    assert 0.5 <= delay(retry, attempts, chance) <= 60


def test_a_delivery_is_given_up_at_the_end_of_its_life() -> None:
    """Counted from when it was first owed."""
    assert not is_over(RETRY, created=0, now=3599)
    assert is_over(RETRY, created=0, now=3600)
