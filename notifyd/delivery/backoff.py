"""When a failed delivery is tried again. Pure."""

from __future__ import annotations

from notifyd.channels.settings import Retry


def delay(retry: Retry, attempts: int, chance: float) -> float:
    """Return the seconds until the next try after `attempts` failed ones.

    Exponential up to `max_delay`, with full jitter: `chance`, from 0 to 1, picks any moment of
    that span, so that what failed together does not come back together. Source:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    # Beyond 64 steps every multiplier worth the name has reached the ceiling, and floats end.
    steps = min(max(attempts - 1, 0), 64)
    return min(retry.initial_delay * retry.multiplier**steps, retry.max_delay) * chance
