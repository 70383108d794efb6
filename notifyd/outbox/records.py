"""How deliveries are written down, taken in hand, settled, and shown in the history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from notifyd.model import Delivery, DeliveryState, Event, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The part of a delivery that only the sender reads."""

    event: Event
    message: Message
    fallback: tuple[str, ...] = ()


CONTENT = TypeAdapter(Content)
MESSAGE = TypeAdapter(Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A delivery as it is handed in. What says the same as a `fingerprint` is told once."""

    delivery: Delivery
    fingerprint: str | None = None
    alike_since: float = 0.0
    """How far back (Unix seconds) the same counts as told."""
    unless: str | None = None
    """If that is told or still owed, this is not; that one's chain goes on as this one's would."""


By = Literal["event_type", "channel", "group"]
"""What deliveries have in common that are told in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who takes something in hand, and until when it is theirs (Unix seconds)."""

    owner: str
    now: float
    until: float
    resting: tuple[str, ...] = ()
    """Addresses that may not be used for now: nothing of theirs is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery in somebody's hand. `fence` proves that it is still theirs."""

    delivery: Delivery
    fence: int
    lane: str
    until: float = math.inf
    """From then on (Unix seconds) it may be somebody else's: too late to send it."""
    tried: bool = False
    """It may have been sent before: what its message tells stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What one message tells besides the delivery that it is sent for."""

    listed: tuple[Delivery, ...]
    types: Mapping[str, int]
    """How many there are of each type of event, those that are listed included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `outcome` is `delivered`, `temporary` or `permanent`."""

    at: float
    seconds: float
    outcome: str
    status: int | None = None
    """The service's own code, where it gave one."""
    detail: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The message that a story is kept in: the service's own id of it."""

    ref: str
    written: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a claim. PENDING puts it back, to be tried again when it is `due`."""

    claim: Claim
    state: DeliveryState
    at: float
    attempts: tuple[Attempt, ...] = ()
    counted: int = 0
    """How many of these tries wear the delivery out; a pause that was asked for does not."""
    due: float | None = None
    detail: str | None = None
    ref: str | None = None
    card: Card | None = None
    told: Message | None = None
    """The message that was sent, where it told others too."""
    tried: bool = False
    """It may have been sent, although nobody knows of an attempt."""
    together: bool = False
    """What its message told besides shares its end, as it does when it is delivered."""
    instead: tuple[Owed, ...] = ()
    """What is owed to others in its place; what its message told besides is owed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A delivery by its id and its title."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the history."""

    id: str
    channel: str
    target: str
    event_type: str
    subject: str
    rule: str
    title: str
    body: str
    state: DeliveryState
    created: float
    due: float
    expires: float
    finished: float | None
    detail: str | None
    ref: str | None
    told_in: str | None
    """The delivery whose message told this one too."""
    tells: int
    """How many others its own message told."""
    attempts: tuple[Attempt, ...]
    others: tuple[Named, ...] = ()
    """The first ten of those; only where one delivery by itself is asked for."""
    told: Message | None = None
    """The message that was sent, where it told others too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What a channel still owes. `oldest` is in Unix seconds."""

    pending: int
    oldest: float
