"""Deliveries as rows, and rows as deliveries."""

from __future__ import annotations

import math
import sqlite3

from pydantic import ValidationError

from notifyd.clock import local_time
from notifyd.model import Delivery, DeliveryState, Message
from notifyd.outbox.records import CONTENT, MESSAGE, Attempt, Claim, Content, Named, Record
from notifyd.outbox.statements import Values

DAMAGED = "this version of notifyd cannot read it"
_FOR_EVER = 1e15
"""Unix seconds; SQLite would write an infinite number as it likes."""


def lane_of(delivery: Delivery) -> str:
    """Return what must stay in order: one job's story at one address."""
    group = delivery.event.group
    return f"{delivery.target}\n{group}" if delivery.target else group


def row_of(delivery: Delivery, fingerprint: str | None, told: float | None) -> Values:
    """Return a delivery as a row; one that was `told` already (Unix seconds) is suppressed."""
    content = Content(event=delivery.event, message=delivery.message, fallback=delivery.fallback)
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "target": delivery.target,
        "lane": lane_of(delivery),
        "event_type": delivery.event.type,
        "subject": delivery.event.subject,
        "rule": delivery.rule,
        "content": CONTENT.dump_json(content).decode(),
        "fingerprint": fingerprint,
        "alone": delivery.alone,
        "state": DeliveryState.PENDING if told is None else DeliveryState.SUPPRESSED,
        "created": delivery.created,
        "due": delivery.due,
        "expires": min(delivery.expires, _FOR_EVER),
        "finished": None if told is None else delivery.created,
        "detail": None if told is None else f"says the same as the one of {local_time(told)}",
    }


def delivery_of(row: sqlite3.Row) -> Delivery:
    """Return the delivery of a row. Raises ValidationError if its content cannot be read."""
    # By position: a look-up by name compares with the names of all columns before it.
    id, channel, target, rule, text, attempts, created, due, expires, alone, *_ = row
    content = CONTENT.validate_json(text)
    return Delivery(
        id=id,
        channel=channel,
        event=content.event,
        message=content.message,
        target=target,
        rule=rule,
        alone=bool(alone),
        fallback=content.fallback,
        attempts=attempts,
        created=created,
        due=due,
        expires=math.inf if expires >= _FOR_EVER else expires,
    )


def claim_of(row: sqlite3.Row, until: float) -> Claim:
    """Return the row as a claim that has just been made. Raises ValidationError."""
    return Claim(
        delivery=delivery_of(row),
        fence=row["fence"] + 1,
        lane=row["lane"],
        until=until,
        tried=bool(row["tried"]),
    )


def record_of(row: sqlite3.Row, attempts: list[sqlite3.Row], tells: int) -> Record:
    """Return a row as the history shows it, readable or not."""
    title, body = _said(row)
    return Record(
        id=row["id"],
        channel=row["channel"],
        target=row["target"],
        event_type=row["event_type"],
        subject=row["subject"],
        rule=row["rule"],
        title=title,
        body=body,
        state=DeliveryState(row["state"]),
        created=row["created"],
        due=row["due"],
        expires=row["expires"],
        finished=row["finished"],
        detail=row["detail"],
        ref=row["ref"],
        told_in=row["told_in"],
        tells=tells,
        attempts=tuple(Attempt(**dict(attempt)) for attempt in attempts),
        told=_told(row),
    )


def named(row: sqlite3.Row) -> Named:
    """Return the row by its name, readable or not."""
    return Named(id=row["id"], title=_said(row)[0])


def _said(row: sqlite3.Row) -> tuple[str, str]:
    try:
        message = CONTENT.validate_json(row["content"]).message
    except ValidationError:
        return str(row["event_type"]), ""
    return message.title, message.body


def _told(row: sqlite3.Row) -> Message | None:
    try:
        return None if row["told"] is None else MESSAGE.validate_json(row["told"])
    except ValidationError:
        return None
