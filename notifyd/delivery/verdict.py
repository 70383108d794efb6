"""What becomes of a delivery after a try: told, put back, handed to others, or given up. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.settings import ChannelSettings, Retry
from notifyd.delivery import backoff
from notifyd.model import Delivery, DeliveryState, Message, delivery_id, derived_id
from notifyd.outbox.records import Attempt, Card, Claim, Outcome, Owed

Failure = TemporaryFailure | PermanentFailure
SettingsOf = Callable[[str], ChannelSettings | None]
"""Finds the settings of a channel by its name; None where there is no such channel."""


def no_settings(channel: str) -> ChannelSettings | None:
    """There are no other channels."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried with a delivery, and how it ended: a receipt, or the last failure."""

    attempts: tuple[Attempt, ...]
    end: Receipt | Failure
    card: Card | None = None
    """The message that its story is kept in from now on."""
    told: Message | None = None
    """What was said, where it is not the delivery's own message."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one channel treats what fails."""

    retry: Retry
    settings_of: SettingsOf = no_settings
    """Those of the channels that can be told instead."""

    def heirs_of(self, delivery: Delivery) -> Sequence[str]:
        """Return the channels, in order, that can be told instead."""
        return [name for name in delivery.fallback if self.settings_of(name) is not None]


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
                told=tried.told,
            )
        case PermanentFailure():
            outcome = _refused(claim, end, policy, now)
        case TemporaryFailure():
            outcome = _failed(claim, end, policy, now, chance)
    return dataclasses.replace(outcome, attempts=tried.attempts, told=tried.told)


def given_up(claim: Claim, reason: str, policy: Policy, now: float) -> Outcome:
    """Return the end of a claim that this channel does not take: others are told, or it is dead."""
    chain = policy.heirs_of(claim.delivery)
    heir = policy.settings_of(chain[0]) if chain else None
    if heir is None:
        return Outcome(claim=claim, state=DeliveryState.DEAD, at=now, detail=reason)
    return Outcome(
        claim=claim,
        state=DeliveryState.SUPPRESSED,
        at=now,
        detail=f"given up, told through {chain[0]} instead: {reason}",
        instead=tuple(
            Owed(
                delivery=_handed_on(claim.delivery, chain, target, heir, now),
                # Who hears the event anyway is not told it twice.
                unless=delivery_id(claim.delivery.event.id, chain[0], target),
            )
            for target in heir.targets
        ),
    )


def heirs(outcomes: Iterable[Outcome]) -> set[str]:
    """Return the channels to which something is owed instead."""
    return {owed.delivery.channel for outcome in outcomes for owed in outcome.instead}


def put_back(claim: Claim, now: float, due: float | None = None) -> Outcome:
    """Return a claim to the queue as if nobody had taken it."""
    return Outcome(claim=claim, state=DeliveryState.PENDING, at=now, due=due)


def _handed_on(
    delivery: Delivery, chain: Sequence[str], target: str, heir: ChannelSettings, now: float
) -> Delivery:
    return dataclasses.replace(
        delivery,
        # By the event, not the delivery: of several addresses that fail, others hear once.
        id=derived_id(delivery.event.id, "fallback", chain[0], target),
        channel=chain[0],
        target=target,
        rule=f"fallback of {delivery.channel}",
        fallback=tuple(chain[1:]),
        alone=heir.keeps_cards and delivery.alone,
        created=now,
        due=now,
        expires=now + heir.retry.give_up_after[delivery.event.severity],
    )


def _refused(claim: Claim, failure: PermanentFailure, policy: Policy, now: float) -> Outcome:
    if failure.fault is Fault.CHANNEL and not policy.heirs_of(claim.delivery):
        # It is not the message's fault: it waits for the channel to be mended.
        return dataclasses.replace(put_back(claim, now, due=now), detail=failure.reason)
    return given_up(claim, failure.reason, policy, now)


def _failed(
    claim: Claim, failure: TemporaryFailure, policy: Policy, now: float, chance: float
) -> Outcome:
    if now >= claim.delivery.expires:
        return given_up(claim, failure.reason, policy, now)
    pause = 0.0  # the whole channel, or its address, waits
    if not failure.busy:
        pause = backoff.delay(policy.retry, claim.delivery.attempts + 1, chance)
    if failure.only_target:
        pause = max(pause, failure.retry_after or 0.0)
    return Outcome(
        claim=claim,
        state=DeliveryState.PENDING,
        at=now,
        counted=int(not failure.busy),
        due=now + pause,
        detail=failure.reason,
    )
