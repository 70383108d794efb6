"""Notifications on the user's own desktop."""

from __future__ import annotations

import html
from typing import Literal

from notifyd.channels.base import Receipt
from notifyd.channels.settings import ChannelSettings
from notifyd.channels.text import clamp, fit_lines, one_line, strip_controls
from notifyd.channels.transport import DesktopNote, Transport
from notifyd.model import Delivery, Severity

# The specification sets no limits; desktops show about this much.
_SUMMARY = 120
_BODY = 600

_URGENCY: dict[Severity, Literal[0, 1, 2]] = {
    Severity.INFO: 0,
    Severity.SUCCESS: 1,
    Severity.WARNING: 1,
    Severity.ERROR: 2,
    Severity.CRITICAL: 2,
}
"""Critical ones stay until they are clicked away (Desktop Notifications Specification)."""


class DesktopSettings(ChannelSettings):
    """The desktop that the daemon's user is logged in to."""

    type: Literal["desktop"] = "desktop"
    bus: str | None = None
    """The D-Bus address of the session, if it is not the daemon's own."""


def escape(text: str) -> str:
    """Return the text without markup; quotes only matter inside of tags."""
    return html.escape(text, quote=False)


class Desktop:
    """Shows notifications through the session bus."""

    def __init__(self, settings: DesktopSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        """Show the delivery, or raise TemporaryFailure."""
        message = delivery.message
        note = DesktopNote(
            summary=clamp(one_line(message.title), _SUMMARY),
            body=fit_lines(strip_controls(message.body), _BODY, escape),
            urgency=_URGENCY[delivery.event.severity],
        )
        await self._transport.notify_desktop(note, self._settings.bus, self._settings.timeout)
        return Receipt()
