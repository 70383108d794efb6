"""What a configuration comes to: the channels that are ready to send, and who hears what."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from notifyd.channels.registry import KINDS, Tools
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.config.schema import Config
from notifyd.delivery.fleet import Place
from notifyd.delivery.intake import Rules
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router, Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Built as a whole before anything is swapped, so that a bad configuration changes nothing."""

    config: Config
    places: Mapping[str, Place]
    rules: Rules


def plan_of(config: Config, transport: Transport, clock: Clock) -> Plan:
    """Build what the enabled channels need. Raises ConfigError."""
    tools = Tools(transport=transport, clock=clock, write=_write)
    places = {
        name: Place(channel=KINDS[one.type].build(one, tools), settings=one)
        for name, one in config.channels.items()
        if one.enabled
    }
    return Plan(config=config, places=places, rules=_rules(places, config))


def _rules(places: Mapping[str, Place], config: Config) -> Rules:
    subscribers = tuple(
        Subscriber(channel=name, patterns=place.settings.events) for name, place in places.items()
    )
    return Rules(
        router=Router(subscribers=subscribers),
        renderer=Renderer(config.templates),
        channels={name: place.settings for name, place in places.items()},
    )


def _write(text: str) -> None:
    # Where the locale knows no emoji, a replacement beats no message.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
