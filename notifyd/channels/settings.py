"""What every channel can be told, whatever its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from notifyd.model import Severity
from notifyd.settings import Duration, Settings, parse_duration

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class RateLimit(Settings):
    """A token bucket: `burst` at once, and from then on `max_requests` in each `window`."""

    max_requests: int = Field(default=10, ge=1)
    window: Duration = Field(default=1.0, gt=0)
    burst: int = Field(default=20, ge=1)


_LIFETIMES: Mapping[Severity, float] = {
    severity: 6 * 3600.0 if severity is Severity.INFO else 86400.0 for severity in Severity
}
"""Seconds. That a job has started is no news after six hours; its end is, for a day."""


def _by_severity(value: object) -> object:
    """Let one duration stand for all severities; those that are left out keep their default."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(Severity, parse_duration(value))
    return {**_LIFETIMES, **{name: parse_duration(span) for name, span in value.items()}}


def _positive(spans: Mapping[Severity, float]) -> Mapping[Severity, float]:
    if min(spans.values()) <= 0:
        raise ValueError("has to be longer than 0 s")
    return spans


Lifetimes = Annotated[
    Mapping[Severity, float], BeforeValidator(_by_severity), AfterValidator(_positive)
]
"""How long a delivery is tried, by severity; in YAML one duration, or a mapping."""


class Retry(Settings):
    """How failed deliveries are tried again, and when they are given up."""

    initial_delay: Duration = Field(default=1.0, gt=0)
    max_delay: Duration = Field(default=900.0, gt=0)
    multiplier: float = Field(default=2.0, ge=1, le=100)
    give_up_after: Lifetimes = Field(
        default_factory=lambda: _by_severity({}), validate_default=True
    )


class CircuitBreaker(Settings):
    """When a channel is left alone for a while, and when it is trusted again."""

    failure_threshold: int = Field(default=5, ge=1)
    """So many failures in `window` open it, if they are at least half of the attempts."""
    window: Duration = Field(default=60.0, gt=0)
    timeout: Duration = Field(default=3.0, gt=0)
    """How long it stays open at first; from then on a tenth of what the trouble has lasted."""
    max_timeout: Duration = Field(default=300.0, gt=0)
    success_threshold: int = Field(default=2, ge=1)


class Batch(Settings):
    """A burst told in one message: the first goes at once, the rest together."""

    max_size: int = Field(default=10, ge=1, le=100)
    """How many are listed one by one; what is beyond is counted."""
    max_wait: Duration = Field(default=30.0, gt=0, le=86400)
    """How long after a message the next ones are gathered."""
    by: Literal["event_type", "channel", "group"] = "event_type"


def _checked_times(times: tuple[str, ...]) -> tuple[str, ...]:
    for time in times:
        if not _TIME.fullmatch(time):
            raise ValueError(f"`{time}` is no time of day: write it like 08:00")
    return tuple(sorted(times))


class Digest(Settings):
    """News that can wait, told together at set times."""

    at: Annotated[tuple[str, ...], AfterValidator(_checked_times)] = ()
    """Times of day on the machine's clock, as in `["08:00", "17:30"]`."""
    every: Duration | None = Field(default=None, ge=60, le=7 * 86400)
    """Or an interval, counted from 1970-01-01 00:00 UTC, so that a restart does not shift it: 6h
    is at the same times each day, 5h is not."""
    urgent: tuple[Severity, ...] = (Severity.ERROR, Severity.CRITICAL)
    """What does not wait."""
    max_size: int = Field(default=20, ge=1, le=100)

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        if bool(self.at) == (self.every is not None):
            raise ValueError("needs either `at` (times of day) or `every` (an interval)")
        return self


class ChannelSettings(Settings):
    """What every channel has, whatever its kind."""

    type: str
    """The kind of channel; each kind narrows it to its own name."""
    enabled: bool = True
    events: tuple[str, ...] = ("job_ended", "job_stuck")
    rate_limit: RateLimit = RateLimit()
    retry: Retry = Retry()
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    batch: Batch | None = Batch()
    """How bursts are told; None: each message by itself."""
    digest: Digest | None = None
    deduplicate: Duration | None = Field(default=None, gt=0, le=86400)
    """For so long, a message that says exactly the same is not told again."""
    fallback: tuple[str, ...] = ()
    """Channels that are told, one after the other, what this one does not take."""
    cards: bool = True
    """Keep one message an array or collection up to date, where the service can do that."""
    concurrency: int = Field(default=4, ge=1, le=100)
    """How many messages are on their way at the same time; one job's never are."""
    timeout: Duration = Field(default=15.0, gt=0, le=300)
    """How long one attempt may take, in seconds."""

    @property
    def longest_try(self) -> float:
        """After so many seconds a try is ended, also by a channel that forgets its time-outs."""
        return self.timeout * 2 + 5

    @property
    def targets(self) -> tuple[str, ...]:
        """The addresses behind it that are each owed a delivery of their own: usually one."""
        return ("",)

    @property
    def target_limit(self) -> RateLimit | None:
        """How fast each of them may be used, where that is less than the channel as a whole."""
        return None

    @property
    def keeps_cards(self) -> bool:
        """Whether the service can change a message, and it is wanted."""
        return False


class EditableSettings(ChannelSettings):
    """What a channel has whose service can change a message that it has taken."""

    @property
    def keeps_cards(self) -> bool:
        """Whether it is wanted: the service can."""
        return self.cards
