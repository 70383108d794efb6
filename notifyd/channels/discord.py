"""Discord, by webhook: https://discord.com/developers/docs/resources/webhook#execute-webhook"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import StringConstraints

from notifyd.channels.addresses import WebAddress
from notifyd.channels.base import Receipt
from notifyd.channels.response import accept
from notifyd.channels.settings import ChannelSettings, RateLimit
from notifyd.channels.severities import COLOURS, SYMBOLS
from notifyd.channels.text import clamp, fit_lines, one_line, strip_controls, units
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery
from notifyd.settings import Secret

# discord.com/developers/docs/resources/message#embed-object-embed-limits: title 256,
# description 4096, 25 fields (name 256, value 1024), 6000 in all of them together.
_TITLE = 256
_BODY = 2500
_FIELDS = 25
_LABEL = 60
_VALUE = 400
_FOOTER = 200
_TOGETHER = 6000
_INLINE = 30

# The colon keeps `https:` from becoming a link, `:name:` an emoji and `<t:0>` a date.
_MARKUP = re.compile(r"([\\*_~`|<>#\[\]()@:])")
_LIST = re.compile(r"^([^\S\n]*)(?=[-+])|^([^\S\n]*\d+)(?=\.)", re.MULTILINE)


class DiscordSettings(ChannelSettings):
    """A Discord channel's webhook."""

    type: Literal["discord"] = "discord"
    rate_limit: RateLimit = RateLimit(max_requests=1, window=1.0, burst=5)
    """Discord tells its limit only in its answers, which are heeded; this keeps well below."""
    webhook_url: WebAddress
    username: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None


class Discord:
    """Posts embeds to one webhook."""

    def __init__(self, settings: DiscordSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._url = Secret(_waiting(settings.webhook_url.get_secret_value()))

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the delivery, or raise Temporary- or PermanentFailure."""
        response = await self._transport.post(
            self._url,
            json.dumps(payload(delivery, self._settings.username)).encode(),
            {"Content-Type": "application/json"},
            self._settings.timeout,
        )
        return accept(response, self._clock.now())


def escape(text: str) -> str:
    """Return the text with a backslash before all that is, or could begin, markup."""
    return _LIST.sub(lambda match: f"{match[0]}\\", _MARKUP.sub(r"\\\1", text))


def payload(delivery: Delivery, username: str | None = None) -> dict[str, Any]:
    """Return the message as the webhook takes it. Nobody is ever mentioned."""
    named = {"username": username} if username else {}
    return {**named, "embeds": [_embed(delivery)], "allowed_mentions": {"parse": []}}


def _waiting(url: str) -> str:
    """Add `wait=true`: without it Discord answers 204 even for what it throws away."""
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query) if pair[0] != "wait"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("wait", "true")])))


def _embed(delivery: Delivery) -> dict[str, Any]:
    event, message = delivery.event, delivery.message
    title = f"{SYMBOLS[event.severity]} {one_line(message.title)}"
    embed: dict[str, Any] = {
        "title": clamp(title, _TITLE, escape),
        "description": fit_lines(strip_controls(message.body), _BODY, escape),
        "color": int(COLOURS[event.severity][1:], 16),
        # A footer knows no markup: a backslash would be seen.
        "footer": {"text": clamp(f"{one_line(event.source)} · notifyd", _FOOTER)},
        "timestamp": datetime.datetime.fromtimestamp(event.time, datetime.UTC).isoformat(),
    }
    used = units(embed["title"] + embed["description"] + embed["footer"]["text"])
    embed["fields"] = list(_fields(message.facts, _TOGETHER - used))
    return embed


def _fields(facts: tuple[tuple[str, str], ...], room: int) -> Iterator[dict[str, Any]]:
    for label, value in facts[:_FIELDS]:
        name = clamp(one_line(label) or "–", _LABEL, escape)
        text = clamp(one_line(value) or "–", _VALUE, escape)
        room -= units(name + text)
        if room < 0:
            return
        yield {"name": name, "value": text, "inline": units(text) <= _INLINE}
