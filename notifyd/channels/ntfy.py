"""ntfy, to phones: https://docs.ntfy.sh/publish/"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from notifyd.channels.addresses import ServerAddress
from notifyd.channels.base import Receipt
from notifyd.channels.plain import below_title
from notifyd.channels.refs import checked_ref
from notifyd.channels.response import Response, accept, expect, reason_of, too_many
from notifyd.channels.settings import EditableSettings, RateLimit
from notifyd.channels.text import clamp, octets, one_line
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery, Severity
from notifyd.settings import Secret

# docs.ntfy.sh/publish/#limitations: 4096 bytes; what is longer arrives as a file.
_MESSAGE = 4096
_TITLE = 250

# docs.ntfy.sh/publish/#message-priority and /emojis/: the tag becomes a picture at the title.
_PRIORITIES = {
    Severity.INFO: 2,
    Severity.SUCCESS: 3,
    Severity.WARNING: 4,
    Severity.ERROR: 4,
    Severity.CRITICAL: 5,
}
_SILENT = 2
_TAGS = {
    Severity.INFO: "small_blue_diamond",
    Severity.SUCCESS: "white_check_mark",
    Severity.WARNING: "warning",
    Severity.ERROR: "x",
    Severity.CRITICAL: "rotating_light",
}

_DAILY_QUOTA = 42908
"""The `code` of an answer: all that a day may have is used up."""
_QUOTA_PAUSE = 3600.0

_NAME = re.compile(r"[-_A-Za-z0-9]{1,64}")
"""A topic, and a sequence id."""


def _topic(topic: Secret) -> Secret:
    if not _NAME.fullmatch(topic.get_secret_value()):
        raise ValueError("a topic has 1 to 64 letters, digits, `_` and `-`, and no address around")
    return topic


class NtfySettings(EditableSettings):
    """A topic on a server of ntfy."""

    type: Literal["ntfy"] = "ntfy"
    rate_limit: RateLimit = RateLimit(max_requests=1, window=5.0, burst=30)
    """ntfy.sh takes 60 at once, and then one in 5 s (docs.ntfy.sh/publish/#limitations); of the
    first, half is left to others at the same address."""
    server: ServerAddress = "https://ntfy.sh"
    """The address of the server, without the topic."""
    topic: Annotated[Secret, AfterValidator(_topic)]
    """A secret, for whoever knows it can read it."""
    token: Secret | None = None
    """An access token (`tk_…`), for a topic that not everybody may write to."""


class Ntfy:
    """Publishes to one topic; what is published again under the same id takes its place.

    A server before 2.16 knows no such ids and would show both: only one that repeats ours in its
    answer, as later ones do (docs.ntfy.sh/subscribe/api/#json-message-format), is asked to.
    """

    def __init__(self, settings: NtfySettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._headers: dict[str, str | Secret] = {"Content-Type": "application/json"}
        if settings.token:
            bearer = f"Bearer {settings.token.get_secret_value()}"
            self._headers["Authorization"] = Secret(bearer)

    async def send(self, delivery: Delivery) -> Receipt:
        """Publish the delivery, or raise Temporary- or PermanentFailure."""
        return await self._publish(payload(delivery), delivery.id)

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Publish it silently in the place of the message `ref`, or raise as `send` does."""
        content = payload(delivery)
        quiet = {**content, "priority": min(content["priority"], _SILENT)}
        return await self._publish(quiet, checked_ref(ref, _NAME))

    async def _publish(self, content: dict[str, Any], ref: str) -> Receipt:
        topic = self._settings.topic
        named = {"topic": topic.get_secret_value(), "sequence_id": ref, **content}
        response = await self._transport.post(
            Secret(self._settings.server),
            json.dumps(named).encode(),
            self._headers,
            self._settings.timeout,
            besides=(topic,),
        )
        _accept(response, self._clock.now())
        understood = response.found("sequence_id") == response.blot(ref)
        return Receipt(ref=ref if understood else None, status=response.status)


def payload(delivery: Delivery) -> dict[str, Any]:
    """Return what is said, as the server takes it; nothing in it is markup."""
    severity, message = delivery.event.severity, delivery.message
    details = below_title(message, _MESSAGE, size=octets)
    return {
        "title": clamp(one_line(message.title), _TITLE, size=octets),
        # An empty one would be shown as "triggered".
        "message": details or clamp(one_line(delivery.event.source), _TITLE, size=octets),
        "priority": _PRIORITIES[severity],
        "tags": [_TAGS[severity]],
    }


def _accept(response: Response, now: float) -> None:
    if response.status == 429 and response.found("code") == _DAILY_QUOTA:
        raise too_many(response, now, reason_of(response), _QUOTA_PAUSE)
    accept(response, now)
    expect(isinstance(response.found("id"), str), response, "ntfy")
