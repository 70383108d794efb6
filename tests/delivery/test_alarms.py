"""What is told of a channel in trouble."""

from __future__ import annotations

from notifyd.delivery.alarms import channel_event
from notifyd.model import Severity


def test_it_tells_which_channel_why_and_for_how_long() -> None:
    """In an event like any other, in a story of its own."""
    event = channel_event("channel_disabled", "team", now=190.0, since=100.0, error="401")

    assert event.data == {"channel_name": "team", "error": "401", "lasted_seconds": 90}
    assert (event.type, event.subject, event.group) == ("channel_disabled", "team", "channel/team")
    assert (event.severity, event.time) == (Severity.ERROR, 190)


def test_one_trouble_is_one_event_however_often_it_is_told() -> None:
    """The id is that of the channel, the type, and the second in which it began."""
    first = channel_event("channel_degraded", "team", 160.0, 100.0001, "down")
    again = channel_event("channel_degraded", "team", 220.0, 99.9999, "still down")
    others = [
        channel_event("channel_degraded", "team", 160.0, 150.0, "down"),
        channel_event("channel_degraded", "mail", 160.0, 100.0, "down"),
        channel_event("channel_recovered", "team", 160.0, 100.0, None),
    ]

    assert first.id == again.id
    assert len({first.id, *(event.id for event in others)}) == 4
