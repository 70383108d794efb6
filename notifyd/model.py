"""The values that every room speaks: jobs, events, messages and deliveries."""

from __future__ import annotations

import enum
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool | None
"""What an event's data may hold: flat, so that every receiver can read it."""


class Severity(enum.StrEnum):
    """How much an event matters, from least to most."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of one Slurm job or array task, as a snapshot shows it.

    Times are Unix seconds; whatever Slurm does not know is None, never "Unknown".
    """

    cluster: str
    job_id: str
    """As users write it: `4711`, `36_3`; `12+1` for a component of the het job `12`."""
    submit_time: int
    """With `job_id`, Slurm's own key of a run: a requeue renews it, by at least a second."""
    state: str
    name: str = ""
    user: str | None = None
    account: str | None = None
    partition: str | None = None
    reason: str | None = None
    array_job_id: str | None = None
    array_task_id: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    restart_count: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    time_limit_seconds: int | None = None
    nodes: int | None = None
    node_list: str | None = None
    cpus: int | None = None
    work_dir: str | None = None
    comment: str | None = None
    cancelled_by: int | None = None
    """The uid of whoever cancelled it; only accounting knows."""
    sluid: str | None = None
    """Slurm's own id of the run, where it has one (accounting since 24.11)."""
    expected_end: int | None = None
    """When its time limit will end a running job, suspensions counted in."""
    estimated_start: int | None = field(default=None, compare=False)
    """Slurm's guess for a waiting job. It moves all the time, and is no change of the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something worth telling. It has happened, and does not change any more."""

    id: str
    type: str
    severity: Severity
    time: float
    """When it happened (Unix seconds), not when it was seen."""
    source: str
    """Where it happened, as a URI reference: `/slurm/<cluster>`."""
    subject: str
    """Whom it is about: the job id as users write it."""
    group: str
    """What it must stay in order with: one group is one job's story."""
    data: Mapping[str, Scalar] = field(default_factory=dict)
    stands_for: tuple[str, ...] = ()
    """The types of the events that it tells in one: who asked for one of them hears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said of an event: plain text, which each channel escapes for its own medium."""

    title: str
    body: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and value pairs, in the order in which people want them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event owed to one channel."""

    id: str
    """Derived, so that a replay gives the same; receivers see it on every retry."""
    channel: str
    event: Event
    message: Message
    target: str = ""
    """The address behind the channel that it goes to, where the channel has several."""
    rule: str = "channel"
    """Which rule owes it: `channel` is the channel's own list of events."""
    fallback: tuple[str, ...] = ()
    """Who is told when it is given up; settled when it is owed, so that no reload changes it."""
    alone: bool = False
    """Never told in the message of another, for it keeps a message up to date."""
    plain: bool = False
    """To be written in the simplest form: the service did not like the other."""
    attempts: int = 0
    created: float = 0.0
    due: float = 0.0
    """Not to be sent before (Unix seconds)."""
    expires: float = math.inf
    """Tried until then (Unix seconds)."""


class DeliveryState(enum.StrEnum):
    """Where a delivery stands. All but PENDING and LEASED are final."""

    PENDING = "pending"
    LEASED = "leased"
    """A worker has it in hand."""
    DELIVERED = "delivered"
    DEAD = "dead"
    SUPPRESSED = "suppressed"


def delivery_id(event_id: str, channel: str, target: str = "") -> str:
    """Return the id of an event that is owed to a channel because the channel asked for it."""
    return derived_id(event_id, "channel", channel, *([target] if target else []))


def derived_id(*parts: str | int) -> str:
    """Return an id that is the same whenever the same thing is told again.

    The parts are joined with a byte that none of them can hold, so that two different
    things cannot run into one id.
    """
    text = "\0".join(str(part).replace("\0", "") for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
