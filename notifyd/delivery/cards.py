"""Which messages are kept up to date instead of being followed by new ones. Pure."""

from __future__ import annotations

from notifyd.model import Event

_QUIET = frozenset({"job_submitted", "job_started", "collection_progress"})
"""What changes a card without a sound. All else is a message of its own, which is heard."""


def is_story(event: Event) -> bool:
    """Tell whether the event is a part of what is told of an array or a collection."""
    return "total" in event.data


def is_quiet(event: Event) -> bool:
    """Tell whether the event only brings its story's card up to date."""
    return is_story(event) and event.type in _QUIET
