"""Slack, by incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

from __future__ import annotations

import json
from typing import Any, Literal

from notifyd.channels.addresses import WebAddress
from notifyd.channels.base import Receipt
from notifyd.channels.response import accept
from notifyd.channels.settings import ChannelSettings, RateLimit
from notifyd.channels.severities import SYMBOLS
from notifyd.channels.text import clamp, fit_lines, one_line, strip_controls
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery

# docs.slack.dev/reference/block-kit/blocks: header 150, section text 3000, 10 fields of 2000
# each. Over all blocks about 13,200 characters are taken (bolt-js#2509), which these keep to.
_HEADER = 150
_BODY = 2500
_FIELDS_A_SECTION = 10
_FIELDS = 20
_LABEL = 60
_VALUE = 300
_FALLBACK = 1000


class SlackSettings(ChannelSettings):
    """Slack, and what speaks its language (Mattermost, Rocket.Chat)."""

    type: Literal["slack"] = "slack"
    rate_limit: RateLimit = RateLimit(max_requests=1, window=1.0, burst=3)
    """Slack takes one message a second and short bursts: docs.slack.dev/apis/web-api/rate-limits"""
    webhook_url: WebAddress
    username: str | None = None
    icon_emoji: str | None = None
    channel: str | None = None
    """The last three are heeded by legacy webhooks only; apps have theirs set in Slack."""


class Slack:
    """Posts to one incoming webhook."""

    def __init__(self, settings: SlackSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the delivery, or raise Temporary- or PermanentFailure."""
        response = await self._transport.post(
            self._settings.webhook_url,
            json.dumps(payload(delivery, self._settings)).encode(),
            {"Content-Type": "application/json; charset=utf-8"},
            self._settings.timeout,
        )
        return accept(response, self._clock.now())


def escape(text: str) -> str:
    """Return the text without mentions, links and channels: all of them start with `<`.

    Source: docs.slack.dev/messaging/formatting-message-text#escaping. Nothing else is to be
    escaped; `*` and `_` stay as they are, for Slack knows no way to write them.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def payload(delivery: Delivery, settings: SlackSettings) -> dict[str, Any]:
    """Return the message as the webhook takes it."""
    chosen = {
        "username": settings.username,
        "icon_emoji": settings.icon_emoji,
        "channel": settings.channel,
    }
    return {
        **{name: value for name, value in chosen.items() if value},
        "text": _fallback(delivery),
        "blocks": _blocks(delivery),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _blocks(delivery: Delivery) -> list[dict[str, Any]]:
    message = delivery.message
    title = f"{SYMBOLS[delivery.event.severity]} {one_line(message.title)}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": clamp(title, _HEADER, escape)}}
    ]
    if message.body:
        body = fit_lines(strip_controls(message.body), _BODY, escape)
        blocks.append({"type": "section", "text": _markdown(body)})
    fields = [_field(label, value) for label, value in message.facts[:_FIELDS]]
    sections = (fields[:_FIELDS_A_SECTION], fields[_FIELDS_A_SECTION:])
    blocks += [{"type": "section", "fields": section} for section in sections if section]
    return [*blocks, {"type": "context", "elements": [_markdown(_context(delivery))]}]


def _markdown(text: str) -> dict[str, Any]:
    # Verbatim: Slack is not to find links, channels or people in it by itself.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _field(label: str, value: str) -> dict[str, Any]:
    name = clamp(one_line(label), _LABEL, escape)
    return _markdown(f"*{name}*\n{clamp(one_line(value), _VALUE, escape)}")


def _context(delivery: Delivery) -> str:
    left_out = len(delivery.message.facts) - _FIELDS
    more = f"… and {left_out} more · " if left_out > 0 else ""
    source = clamp(one_line(delivery.event.source), _VALUE, escape)
    return f"{more}{source} · notifyd"


def _fallback(delivery: Delivery) -> str:
    """Return what notifications show, and what services that know no blocks show at all."""
    message = delivery.message
    title = f"{SYMBOLS[delivery.event.severity]} {one_line(message.title)}"
    return fit_lines(f"{title}\n{strip_controls(message.body)}".strip(), _FALLBACK, escape)
