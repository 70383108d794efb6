"""Incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

from __future__ import annotations

import json

import yarl

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault
from notifyd.channels.response import Response, accept, by_status, expect
from notifyd.channels.slack.errors import FAULTS
from notifyd.channels.slack.message import payload
from notifyd.channels.slack.settings import SlackSettings
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery
from notifyd.settings import Secret


class IncomingWebhook:
    """Posts to one incoming webhook; Slack gives no id by which to change what is posted."""

    def __init__(
        self, settings: SlackSettings, url: Secret, transport: Transport, clock: Clock
    ) -> None:
        self._settings = settings
        self._url = url
        self._transport = transport
        self._clock = clock

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the delivery, or raise Temporary- or PermanentFailure."""
        response = await self._transport.post(
            self._url,
            json.dumps(payload(delivery, self._settings)).encode(),
            {"Content-Type": "application/json; charset=utf-8"},
            self._settings.timeout,
        )
        receipt = accept(response, self._clock.now(), rich=not delivery.plain, judge=_fault)
        host = yarl.URL(self._url.get_secret_value()).host or ""
        expect(is_proof(response.text, host), response, "Slack")
        return receipt


def is_proof(text: str, host: str) -> bool:
    """Tell whether a 2xx from this host shows that the message was taken.

    Slack says `ok`; others that take the same say what they like, but not with a page.
    """
    if f".{host}".endswith(".slack.com"):
        return text.strip() == "ok"
    return not text.lstrip().lower().startswith(("<!doctype", "<html"))


def _fault(response: Response) -> Fault:
    return FAULTS.get(response.text.strip()) or by_status(response)
