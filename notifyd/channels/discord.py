"""Discord, by webhook: https://discord.com/developers/docs/resources/webhook#execute-webhook"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, StringConstraints

from notifyd.channels.addresses import WebAddress
from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault
from notifyd.channels.plain import plain_text, title_of
from notifyd.channels.refs import NUMBER, checked_ref
from notifyd.channels.response import Response, accept, by_status, expect
from notifyd.channels.settings import EditableSettings, RateLimit
from notifyd.channels.severities import COLOURS
from notifyd.channels.text import clamp, fit_lines, one_line, strip_controls, units
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery
from notifyd.settings import Secret

# discord.com/developers/docs/resources/message#embed-object-embed-limits: title 256,
# description 4096, 25 fields (name 256, value 1024), 6000 in all of them together. Without an
# embed, the content has 2000: discord.com/developers/docs/resources/webhook#execute-webhook
_CONTENT = 2000
_TITLE = 256
_BODY = 2500
_FIELDS = 25
_LABEL = 60
_VALUE = 400
_FOOTER = 200
_TOGETHER = 6000
_INLINE = 30

_UNKNOWN_MESSAGE = 10008
"""discord.com/developers/docs/topics/opcodes-and-status-codes#json"""

# The colon keeps `https:` from becoming a link, `:name:` an emoji and `<t:0>` a date.
_MARKUP = re.compile(r"([\\*_~`|<>#\[\]()@:])")
_LIST = re.compile(r"^([^\S\n]*)(?=[-+])|^([^\S\n]*\d+)(?=\.)", re.MULTILINE)


# discord.com/developers/docs/resources/webhook#create-webhook: refused in any case of letters.
_NOT_IN_A_NAME = ("clyde", "discord")


def _checked_name(name: str) -> str:
    for word in _NOT_IN_A_NAME:
        if word in name.lower():
            raise ValueError(f"Discord takes no name with `{word}` in it")
    return name


Username = Annotated[
    str, StringConstraints(min_length=1, max_length=80), AfterValidator(_checked_name)
]


class DiscordSettings(EditableSettings):
    """A Discord channel's webhook."""

    type: Literal["discord"] = "discord"
    rate_limit: RateLimit = RateLimit(max_requests=25, window=60.0, burst=5)
    """Discord tells its limits only in its answers, which are heeded. Seen were 5 in 2 s and 30 in
    60 s a webhook (github.com/discord/discord-api-docs/issues/367): burst and rate keep to both."""
    webhook_url: WebAddress
    """As Discord shows it; with `?thread_id=…` behind it, it posts to that thread."""
    username: Username | None = None
    """The name that is shown in place of the webhook's own; the plain form goes without it."""


class Discord:
    """Posts embeds to one webhook, and changes them."""

    def __init__(self, settings: DiscordSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the delivery, or raise Temporary- or PermanentFailure."""
        content = payload(delivery, self._settings.username)
        # Without `wait`, Discord answers 204 even for what it throws away.
        response = await self._request("POST", self._address(wait="true"), content)
        accept(response, self._clock.now(), rich=not delivery.plain)
        id = response.found("id")
        expect(id is not None, response, "Discord")
        known = isinstance(id, str) and NUMBER.fullmatch(id)
        return Receipt(ref=str(id) if known else None, status=response.status)

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Write the delivery over the message `ref`, or raise as `send` does."""
        # What is not named would stay as it was.
        content = {"content": "", "embeds": [], **payload(delivery)}
        address = self._address(f"/messages/{checked_ref(ref)}")
        response = await self._request("PATCH", address, content)
        accept(response, self._clock.now(), rich=not delivery.plain, judge=_fault)
        expect(response.found("id") is not None, response, "Discord")
        return Receipt(ref=ref, status=response.status)

    async def _request(self, method: str, url: Secret, content: Mapping[str, Any]) -> Response:
        body, headers = json.dumps(content).encode(), {"Content-Type": "application/json"}
        return await self._transport.post(url, body, headers, self._settings.timeout, method)

    def _address(self, below: str = "", **query: str) -> Secret:
        """Return the webhook's address with this added; its own query keeps the thread."""
        parts = urlsplit(self._settings.webhook_url.get_secret_value())
        kept = [pair for pair in parse_qsl(parts.query) if pair[0] != "wait"]
        path, asked = parts.path.rstrip("/") + below, urlencode([*kept, *query.items()])
        return Secret(urlunsplit(parts._replace(path=path, query=asked)))


def escape(text: str) -> str:
    """Return the text with a backslash before all that is, or could begin, markup."""
    return _LIST.sub(lambda match: f"{match[0]}\\", _MARKUP.sub(r"\\\1", text))


def payload(delivery: Delivery, username: str | None = None) -> dict[str, Any]:
    """Return the message as the webhook takes it. Nobody is ever mentioned."""
    named = {"username": username} if username and not delivery.plain else {}
    return {**named, **_said(delivery), "allowed_mentions": {"parse": []}}


def _said(delivery: Delivery) -> dict[str, Any]:
    if delivery.plain:
        return {"content": plain_text(delivery, _CONTENT, escape)}
    return {"embeds": [_embed(delivery)]}


def _fault(response: Response) -> Fault:
    # Its status is 404, as that of an unknown webhook.
    gone = response.found("code") == _UNKNOWN_MESSAGE
    return Fault.MESSAGE if gone else by_status(response)


def _embed(delivery: Delivery) -> dict[str, Any]:
    event, message = delivery.event, delivery.message
    embed: dict[str, Any] = {
        "title": clamp(title_of(delivery), _TITLE, escape),
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
