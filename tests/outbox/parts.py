"""What the tests of the outbox share: what is owed, leases, and how things end."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable

from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.protocols import Store
from notifyd.outbox.records import Attempt, By, Claim, Folded, Lease, Outcome, Owed, Record
from tests.fakes import a_delivery

NOW = 1_000_100.0
TRIED = Attempt(at=NOW, seconds=0.5, outcome="temporary", status=503, detail="it is down")
SENT = Attempt(at=NOW, seconds=0.1, outcome="delivered", status=200)

Reopen = Callable[[], Awaitable[Store]]
"""Closes the store, and opens it again: the next daemon."""


def delivery(
    id: str,
    channel: str = "team",
    group: str | None = None,
    type: str = "job_completed",
    **more: object,
) -> Delivery:
    """Return a delivery that is due; of a job of its own unless a group is named."""
    one = a_delivery(id, channel, group=group or id, type=type)
    return dataclasses.replace(one, **more)  # type: ignore[arg-type]


def owed(*ids: str, **more: object) -> list[Owed]:
    """Return deliveries as the store takes them in."""
    return [Owed(delivery=delivery(id, **more)) for id in ids]  # type: ignore[arg-type]


def lease(now: float = NOW, owner: str = "me", lasts: float = 60.0) -> Lease:
    return Lease(owner=owner, now=now, until=now + lasts)


def told(claim: Claim) -> Outcome:
    return Outcome(
        claim=claim, state=DeliveryState.DELIVERED, at=NOW, attempts=(SENT,), counted=1, ref="m1"
    )


def dead(claim: Claim) -> Outcome:
    return Outcome(claim=claim, state=DeliveryState.DEAD, at=NOW, attempts=(TRIED,), detail="no")


def again(claim: Claim, due: float | None = None) -> Outcome:
    """Return that it was tried, and has to be tried again."""
    return Outcome(
        claim=claim,
        state=DeliveryState.PENDING,
        at=NOW,
        attempts=(TRIED,),
        counted=1,
        due=due,
        detail="it is down",
    )


def handed_on(claim: Claim, to: str = "mail") -> Outcome:
    """Return that another channel is told instead."""
    return Outcome(
        claim=claim,
        state=DeliveryState.SUPPRESSED,
        at=NOW,
        detail=f"told through {to} instead",
        instead=tuple(owed(f"{claim.delivery.id} by {to}", channel=to)),
    )


async def take(
    store: Store, channel: str = "team", now: float = NOW, limit: int = 100
) -> list[Claim]:
    return await store.claim(channel, lease(now), limit)


async def take_one(
    store: Store, channel: str = "team", now: float = NOW, owner: str = "me"
) -> Claim:
    (claim,) = await store.claim(channel, lease(now, owner), 1)
    return claim


async def fold(store: Store, leader: Claim, by: By, limit: int = 100, now: float = NOW) -> Folded:
    return await store.fold(leader, by, lease(now), limit)


async def kill(store: Store, *ids: str, **more: object) -> None:
    """Let what is owed be given up."""
    await store.add(owed(*ids, **more))
    while claims := await take(store):
        await store.settle([dead(claim) for claim in claims])


async def drain(store: Store, channel: str = "team", now: float = NOW) -> list[str]:
    """Tell all that is due, and return the order in which it came."""
    order: list[str] = []
    while claims := await take(store, channel, now):
        order += ids(claims)
        await store.settle([told(claim) for claim in claims])
    return order


async def states(store: Store) -> dict[str, DeliveryState]:
    return {record.id: record.state for record in await store.history(10_000)}


async def record(store: Store, id: str) -> Record:
    found = await store.record(id)
    assert found is not None
    return found


def ids(claims: Iterable[Claim]) -> list[str]:
    return [claim.delivery.id for claim in claims]
