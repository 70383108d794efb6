"""May a message go now? Buckets, breaker and refusal of one channel, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import TypeAdapter

from notifyd.channels.settings import ChannelSettings, RateLimit
from notifyd.delivery.breaker import Breaker
from notifyd.delivery.bucket import Bucket

_KEPT_TARGETS = 1000
"""So many addresses behind a channel have buckets of their own; the least used is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a gate keeps over a restart: seconds that were left at `at` (Unix seconds)."""

    at: float
    tokens: float
    pause: float = 0.0
    targets: dict[str, tuple[float, float]] | None = None
    """The tokens and the pause of each address that is not as good as new."""
    trouble_lasted: float | None = None
    closed_for: float = 0.0
    since: float | None = None
    """When the trouble began (Unix seconds)."""
    held: bool = False
    told: str | None = None


_MEMORY = TypeAdapter(Memory)


class Gate:
    """Holds them while a worker lives; a reload hands it on when its settings are the same."""

    def __init__(self, settings: ChannelSettings, now: float) -> None:
        self.settings = settings
        limit, breaker = settings.rate_limit, settings.circuit_breaker
        self.bucket = Bucket.full(limit, now)
        self.targets: dict[str, Bucket] = {}
        self.breaker = Breaker(**breaker.model_dump())
        self.refusal: str | None = None
        """Why the service takes nothing from us at all, until somebody changes something."""
        self.held = False
        """The last that the receiver has said is that it wants a pause."""
        self.since: float | None = None
        """When the trouble began that lasts, or whose end is still to be told (Unix seconds)."""
        self.told: str | None = None
        """What somebody has been told of the trouble: the type of that event."""
        self.trusted = False
        """The last that is known of the receiver is good: more than one may be on its way."""
        self.is_back = False
        """It works again, or may: what waits because of that need not wait for its next try."""
        self.is_new = True
        """Nothing is known yet of what the daemon before has left."""

    @property
    def is_open(self) -> bool:
        """Whether the channel is given up for now, by the service or by the breaker."""
        return self.refusal is not None or self.breaker.since is not None

    def in_trouble(self, now: float) -> bool:
        """Tell whether nothing goes, given up or not, and that is the receiver's doing."""
        return self.is_open or (self.held and self.bucket.paused_until > now)

    def wait(self, now: float) -> float:
        """Return the seconds until a message may go: infinite while the service refuses us."""
        if self.refusal is not None:
            return math.inf
        return max(self.bucket.wait(now), self.breaker.wait(now))

    def target_wait(self, now: float, target: str) -> float:
        """Return the seconds until this address may be used, as far as that is up to itself."""
        return self.targets[target].wait(now) if target in self.targets else 0.0

    def resting(self, now: float) -> dict[str, float]:
        """Return the targets that may not be used yet, and for how many seconds."""
        waits = {name: bucket.wait(now) for name, bucket in self.targets.items()}
        return {name: wait for name, wait in waits.items() if wait > 0}

    def spend(self, now: float, target: str = "") -> None:
        """One request is made; a message may need more than one."""
        self.bucket = self.bucket.take(now)
        limit = self.settings.target_limit
        if limit is not None:
            self.targets[target] = self._target(target, limit, now).take(now)
            self._forget_one()

    def pause(self, until: float, target: str | None = None) -> None:
        """The receiver has asked for a pause: nothing goes before."""
        if target is None:
            self.bucket = self.bucket.pause(until)
            self.held = True
            return
        limit = self.settings.target_limit or self.settings.rate_limit
        self.targets[target] = self._target(target, limit, until).pause(until)
        self._forget_one()

    def succeeded(self, now: float) -> None:
        """Note a success; it may close the breaker."""
        before = self.breaker.since
        self.breaker = self.breaker.succeeded(now)
        self.trusted, self.held = True, False
        self.is_back |= before is not None and self.breaker.since is None

    def failed(self, now: float) -> bool:
        """Note a failure, and tell whether it has opened the breaker."""
        before = self.breaker.since
        self.breaker = self.breaker.failed(now)
        self.trusted = False
        return before is None and self.breaker.since is not None

    def refuse(self, reason: str) -> None:
        """The service takes nothing from us any more."""
        self.refusal = reason

    def readmit(self) -> None:
        """Somebody has changed something: try again, if we were refused."""
        if self.refusal is not None:
            self.refusal, self.trusted, self.is_back = None, False, True

    def fits(self, settings: ChannelSettings) -> bool:
        """Tell whether it can go on under these settings."""
        mine = self.settings
        return (mine.rate_limit, mine.circuit_breaker, mine.target_limit) == (
            settings.rate_limit,
            settings.circuit_breaker,
            settings.target_limit,
        )

    def dump(self, now: float, wall: float) -> str:
        """Return what is kept over a restart."""
        since = self.breaker.since
        memory = Memory(
            at=wall,
            tokens=self.bucket.level(now),
            pause=max(self.bucket.paused_until - now, 0.0),
            targets={
                name: (one.level(now), max(one.paused_until - now, 0.0))
                for name, one in self.targets.items()
                if one.paused_until > now or one.level(now) < one.burst
            },
            trouble_lasted=None if since is None else now - since,
            closed_for=max(self.breaker.until - now, 0.0),
            since=self.since,
            held=self.held,
            told=self.told,
        )
        return _MEMORY.dump_json(memory, exclude_defaults=True).decode()

    def load(self, text: str, now: float, wall: float) -> None:
        """Go on where the daemon before has stopped. Raises ValueError for what is no memory."""
        memory = _MEMORY.validate_json(text)
        self.is_new = False
        then = now - max(wall - memory.at, 0.0)
        limit = self.settings.rate_limit
        self.bucket = Bucket.full(limit, then).left(memory.tokens, then + memory.pause)
        limit = self.settings.target_limit or limit
        for name, (tokens, left) in (memory.targets or {}).items():
            self.targets[name] = Bucket.full(limit, then).left(tokens, then + left)
        if memory.trouble_lasted is not None:
            since, until = then - memory.trouble_lasted, then + memory.closed_for
            self.breaker = self.breaker.reopened(since, until)
        self.told, self.since, self.held = memory.told, memory.since, memory.held

    def _target(self, target: str, limit: RateLimit, now: float) -> Bucket:
        return self.targets.get(target) or Bucket.full(limit, now)

    def _forget_one(self) -> None:
        if len(self.targets) > _KEPT_TARGETS:
            best = min(self.targets, key=lambda name: self.targets[name].worth)
            del self.targets[best]
