"""How deliveries are written down, and what the history shows of them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from notifyd.model import DeliveryState, Event, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The part of a delivery that only the sender reads."""

    event: Event
    message: Message


CONTENT = TypeAdapter(Content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `outcome` is `delivered`, `temporary` or `permanent`."""

    at: float
    seconds: float
    outcome: str
    detail: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the history."""

    id: str
    channel: str
    event_type: str
    subject: str
    title: str
    state: DeliveryState
    created: float
    due: float
    finished: float | None
    detail: str | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What a channel still owes. `oldest` is in Unix seconds."""

    pending: int
    oldest: float
