"""Every kind of channel. A new one joins by being listed here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from notifyd.channels.base import Channel
from notifyd.channels.console import Console, ConsoleSettings, Write, wants_colour
from notifyd.channels.desktop import Desktop, DesktopSettings
from notifyd.channels.discord import Discord, DiscordSettings
from notifyd.channels.email import Email, EmailSettings
from notifyd.channels.matrix import Matrix, MatrixSettings
from notifyd.channels.ntfy import Ntfy, NtfySettings
from notifyd.channels.settings import ChannelSettings
from notifyd.channels.slack import SlackSettings, slack_of
from notifyd.channels.telegram import Telegram, TelegramSettings
from notifyd.channels.transport import Transport
from notifyd.channels.webhook import Webhook, WebhookSettings
from notifyd.clock import Clock

S = TypeVar("S", bound=ChannelSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the daemon lends to its channels."""

    transport: Transport
    clock: Clock
    write: Write
    """Takes text for standard output; has to take any character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of channel: the `type` it has in the configuration, and how it is built."""

    name: str
    settings: type[ChannelSettings]
    build: Callable[[ChannelSettings, Tools], Channel]


def _kind(settings: type[S], make: Callable[[S, Tools], Channel]) -> Kind:
    name: str = settings.model_fields["type"].default

    def build(given: ChannelSettings, tools: Tools) -> Channel:
        if not isinstance(given, settings):
            raise TypeError(f"a {name} channel is not built from {type(given).__name__}")
        return make(given, tools)

    return Kind(name=name, settings=settings, build=build)


def _console(settings: ConsoleSettings, tools: Tools) -> Channel:
    coloured = wants_colour(settings.colour, sys.stdout, os.environ)
    return Console(tools.write, coloured, settings.timeout)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(ConsoleSettings, _console),
        _kind(DesktopSettings, lambda own, tools: Desktop(own, tools.transport)),
        _kind(DiscordSettings, lambda own, tools: Discord(own, tools.transport, tools.clock)),
        _kind(EmailSettings, lambda own, tools: Email(own, tools.transport, tools.clock)),
        _kind(MatrixSettings, lambda own, tools: Matrix(own, tools.transport, tools.clock)),
        _kind(NtfySettings, lambda own, tools: Ntfy(own, tools.transport, tools.clock)),
        _kind(SlackSettings, lambda own, tools: slack_of(own, tools.transport, tools.clock)),
        _kind(TelegramSettings, lambda own, tools: Telegram(own, tools.transport, tools.clock)),
        _kind(WebhookSettings, lambda own, tools: Webhook(own, tools.transport, tools.clock)),
    )
}
