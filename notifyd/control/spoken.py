"""What a person says with a command: a text, or that a channel is to be tried."""

from __future__ import annotations

import secrets

from notifyd.events.catalogue import CATALOGUE
from notifyd.model import Delivery, Event, Scalar, derived_id
from notifyd.rendering.renderer import Renderer


def test_delivery(channel: str, now: float) -> Delivery:
    """Return a message that says only that the channel works."""
    event = _spoken("test", secrets.token_hex(8), now, {"channel": channel})
    message = Renderer().render(event)
    return Delivery(id=derived_id(event.id, channel), channel=channel, event=event, message=message)


def text_event(text: str, channel: str, id: str | None, now: float) -> Event:
    """Return a text for a channel; the same id gives the same event."""
    clean = text.encode("utf-8", "replace").decode()
    data: dict[str, Scalar] = {"text": clean, "channel": channel}
    return _spoken("message", id or secrets.token_hex(16), now, data)


def _spoken(kind: str, id: str, now: float, data: dict[str, Scalar]) -> Event:
    event_id = derived_id(kind, id)
    return Event(
        id=event_id,
        type=kind,
        severity=CATALOGUE[kind].severity,
        time=now,
        source="/notifyd",
        subject=kind,
        group=f"{kind}/{event_id}",
        data=data,
    )
