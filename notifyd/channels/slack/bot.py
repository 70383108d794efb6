"""A bot with a token: https://docs.slack.dev/reference/methods/chat.postMessage"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from notifyd.channels.base import Receipt
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.refs import placed, placed_here
from notifyd.channels.refusal import refusal
from notifyd.channels.response import Response, accept, expect, reason_of, too_many
from notifyd.channels.slack.errors import FAULTS, NOT_LISTED, NOT_NOW, TOO_MANY
from notifyd.channels.slack.message import payload
from notifyd.channels.slack.settings import SlackSettings
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery
from notifyd.settings import Secret

_ID = re.compile(r"[A-Z0-9]{1,40}:[0-9]{1,20}\.[0-9]{1,20}")
"""The id of a channel, and the time that is a message's id in it."""


class Bot:
    """Posts to one channel, and changes what it has posted."""

    def __init__(
        self, settings: SlackSettings, token: Secret, transport: Transport, clock: Clock
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._place = settings.channel or ""
        self._headers: dict[str, str | Secret] = {
            "Authorization": Secret(f"Bearer {token.get_secret_value()}"),
            "Content-Type": "application/json; charset=utf-8",
        }

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the delivery, or raise Temporary- or PermanentFailure."""
        return await self._call("chat.postMessage", delivery, payload(delivery, self._settings))

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Write the delivery over the message `ref`, or raise as `send` does."""
        channel, _, ts = placed_here(ref, self._place, _ID).partition(":")
        # Named even if there are none: else the old ones may stay in their place.
        content = {"blocks": [], **payload(delivery, self._settings), "channel": channel, "ts": ts}
        return await self._call("chat.update", delivery, content)

    async def _call(self, method: str, delivery: Delivery, content: Mapping[str, Any]) -> Receipt:
        response = await self._transport.post(
            Secret(f"{self._settings.api_url}/{method}"),
            json.dumps(content).encode(),
            self._headers,
            self._settings.timeout,
        )
        rich, now = not delivery.plain, self._clock.now()
        accept(response, now, rich=rich)
        expect(isinstance(response.found("ok"), bool), response, "Slack")
        if response.found("ok") is not True:
            raise _failure(method, response, now, rich)
        id = f"{response.found('channel')}:{response.found('ts')}"
        ref = placed(id, self._place) if _ID.fullmatch(id) else None
        return Receipt(ref=ref, status=response.status)


def _failure(
    method: str, response: Response, now: float, rich: bool
) -> TemporaryFailure | PermanentFailure:
    """Return what an answer means that is 200 and yet no success."""
    name, reason, status = str(response.found("error")), reason_of(response), response.status
    if name in TOO_MANY:
        return too_many(response, now, reason)
    if name in NOT_NOW:
        return TemporaryFailure(reason, status=status)
    return refusal(reason, FAULTS.get(name, NOT_LISTED[method]), rich=rich, status=status)
