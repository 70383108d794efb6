"""A message as Slack takes it: https://docs.slack.dev/reference/block-kit/blocks"""

from __future__ import annotations

from typing import Any

from notifyd.channels.plain import plain_text, title_of
from notifyd.channels.slack.settings import SlackSettings
from notifyd.channels.text import clamp, fit_lines, one_line, strip_controls
from notifyd.model import Delivery

# docs.slack.dev/reference/block-kit/blocks: header 150, section text 3000, 10 fields of 2000
# each. Over all blocks about 13,200 characters are taken (bolt-js#2509), which these keep to.
# Of a text without blocks, 4000 are advised: docs.slack.dev/reference/methods/chat.postMessage
_HEADER = 150
_BODY = 2500
_FIELDS_A_SECTION = 10
_FIELDS = 20
_LABEL = 60
_VALUE = 300
_FALLBACK = 1000
_PLAIN = 3500


def escape(text: str) -> str:
    """Return the text without mentions, links and channels: all of them start with `<`.

    Source: docs.slack.dev/messaging/formatting-message-text#escaping. Nothing else is to be
    escaped; `*` and `_` stay as they are, for Slack knows no way to write them.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def payload(delivery: Delivery, settings: SlackSettings) -> dict[str, Any]:
    """Return the message as webhooks and bots take it; the plain one has no blocks."""
    chosen = {
        "username": settings.username,
        "icon_emoji": settings.icon_emoji,
        "channel": settings.channel,
    }
    return {
        **{name: value for name, value in chosen.items() if value},
        **_said(delivery),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _said(delivery: Delivery) -> dict[str, Any]:
    if delivery.plain:
        return {"text": plain_text(delivery, _PLAIN, escape)}
    return {"text": _fallback(delivery), "blocks": _blocks(delivery)}


def _blocks(delivery: Delivery) -> list[dict[str, Any]]:
    message = delivery.message
    title = clamp(title_of(delivery), _HEADER, escape)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title}}
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
    text = f"{title_of(delivery)}\n{strip_controls(delivery.message.body)}"
    return fit_lines(text.strip(), _FALLBACK, escape)
