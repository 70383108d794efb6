"""A circuit breaker: leaves a channel alone that keeps failing. Pure: the caller tells the time.

Closed, messages go. When in the last `window` seconds `failure_threshold` attempts have
failed, and they are at least half of all, it opens, and nothing goes for `timeout` seconds;
also when so many have failed in a row, for time-outs alone can take longer than the window.
Then it is half open: whoever sends tries one message at a time. `success_threshold` of them
in a row close it; one that fails opens it again, for a tenth of what the trouble has lasted:
so the end of an outage of ten minutes is seen within one, and the receiver is spared.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass

SPARED = 0.1
"""How long it stays open, as a share of how long the trouble has lasted."""
_SLOTS = 10
"""In so many steps the window moves on."""


class State(enum.StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True)
class Slot:
    """What became of the attempts in one part of the window."""

    number: int
    attempts: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Its settings, and what it has seen. Times are of a clock that never goes back."""

    failure_threshold: int = 5
    window: float = 60.0
    timeout: float = 3.0
    max_timeout: float = 300.0
    success_threshold: int = 2
    slots: tuple[Slot, ...] = ()
    streak: int = 0
    """Failures in a row."""
    since: float | None = None
    """When it opened first; None while it is closed."""
    until: float = 0.0
    """Open until then."""
    successes: int = 0
    """Successes in a row while half open."""

    def state(self, now: float) -> State:
        """Return what the breaker lets through."""
        if self.since is None:
            return State.CLOSED
        return State.OPEN if now < self.until else State.HALF_OPEN

    def wait(self, now: float) -> float:
        """Return the seconds until a message may go."""
        return 0.0 if self.since is None else max(self.until - now, 0.0)

    def succeeded(self, now: float) -> Breaker:
        """Return the breaker after a success."""
        if self.since is None:
            # While nothing fails there is nothing to compare with: the usual case costs nothing.
            return self._noted(now, failures=0) if self.slots else self
        if now < self.until:
            return self  # sent before it opened: it says nothing of now
        if self.successes + 1 < self.success_threshold:
            return dataclasses.replace(self, successes=self.successes + 1)
        return dataclasses.replace(self, slots=(), streak=0, since=None, until=0.0, successes=0)

    def failed(self, now: float) -> Breaker:
        """Return the breaker after a failure."""
        noted = self._noted(now, failures=1)
        if self.since is None and not noted._is_too_much():
            return noted
        if now < self.until:
            return self  # sent before it opened: it says nothing new
        since = now if self.since is None else self.since
        span = min(max((now - since) * SPARED, self.timeout), max(self.max_timeout, self.timeout))
        return dataclasses.replace(noted, since=since, until=now + span, successes=0)

    def reopened(self, since: float, until: float) -> Breaker:
        """Return the breaker as it was before a restart: in trouble since, and open until then."""
        return dataclasses.replace(self, since=since, until=until)

    def _noted(self, now: float, failures: int) -> Breaker:
        number = math.floor(now * _SLOTS / self.window)
        kept = [one for one in self.slots if one.number > number - _SLOTS]
        last = kept.pop() if kept and kept[-1].number == number else Slot(number)
        if any(one.failures for one in kept) or last.failures or failures:
            kept.append(Slot(number, last.attempts + 1, last.failures + failures))
        streak = self.streak + 1 if failures else 0
        return dataclasses.replace(self, slots=tuple(kept), streak=streak)

    def _is_too_much(self) -> bool:
        failures = sum(slot.failures for slot in self.slots)
        attempts = sum(slot.attempts for slot in self.slots)
        many = failures >= self.failure_threshold and failures * 2 >= attempts
        return many or self.streak >= self.failure_threshold
