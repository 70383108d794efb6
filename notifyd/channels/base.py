"""The seam between delivery and the services: what a channel is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from notifyd.channels.text import storable
from notifyd.model import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a service gave for a delivery that it took."""

    ref: str | None = None
    """The service's own id of the message; with it, what can be edited is found again."""
    status: int | None = None
    """The service's own code, such as 200 or 250."""

    def __post_init__(self) -> None:
        """Keep no id that cannot be stored: it is a service's text, and may be any."""
        if self.ref is not None:
            object.__setattr__(self, "ref", storable(self.ref))


class Channel(Protocol):
    """A configured place that takes deliveries."""

    async def send(self, delivery: Delivery) -> Receipt:
        """Hand the delivery to the service, or raise Temporary- or PermanentFailure.

        One that is `plain` is written in the simplest form that the service has.
        """


@runtime_checkable
class Editable(Protocol):
    """A channel whose service can change a message that it has already taken."""

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Put the delivery in the place of the message `ref`, quietly.

        Raises Temporary- or PermanentFailure; after the latter a new message is sent.
        """
