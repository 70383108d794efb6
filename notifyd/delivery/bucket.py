"""A token bucket: how fast a channel may be used. Pure: the caller tells the time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from notifyd.channels.settings import RateLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """`rate` tokens a second flow in, up to `burst`; a message takes one.

    Times are seconds of a clock that never goes back.
    """

    rate: float
    burst: int
    tokens: float
    updated: float
    paused_until: float = 0.0

    @staticmethod
    def full(limit: RateLimit, now: float) -> Bucket:
        """Return a bucket that nobody has used yet."""
        rate, burst = limit.max_requests / limit.window, limit.burst
        return Bucket(rate=rate, burst=burst, tokens=float(burst), updated=now)

    def left(self, tokens: float, paused_until: float) -> Bucket:
        """Return the bucket as it was left: with so many tokens, and closed until then."""
        return dataclasses.replace(
            self, tokens=min(tokens, float(self.burst)), paused_until=paused_until
        )

    @property
    def worth(self) -> tuple[float, float]:
        """How much would be lost if it were forgotten, as something to compare."""
        return (self.paused_until, -self.tokens)

    def wait(self, now: float) -> float:
        """Return the seconds until a message may go: 0 for at once."""
        pause = max(self.paused_until - now, 0.0)
        lacking = 1.0 - self.level(now)
        return max(pause, lacking / self.rate if lacking > 1e-9 else 0.0)

    def take(self, now: float) -> Bucket:
        """Return the bucket after one message."""
        return Bucket(
            rate=self.rate,
            burst=self.burst,
            tokens=self.level(now) - 1.0,
            updated=now,
            paused_until=self.paused_until,
        )

    def pause(self, until: float) -> Bucket:
        """Return the bucket closed until then: the receiver has asked for it."""
        return dataclasses.replace(self, paused_until=max(until, self.paused_until))

    def level(self, now: float) -> float:
        """Return how many tokens there are."""
        return min(self.tokens + max(now - self.updated, 0.0) * self.rate, float(self.burst))
