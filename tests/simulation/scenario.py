"""What a run is made of: the channels, what is to be told, what goes wrong, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from notifyd.channels.settings import ChannelSettings, RateLimit
from notifyd.events.catalogue import CATALOGUE
from notifyd.model import Event, derived_id
from tests.fakes import an_event

Deed = Literal["kill", "stop", "reload", "mute", "jump"]


class SimulatedSettings(ChannelSettings):
    """A channel that may have several addresses behind it, and may edit what it has sent."""

    type: str = "simulated"
    addresses: tuple[str, ...] = ("",)
    per_address: RateLimit | None = None
    editable: bool = False

    @property
    def keeps_cards(self) -> bool:
        return self.editable and self.cards

    @property
    def targets(self) -> tuple[str, ...]:
        return self.addresses

    @property
    def target_limit(self) -> RateLimit | None:
        return self.per_address


Channels = Mapping[str, SimulatedSettings]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is seen at one look."""

    at: float
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that somebody does to the daemon."""

    at: float
    deed: Deed
    channel: str = ""
    number: float = 0.0
    """Operations until the kill, seconds of a mute, or by which the wall clock jumps."""
    late: bool = False
    """The kill comes when the operation is committed."""
    channels: Channels = field(default_factory=dict)
    """The new settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A run from its first moment to the last fault. Times are virtual seconds."""

    channels: Channels
    batches: Sequence[Batch]
    acts: Sequence[Act] = ()
    end: float = 0.0
    """When all faults are over."""
    latency: float = 0.0
    """Seconds that each operation of the store takes."""


def job_event(job: int, type: str, time: float, number: int = 0, **data: int) -> Event:
    """Return an event of a job; `number` tells those apart that say the same."""
    return an_event(
        type,
        id=derived_id("simulated", job, type, number),
        severity=CATALOGUE[type].severity,
        time=time,
        subject=str(job),
        group=f"demo/{job}",
        data={"job_id": str(job), "job_name": f"job {job}", "cluster": "demo", **data},
    )
