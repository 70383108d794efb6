"""The seam between delivery and the services: what a channel is."""

from __future__ import annotations

from typing import Protocol

from pydantic import Field

from notifyd.model import Delivery
from notifyd.settings import Duration, Settings


class Channel(Protocol):
    """A configured place that takes deliveries."""

    async def send(self, delivery: Delivery) -> None:
        """Hand the delivery to the service, or raise Temporary- or PermanentFailure."""


class RateLimit(Settings):
    """A token bucket: `burst` at once, and from then on `max_requests` in each `window`."""

    max_requests: int = Field(default=10, ge=1)
    window: Duration = Field(default=1.0, gt=0)
    burst: int = Field(default=20, ge=1)


class Retry(Settings):
    """How failed deliveries are tried again."""

    initial_delay: Duration = Field(default=1.0, gt=0)
    max_delay: Duration = Field(default=900.0, gt=0)
    multiplier: float = Field(default=2.0, ge=1)
    give_up_after: Duration = Field(default=86400.0, gt=0)


class CircuitBreaker(Settings):
    """When a channel is left alone for a while, and when it is trusted again."""

    failure_threshold: int = Field(default=5, ge=1)
    timeout: Duration = Field(default=60.0, gt=0)
    success_threshold: int = Field(default=2, ge=1)


class ChannelSettings(Settings):
    """What every channel has, whatever its kind."""

    type: str
    """The kind of channel; each kind narrows it to its own name."""
    enabled: bool = True
    events: tuple[str, ...] = ("job_ended", "job_stuck")
    rate_limit: RateLimit = RateLimit()
    retry: Retry = Retry()
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    timeout: Duration = Field(default=15.0, gt=0, le=300)
    """How long one attempt may take, in seconds."""
