"""The events by which a channel's own trouble is told through another one. Pure."""

from __future__ import annotations

from notifyd.events.catalogue import CATALOGUE
from notifyd.model import Event, derived_id

DEGRADED = "channel_degraded"
DISABLED = "channel_disabled"
RECOVERED = "channel_recovered"
WORTH_TELLING = 60.0
"""Seconds: what is over sooner is nobody's concern."""


def channel_event(type: str, channel: str, now: float, since: float, error: str | None) -> Event:
    """Return what is told of a channel that has been in trouble since then (Unix seconds)."""
    event_id = derived_id(type, channel, round(since))
    return Event(
        id=event_id,
        type=type,
        severity=CATALOGUE[type].severity,
        time=now,
        source="/notifyd",
        subject=channel,
        group=f"channel/{channel}",
        data={"channel_name": channel, "error": error, "lasted_seconds": round(now - since)},
    )
