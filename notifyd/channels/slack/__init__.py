"""Slack, and what takes Slack's webhooks (Mattermost, Rocket.Chat)."""

from __future__ import annotations

from notifyd.channels.base import Channel
from notifyd.channels.slack.bot import Bot
from notifyd.channels.slack.settings import SlackSettings
from notifyd.channels.slack.webhook import IncomingWebhook
from notifyd.channels.transport import Transport
from notifyd.clock import Clock

__all__ = ["SlackSettings", "slack_of"]


def slack_of(settings: SlackSettings, transport: Transport, clock: Clock) -> Channel:
    """Return the channel that the settings hold the key of; only the bot is Editable."""
    if settings.token:
        return Bot(settings, settings.token, transport, clock)
    if settings.webhook_url:
        return IncomingWebhook(settings, settings.webhook_url, transport, clock)
    raise ValueError("neither a token nor a webhook")
