"""A circuit breaker: leaves a channel alone that keeps failing. Pure: the caller tells the time.

Closed, messages go. After `failure_threshold` failures in a row it opens, and nothing goes
for `timeout` seconds. Then it is half open: one probe at a time; `success_threshold`
successes close it, one failure opens it again for twice as long.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass

LONGEST = 900.0
"""Seconds: an open breaker does not wait longer, however often its probe has failed."""


class State(enum.StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Its settings, and what it has seen. Times are of a clock that never goes back."""

    failure_threshold: int = 5
    timeout: float = 60.0
    success_threshold: int = 2
    failures: int = 0
    """Failures in a row while closed."""
    openings: int = 0
    """How often it opened since it was last closed."""
    successes: int = 0
    """Successes in a row while half open."""
    opened_at: float | None = None

    def state(self, now: float) -> State:
        """Return what the breaker lets through."""
        if self.opened_at is None:
            return State.CLOSED
        return State.OPEN if self.wait(now) > 0 else State.HALF_OPEN

    def wait(self, now: float) -> float:
        """Return the seconds until a message may go: 0 for at once."""
        if self.opened_at is None:
            return 0.0
        grown = self.timeout * 2.0 ** min(self.openings - 1, 20)
        span = min(grown, max(LONGEST, self.timeout))
        return max(self.opened_at + span - now, 0.0)

    def succeeded(self) -> Breaker:
        """Return the breaker after a success."""
        if self.opened_at is not None and self.successes + 1 < self.success_threshold:
            return dataclasses.replace(self, successes=self.successes + 1)
        return dataclasses.replace(self, failures=0, openings=0, successes=0, opened_at=None)

    def failed(self, now: float) -> Breaker:
        """Return the breaker after a failure."""
        failures = self.failures + 1
        if self.opened_at is None and failures < self.failure_threshold:
            return dataclasses.replace(self, failures=failures)
        return dataclasses.replace(
            self, failures=failures, openings=self.openings + 1, successes=0, opened_at=now
        )
