"""Decides which channels hear an event. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notifyd.events.catalogue import matches
from notifyd.model import Event

ADDRESSEE = "channel"
"""The key in a message's data that names the one channel it is for."""
TROUBLED = "channel_name"
"""The key in an event's data that names the channel whose trouble it tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A channel and the patterns it asked for."""

    channel: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """The channels in the order of the configuration."""

    subscribers: tuple[Subscriber, ...] = ()

    def route(self, event: Event) -> Sequence[str]:
        """Return the names of the channels that this event is owed to.

        A channel's own trouble is told through the others: whoever asks for it, or else the
        first there is.
        """
        addressee = event.data.get(ADDRESSEE)
        if addressee is not None:
            return [one.channel for one in self.subscribers if one.channel == addressee]
        types = (event.type, *event.stands_for)
        troubled = event.data.get(TROUBLED)
        others = [one for one in self.subscribers if one.channel != troubled]
        heard = [one.channel for one in others if matches(one.patterns, *types)]
        if troubled is not None and not heard:
            return [one.channel for one in others[:1]]
        return heard
