"""Bucket and breaker of one channel, side by side: may a message go now?"""

from __future__ import annotations

from notifyd.channels.settings import ChannelSettings
from notifyd.delivery.breaker import Breaker, State
from notifyd.delivery.bucket import Bucket


class Gate:
    """Holds the two while a worker lives; a reload hands it on when its settings are the same."""

    def __init__(self, settings: ChannelSettings, now: float) -> None:
        limit, breaker = settings.rate_limit, settings.circuit_breaker
        self.settings = (limit, breaker)
        self.bucket = Bucket.full(limit.max_requests / limit.window, limit.burst, now)
        self.breaker = Breaker(
            failure_threshold=breaker.failure_threshold,
            timeout=breaker.timeout,
            success_threshold=breaker.success_threshold,
        )

    def wait(self, now: float) -> float:
        """Return the seconds until a message may go."""
        return max(self.bucket.wait(now), self.breaker.wait(now))

    def take(self, now: float) -> None:
        """One message goes."""
        self.bucket = self.bucket.take(now)

    def pause(self, until: float) -> None:
        """The receiver has asked for a pause: no failure, but nothing goes before."""
        self.bucket = self.bucket.pause(until)

    def succeeded(self) -> None:
        self.breaker = self.breaker.succeeded()

    def failed(self, now: float) -> bool:
        """Note a failure, and tell whether it opened the breaker."""
        before = self.breaker.state(now)
        self.breaker = self.breaker.failed(now)
        return before is not State.OPEN and self.breaker.state(now) is State.OPEN
