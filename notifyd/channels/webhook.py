"""The user's own web service: a structured CloudEvent, signed as in Standard Webhooks.

Specifications: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
and https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import datetime
import hmac
import json
import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from notifyd.channels.addresses import WebAddress
from notifyd.channels.base import Receipt
from notifyd.channels.response import accept
from notifyd.channels.settings import Batch, ChannelSettings
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery, Event, Scalar
from notifyd.settings import Secret

_PREFIX = "whsec_"
_JSON = json.JSONEncoder(ensure_ascii=False)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = re.compile(r"(?i)webhook-.*|content-(type|length)|transfer-encoding|connection|host")


def _one_text(value: object) -> object:
    """Let several keys be a list, as well as one text with blanks."""
    if not isinstance(value, list | tuple):
        return value
    return " ".join(v.get_secret_value() if isinstance(v, Secret) else str(v) for v in value)


def _keys_of(secret: Secret) -> list[bytes]:
    """Return the signing keys. Raises ValueError, without the secret in it, if one is bad."""
    keys = []
    for word in secret.get_secret_value().split():
        try:
            key = base64.b64decode(word.removeprefix(_PREFIX), validate=True)
        except ValueError:
            raise ValueError(f"a key has to be {_PREFIX} and then base64") from None
        if not 24 <= len(key) <= 64:
            raise ValueError(f"a key has to have 24 to 64 bytes, this one has {len(key)}")
        keys.append(key)
    if not keys:
        raise ValueError("there is no key in it; leave it out to send without a signature")
    return keys


def _checked_keys(secret: Secret) -> Secret:
    _keys_of(secret)
    return secret


def _checked_headers(headers: dict[str, Secret]) -> dict[str, Secret]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            # Not repeated: who forgets the blank after a colon has a secret in it.
            raise ValueError("one of its keys is not the name of a header")
        if _OURS.fullmatch(name):
            raise ValueError(f"the header {name} is set by notifyd itself")
        if not value.get_secret_value().isprintable():
            raise ValueError(f"the value of the header {name} holds a control character")
    return headers


SigningKeys = Annotated[Secret, BeforeValidator(_one_text), AfterValidator(_checked_keys)]


class WebhookSettings(ChannelSettings):
    """Where the events are posted, and how the receiver knows that they are ours."""

    type: Literal["webhook"] = "webhook"
    batch: Batch | None = None
    url: WebAddress
    """Where the events go."""
    method: Literal["POST", "PUT"] = "POST"
    """What the receiver expects."""
    headers: Annotated[dict[str, Secret], AfterValidator(_checked_headers)] = Field(
        default_factory=dict
    )
    """More headers, such as `Authorization`; their values are secrets."""
    secret: SigningKeys | None = None
    """`whsec_` and base64 of 24 to 64 bytes; several, for a change of keys, each sign."""


class Webhook:
    """Posts events as they are, for programs to read."""

    def __init__(self, settings: WebhookSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._keys = _keys_of(settings.secret) if settings.secret else []
        self._headers: dict[str, str | Secret] = {
            **settings.headers,
            "content-type": "application/cloudevents+json; charset=utf-8",
        }

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the event, or raise Temporary- or PermanentFailure."""
        settings = self._settings
        body = cloud_event(delivery)
        signature = signed(delivery.id, int(self._clock.now()), body, self._keys)
        headers = {**self._headers, **signature}
        response = await self._transport.post(
            settings.url, body, headers, settings.timeout, method=settings.method
        )
        return accept(response, self._clock.now())


def cloud_event(delivery: Delivery) -> bytes:
    """Return the event as structured JSON; what it does not know is left out."""
    event = delivery.event
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": _rfc3339(event.time),
        "datacontenttype": "application/json",
        "data": {
            **_known(event),
            "severity": str(event.severity),
            "title": delivery.message.title,
        },
    }
    if not event.subject:
        del envelope["subject"]  # may not be empty, but absent
    # A job name can hold bytes that are no text; they must not keep the rest from arriving.
    return _JSON.encode(envelope).encode("utf-8", "replace")


def signed(message_id: str, timestamp: int, body: bytes, keys: list[bytes]) -> dict[str, str]:
    """Return the headers of Standard Webhooks: id, time of this attempt, and signatures."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    content = f"{message_id}.{timestamp}.".encode() + body
    digests = [hmac.digest(key, content, "sha256") for key in keys]
    if digests:
        headers["webhook-signature"] = " ".join(
            f"v1,{base64.b64encode(digest).decode()}" for digest in digests
        )
    return headers


def _known(event: Event) -> dict[str, Scalar]:
    """Return the data without None, and without the numbers that JSON cannot write."""
    return {
        name: value
        for name, value in event.data.items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }


def _rfc3339(seconds: float) -> str:
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
