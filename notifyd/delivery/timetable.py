"""When a delivery may go: at once, with the rest of its burst, or in the next digest. Pure."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from notifyd.channels.settings import Batch, ChannelSettings, Digest
from notifyd.model import Event

_TIDY = 1000
"""So many bursts are remembered before those that are over are looked for."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The last message of a burst, and when the next one would begin another."""

    last: float
    over: float


@dataclass(slots=True)
class Timetable:
    """Remembers when each channel's next message of a burst goes. Times are Unix seconds."""

    _bursts: dict[tuple[str, ...], Burst] = field(default_factory=dict)
    _tidy_at: int = _TIDY

    def due(self, channel: str, settings: ChannelSettings, event: Event, now: float) -> float:
        """Return when the event may be told on the channel."""
        if settings.digest is not None and event.severity not in settings.digest.urgent:
            return next_digest(settings.digest, now)
        if settings.batch is None:
            return now
        return self._in_burst((channel, *_key(settings.batch, event)), settings.batch, now)

    def _in_burst(self, key: tuple[str, ...], batch: Batch, now: float) -> float:
        """The first goes at once; what comes within `max_wait` of a message waits for the next."""
        burst = self._bursts.get(key)
        # A clock that was set back does not put anything off until the old time.
        last = -math.inf if burst is None else min(burst.last, now + batch.max_wait)
        if now >= last + batch.max_wait:
            last = now
        elif now >= last:
            last += batch.max_wait
        self._bursts[key] = Burst(last, last + batch.max_wait)
        self._tidy(now)
        return last

    def _tidy(self, now: float) -> None:
        if len(self._bursts) > self._tidy_at:
            self._bursts = {key: one for key, one in self._bursts.items() if one.over > now}
            self._tidy_at = max(_TIDY, 2 * len(self._bursts))


def next_digest(digest: Digest, now: float) -> float:
    """Return when the next digest is told, later than now."""
    if digest.every is not None:
        return (math.floor(now / digest.every) + 1) * digest.every
    return min(moment for moment in _moments(digest, now) if moment > now)


def _moments(digest: Digest, now: float) -> Iterator[float]:
    # Local time, day by day: a day on which the clocks change has its times all the same. Three
    # days, for there are places that have skipped one.
    today = datetime.datetime.fromtimestamp(now, datetime.UTC).astimezone().date()
    for day in range(3):
        for text in digest.at:
            hour, minute = map(int, text.split(":"))
            time = datetime.time(hour, minute)
            moment = datetime.datetime.combine(today + datetime.timedelta(days=day), time)
            yield moment.astimezone().timestamp()


def _key(batch: Batch, event: Event) -> tuple[str, ...]:
    match batch.by:
        case "event_type":
            return (event.type,)
        case "group":
            return (event.group,)
        case "channel":
            return ()
