"""Notifications on the user's own desktop."""

from __future__ import annotations

import dataclasses
import html
import re
from typing import Literal

from notifyd.channels.base import Receipt
from notifyd.channels.refs import checked_ref
from notifyd.channels.settings import EditableSettings
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

_ID = re.compile(r"[0-9]{1,9}")
_LOOK_ALIKES = str.maketrans("<>&", "‹›+")


class DesktopSettings(EditableSettings):
    """The desktop that the daemon's user is logged in to."""

    type: Literal["desktop"] = "desktop"
    bus: str | None = None
    """The D-Bus address of the session, if it is not the daemon's own."""


def escape(text: str) -> str:
    """Return the text without markup; quotes only matter inside of tags."""
    return html.escape(text, quote=False)


def without_markup(text: str) -> str:
    """Return text that reads the same whether or not the desktop looks for markup in it."""
    return text.translate(_LOOK_ALIKES)


class Desktop:
    """Shows notifications through the session bus."""

    def __init__(self, settings: DesktopSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        """Show the delivery, or raise Temporary- or PermanentFailure."""
        return await self._show(note_of(delivery))

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Show it in the place of the notification `ref`, or raise as `send` does."""
        replaced = int(checked_ref(ref, _ID))
        return await self._show(dataclasses.replace(note_of(delivery), replaces=replaced))

    async def _show(self, note: DesktopNote) -> Receipt:
        settings = self._settings
        shown = await self._transport.notify_desktop(note, settings.bus, settings.timeout)
        return Receipt(ref=str(shown))


def note_of(delivery: Delivery) -> DesktopNote:
    """Return the notification: one line of title, and the body below it."""
    message = delivery.message
    written = without_markup if delivery.plain else escape
    return DesktopNote(
        summary=clamp(one_line(message.title), _SUMMARY),
        body=fit_lines(strip_controls(message.body), _BODY, written),
        urgency=_URGENCY[delivery.event.severity],
        rich=not delivery.plain,
    )
