"""What becomes of a delivery after a try: told, put back, handed to others, or given up. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.settings import Retry
from notifyd.delivery import backoff
from notifyd.model import Delivery, DeliveryState, derived_id
from notifyd.outbox.records import Attempt, Card, Claim, Outcome, Owed

Failure = TemporaryFailure | PermanentFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried with a delivery, and how it ended: a receipt, or the last failure."""

    attempts: tuple[Attempt, ...]
    end: Receipt | Failure
    card: Card | None = None
    """The message that its story is kept in from now on."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one channel treats what fails."""

    retry: Retry
    is_there: Callable[[str], bool] = lambda channel: True
    """Whether a channel of that name can be told instead."""
    targets: Callable[[str], Sequence[str]] = lambda channel: ("",)
    """The addresses behind it."""


def verdict(claim: Claim, tried: Tried, policy: Policy, now: float, chance: float) -> Outcome:
    """Return what becomes of the claim."""
    end = tried.end
    match end:
        case Receipt():
            return Outcome(
                claim=claim,
                state=DeliveryState.DELIVERED,
                at=now,
                attempts=tried.attempts,
                ref=end.ref,
                card=tried.card,
            )
        case PermanentFailure():
            outcome = _refused(claim, end, policy, now)
        case TemporaryFailure():
            outcome = _failed(claim, end, policy, now, chance)
    return dataclasses.replace(outcome, attempts=tried.attempts)


def given_up(claim: Claim, reason: str, policy: Policy, now: float) -> Outcome:
    """Return the end of a claim that this channel does not take: others are told, or it is dead."""
    chain = [name for name in claim.delivery.fallback if policy.is_there(name)]
    if not chain:
        return Outcome(claim=claim, state=DeliveryState.DEAD, at=now, detail=reason)
    return Outcome(
        claim=claim,
        state=DeliveryState.SUPPRESSED,
        at=now,
        detail=f"given up, told through {chain[0]} instead: {reason}",
        instead=tuple(
            Owed(delivery=_handed_on(claim.delivery, chain, target, policy, now))
            for target in policy.targets(chain[0])
        ),
    )


def heirs(outcomes: Iterable[Outcome]) -> set[str]:
    """Return the channels to which something is owed instead."""
    return {owed.delivery.channel for outcome in outcomes for owed in outcome.instead}


def put_back(claim: Claim, now: float, due: float | None = None) -> Outcome:
    """Return a claim to the queue as if nobody had taken it."""
    return Outcome(claim=claim, state=DeliveryState.PENDING, at=now, due=due)


def _handed_on(
    delivery: Delivery, chain: Sequence[str], target: str, policy: Policy, now: float
) -> Delivery:
    return dataclasses.replace(
        delivery,
        # By the event, not the delivery: of several addresses that fail, others hear once.
        id=derived_id(delivery.event.id, "fallback", chain[0], target),
        channel=chain[0],
        target=target,
        rule=f"fallback of {delivery.channel}",
        fallback=tuple(chain[1:]),
        created=now,
        due=now,
        expires=now + policy.retry.give_up_after[delivery.event.severity],
    )


def _refused(claim: Claim, failure: PermanentFailure, policy: Policy, now: float) -> Outcome:
    if failure.fault is Fault.CHANNEL and not any(map(policy.is_there, claim.delivery.fallback)):
        # It is not the message's fault: it waits for the channel to be mended.
        return dataclasses.replace(put_back(claim, now, due=now), detail=failure.reason)
    return given_up(claim, failure.reason, policy, now)


def _failed(
    claim: Claim, failure: TemporaryFailure, policy: Policy, now: float, chance: float
) -> Outcome:
    if now >= claim.delivery.expires:
        return given_up(claim, failure.reason, policy, now)
    counted = failure.retry_after is None
    pause = failure.retry_after
    if pause is None:
        pause = backoff.delay(policy.retry, claim.delivery.attempts + 1, chance)
    elif not failure.only_target:
        pause = 0.0  # the whole channel waits
    return Outcome(
        claim=claim,
        state=DeliveryState.PENDING,
        at=now,
        counted=int(counted),
        due=now + pause,
        detail=failure.reason,
    )
