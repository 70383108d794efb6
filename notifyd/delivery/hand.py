"""What a worker has in hand: taken from the store, sent from here, put back when it cannot go."""

from __future__ import annotations

import dataclasses
import math
import secrets
from collections import deque
from collections.abc import Iterable

import structlog

from notifyd.channels.settings import Batch, ChannelSettings
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.verdict import Policy, given_up, heirs, put_back
from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.records import By, Claim, Lease, Outcome
from notifyd.rendering.digest import digest

AT_ONCE = 100
"""So many deliveries are taken in hand, or turned away, at once."""
_TRIES = 4
"""A delivery is tried so often while it is in hand: as an edit and anew, each in full and plain."""
_NOT_YET = 300.0
"""Seconds after which it is looked again whether others can tell what a refused channel owes."""
_BEYOND = 20.0
"""Seconds by which a lease outlasts these tries."""


class Hand:
    """The claims of one channel that wait to be sent. Its calls raise OutboxError."""

    def __init__(
        self, name: str, settings: ChannelSettings, desk: Desk, gate: Gate, policy: Policy
    ) -> None:
        self._name = name
        self._settings = settings
        self._desk = desk
        self._gate = gate
        self._policy = policy
        # Of its own: what a worker before it has left is not taken for what is in hand here.
        self._owner = f"{desk.owner}/{name}/{secrets.token_hex(4)}"
        self._before: list[str] = []
        """Owners that have ended, and may have left something in their hands."""
        self._waiting: deque[Claim] = deque()
        self._away: set[str] = set()
        """What is being sent, or is still to be written down."""
        self._in_doubt = False
        self._log = structlog.get_logger("delivery").bind(channel=name)

    def __len__(self) -> int:
        return len(self._waiting)

    def doubt(self) -> None:
        """The store has failed: it may have given what we do not know of."""
        self._in_doubt = True

    def inherit(self, before: Hand) -> None:
        """Owe again what one that has ended may still have, where the store has failed it."""
        self._before += [*before._before, before._owner]

    def take(self) -> Claim:
        """Return what was brought forward; it is on its way until it is `written`."""
        claim = self._waiting.popleft()
        self._away.add(claim.delivery.id)
        return claim

    def written(self, outcomes: Iterable[Outcome]) -> None:
        """What became of these is stored."""
        self._away.difference_update(one.claim.delivery.id for one in outcomes)

    def is_stale(self, now: float) -> bool:
        """Tell whether its lease is over: the machine has slept, and others may have it."""
        return self._waiting[0].until <= now

    def bring_forward(self, now: float) -> float:
        """Put first whose target may be used first; return in how many seconds that is."""
        first = self._gate.target_wait(now, self._waiting[0].delivery.target)
        if first <= 0:
            return first
        pauses = [self._gate.target_wait(now, claim.delivery.target) for claim in self._waiting]
        soonest = min(pauses)
        self._waiting.rotate(-pauses.index(soonest))
        return soonest

    async def fill(self) -> float:
        """Take what may be sent now in hand; return the seconds until there is something."""
        outbox, now = self._desk.outbox, self._desk.clock.now()
        await self._recall()
        claims = await outbox.claim(self._name, self._lease(now), self._room())
        self._waiting.extend(claims)
        return 0.0 if claims else await self._next_due(now)

    async def hush(self, why: str) -> float:
        """End what may be sent now, unsent; return the seconds until there is more."""
        outbox, now = self._desk.outbox, self._desk.clock.now()
        await self._recall()
        if self._waiting:
            await self._suppress(list(self._waiting), why)
            self._waiting.clear()
        if claims := await outbox.claim(self._name, self._lease(now), AT_ONCE):
            await self._suppress(claims, why)
            return 0.0
        return await self._next_due(now)

    async def _recall(self) -> None:
        """Owe again what a failing store may have given without anybody's knowing."""
        while self._before:
            await self._desk.outbox.take_back(self._name, self._before[0], [])
            del self._before[0]
        if self._in_doubt:
            known = [*(claim.delivery.id for claim in self._waiting), *self._away]
            await self._desk.outbox.take_back(self._name, self._owner, known)
            self._in_doubt = False

    async def _next_due(self, now: float) -> float:
        resting = self._gate.resting(self._desk.clock.monotonic())
        due = await self._desk.outbox.next_due(self._name, self._owner, tuple(resting))
        pauses = [*resting.values(), *([] if due is None else [due - now])]
        return max(min(pauses, default=math.inf), 0.01)

    async def folded(self, claim: Claim) -> Delivery:
        """Return what is sent for the claim: itself, or with all that its message tells too."""
        by, most = self._folding()
        # What was tried tells again what it told, also when a reload has ended all batches since.
        if claim.delivery.alone or (by is None and not claim.tried):
            return claim.delivery
        lease = self._lease(self._desk.clock.now())
        folded = await self._desk.outbox.fold(claim, by or "group", lease, most - 1)
        if not folded.types:
            return claim.delivery
        return digest(claim.delivery, folded.listed, folded.types)

    async def put_back(self) -> None:
        """Owe again what waits in hand."""
        now = self._desk.clock.now()
        await self._desk.outbox.settle([put_back(claim, now) for claim in self._waiting])
        self._waiting.clear()

    async def turn_away(self, reason: str) -> bool:
        """Give up some that was owed for too long; a channel that is refused hands on the rest.

        Return whether there was any.
        """
        outbox, lease = self._desk.outbox, self._lease(self._desk.clock.now())
        await self._recall()
        if claims := await outbox.expired(self._name, lease, AT_ONCE):
            await self._settle([self._given_up(one, reason) for one in claims])
        elif self._hands_on():
            claims = await outbox.claim(self._name, lease, AT_ONCE)
            await self._settle([self._handed_on(one, reason) for one in claims])
        return bool(claims)

    def _hands_on(self) -> bool:
        heirs = map(self._desk.settings_of, self._settings.fallback)
        return self._gate.refusal is not None and any(one is not None for one in heirs)

    def _handed_on(self, claim: Claim, reason: str) -> Outcome:
        """Return the end of what others can tell; the rest waits for the channel to be mended."""
        if self._policy.heirs_of(claim.delivery):
            return self._given_up(claim, reason)
        now = self._desk.clock.now()
        return dataclasses.replace(put_back(claim, now, due=now + _NOT_YET), detail=reason)

    def _given_up(self, claim: Claim, reason: str) -> Outcome:
        return given_up(claim, reason, self._policy, self._desk.clock.now())

    async def _settle(self, outcomes: list[Outcome]) -> None:
        if outcomes:
            await self._desk.outbox.settle(outcomes)
            self._desk.wake(heirs(outcomes))

    async def _suppress(self, claims: list[Claim], why: str) -> None:
        now, state = self._desk.clock.now(), DeliveryState.SUPPRESSED
        outcomes = [Outcome(claim=one, state=state, at=now, detail=why) for one in claims]
        await self._desk.outbox.settle(outcomes)
        self._log.info("suppressed", number=len(claims), why=why)

    def _room(self) -> int:
        """Return how many to take: what tells of others, or has its target's limit, one by one."""
        if self._folding()[0] is not None or self._settings.target_limit is not None:
            return 1
        tokens = self._gate.bucket.level(self._desk.clock.monotonic())
        return max(1, min(AT_ONCE, int(tokens)))

    def _folding(self) -> tuple[By | None, int]:
        if self._settings.digest is not None:
            return "channel", self._settings.digest.max_size
        if self._settings.batch is not None:
            return self._settings.batch.by, self._settings.batch.max_size
        return None, Batch().max_size

    def _lease(self, now: float) -> Lease:
        until = now + _TRIES * self._settings.longest_try + _BEYOND
        resting = tuple(self._gate.resting(self._desk.clock.monotonic()))
        return Lease(owner=self._owner, now=now, until=until, resting=resting)
