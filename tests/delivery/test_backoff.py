"""Retries wait longer each time, up to a ceiling, at any moment of the span."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.settings import Retry
from notifyd.delivery.backoff import delay

RETRY = Retry(initial_delay=1, max_delay=60, multiplier=2)


def test_the_span_doubles_up_to_the_ceiling() -> None:
    """1, 2, 4 … seconds at the most."""
    assert [delay(RETRY, n, 1.0) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_chance_picks_any_moment_of_the_span() -> None:
    """Full jitter: what failed together comes back spread from now to the end of the span."""
    assert [delay(RETRY, 3, chance) for chance in (0.0, 0.25, 0.5, 1.0)] == [0, 1, 2, 4]


def test_the_ceiling_is_spread_too() -> None:
    """Those who have failed for long do not all come back at the ceiling."""
    assert delay(RETRY, 20, 0.5) == 30


def test_a_first_delay_above_the_ceiling_is_cut() -> None:
    """The ceiling holds from the first try on."""
    assert delay(Retry(initial_delay=100, max_delay=60), 1, 1.0) == 60


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(1, 100))
def test_the_delay_is_always_a_sane_number(attempts: int, chance: float, factor: float) -> None:
    """However often it failed, and whatever the multiplier."""
    retry = Retry(initial_delay=1, max_delay=60, multiplier=factor)

    assert 0 <= delay(retry, attempts, chance) <= 60


@given(st.integers(1, 200), st.floats(0, 1))
def test_one_more_failure_never_means_less_patience(attempts: int, chance: float) -> None:
    """With the same luck."""
    assert delay(RETRY, attempts, chance) <= delay(RETRY, attempts + 1, chance)
