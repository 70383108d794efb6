"""A bot with a token: https://docs.slack.dev/reference/methods/chat.postMessage"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.refs import checked_ref
from notifyd.channels.refusal import refusal
from notifyd.channels.response import DEFAULT_PAUSE, Response, accept, reason_of, wished
from notifyd.channels.slack.errors import FAULTS, NOT_NOW, TOO_MANY
from notifyd.channels.slack.message import payload
from notifyd.channels.slack.settings import SlackSettings
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery
from notifyd.settings import Secret

_REF = re.compile(r"[A-Z0-9]{1,40}:[0-9]{1,20}\.[0-9]{1,20}")
"""The id of a channel, and the time that is a message's id in it."""


class Bot:
    """Posts to one channel, and changes what it has posted."""

    def __init__(
        self, settings: SlackSettings, token: Secret, transport: Transport, clock: Clock
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._headers: dict[str, str | Secret] = {
            "Authorization": Secret(f"Bearer {token.get_secret_value()}"),
            "Content-Type": "application/json; charset=utf-8",
        }

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the delivery, or raise Temporary- or PermanentFailure."""
        return await self._call("chat.postMessage", delivery, payload(delivery, self._settings))

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Write the delivery over the message `ref`, or raise as `send` does."""
        channel, _, ts = checked_ref(ref, _REF).partition(":")
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
        if response.found("ok") is not True:
            raise _failure(response, now, rich)
        return Receipt(ref=_ref_in(response), status=response.status)


def _ref_in(response: Response) -> str | None:
    ref = f"{response.found('channel')}:{response.found('ts')}"
    return ref if _REF.fullmatch(ref) else None


def _failure(response: Response, now: float, rich: bool) -> TemporaryFailure | PermanentFailure:
    """Return what an answer means that is 200 and yet no success."""
    name, reason, status = response.found("error"), reason_of(response), response.status
    if name in TOO_MANY:
        pause = wished(response, now)
        return TemporaryFailure(reason, DEFAULT_PAUSE if pause is None else pause, status=status)
    if not isinstance(name, str) or name in NOT_NOW:
        return TemporaryFailure(reason, status=status)
    return refusal(reason, FAULTS.get(name, Fault.MESSAGE), rich=rich, status=status)
