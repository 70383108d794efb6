"""When a failed delivery is tried again, and when it is given up. Pure."""

from __future__ import annotations

from notifyd.channels.settings import Retry


def delay(retry: Retry, attempts: int, chance: float) -> float:
    """Return the seconds until the next try after `attempts` failed ones.

    Grows exponentially up to `max_delay`. `chance`, from 0 to 1, spreads it between half and
    all of that, so that what failed together does not come back together.
    """
    # Beyond 64 steps every multiplier worth the name has reached the ceiling, and floats end.
    steps = min(max(attempts - 1, 0), 64)
    longest = min(retry.initial_delay * retry.multiplier**steps, retry.max_delay)
    return longest * (0.5 + chance / 2)


def is_over(retry: Retry, created: float, now: float) -> bool:
    """Tell whether a delivery has been owed for so long that it is given up."""
    return now - created >= min(retry.give_up_after.values())
