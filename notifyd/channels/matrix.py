"""Matrix: https://spec.matrix.org/latest/client-server-api/#sending-events-to-a-room"""

from __future__ import annotations

import html
import json
import re
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import StringConstraints

from notifyd.channels.addresses import ServerAddress
from notifyd.channels.base import Receipt
from notifyd.channels.plain import below_title, plain_text, title_of
from notifyd.channels.refs import placed, placed_here
from notifyd.channels.response import Response, accept, expect
from notifyd.channels.settings import EditableSettings, RateLimit
from notifyd.channels.text import clamp
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery
from notifyd.settings import Secret

# spec.matrix.org/latest/client-server-api/#size-limits: 65,536 bytes an event. A change says
# both forms twice, and a unit becomes four bytes at most: 2 * 4 * (3000 + 250 + 4000) = 58,000.
_TEXT = 3000
_TITLE = 250
_PAGE = 4000

_EVENT = re.compile(r"\$[!-~]{1,254}")


class MatrixSettings(EditableSettings):
    """A room, and an account that is in it. What is sent there is not encrypted."""

    type: Literal["matrix"] = "matrix"
    rate_limit: RateLimit = RateLimit(max_requests=1, window=5.0, burst=10)
    """What Synapse allows an account unless it is told otherwise (`rc_message`):
    element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_message"""
    homeserver: ServerAddress
    """Where the account is at home, as https://matrix.org."""
    room_id: Annotated[str, StringConstraints(pattern=r"^![!-~]+$", max_length=255)]
    """The room's own id, as !abc:matrix.org, not its #name."""
    access_token: Secret
    """The token of the account, which has to have joined the room."""


class Matrix:
    """Sends to one room, and changes what it sent."""

    def __init__(self, settings: MatrixSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._headers: dict[str, str | Secret] = {
            "Authorization": Secret(f"Bearer {settings.access_token.get_secret_value()}"),
            "Content-Type": "application/json",
        }

    async def send(self, delivery: Delivery) -> Receipt:
        """Send the delivery, or raise Temporary- or PermanentFailure.

        The server takes one with the same id once, however often it is sent.
        """
        response = await self._put(delivery, delivery.id, payload(delivery))
        event = str(response.found("event_id"))
        ref = placed(event, self._settings.room_id) if _EVENT.fullmatch(event) else None
        return Receipt(ref=ref, status=response.status)

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Put the delivery in the place of the event `ref`, or raise as `send` does."""
        event = placed_here(ref, self._settings.room_id, _EVENT)
        changed = replacement(payload(delivery), event)
        response = await self._put(delivery, f"{delivery.id}.edit", changed)
        return Receipt(ref=ref, status=response.status)

    async def _put(self, delivery: Delivery, transaction: str, content: Any) -> Response:
        settings = self._settings
        room, once = quote(settings.room_id, safe=""), quote(transaction, safe="")
        path = f"_matrix/client/v3/rooms/{room}/send/m.room.message/{once}"
        response = await self._transport.post(
            Secret(f"{settings.homeserver}/{path}"),
            json.dumps(content).encode(),
            self._headers,
            settings.timeout,
            "PUT",
        )
        accept(response, self._clock.now(), rich=not delivery.plain)
        expect(response.found("event_id") is not None, response, "Matrix")
        return response


def escape(text: str) -> str:
    """Return the text as HTML."""
    return html.escape(text)


def payload(delivery: Delivery) -> dict[str, Any]:
    """Return the content of the event; the plain one has no page beside its text."""
    text = {
        "msgtype": "m.text",
        "body": plain_text(delivery, _TEXT),
        "m.mentions": {},  # nobody, whatever names are in the text
    }
    if delivery.plain:
        return text
    title = clamp(title_of(delivery), _TITLE, escape)
    page = f"<strong>{title}</strong>\n{below_title(delivery.message, _PAGE, escape)}"
    markup = {"format": "org.matrix.custom.html", "formatted_body": page.replace("\n", "<br>")}
    return {**text, **markup}


def replacement(content: dict[str, Any], event: str) -> dict[str, Any]:
    """Return the content that takes the place of an event's.

    Source: spec.matrix.org/latest/client-server-api/#event-replacements. Programs that know
    nothing of replacements show the outer text, by custom behind a star.
    """
    return {
        **content,
        "body": f"* {content['body']}",
        "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": event},
    }
