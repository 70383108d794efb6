"""Notifications on the desktop, over the D-Bus session bus."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dbus_fast import BusType, DBusFastError, ErrorType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.refusal import refusal

_SERVICE = "org.freedesktop.Notifications"
_LET_THE_DESKTOP_DECIDE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class DesktopNote:
    """A notification as desktops take it; `body` is markup, `summary` is not."""

    summary: str
    body: str
    urgency: Literal[0, 1, 2]
    """Low, normal, critical."""
    replaces: int = 0
    """The id of the notification whose place it takes, without a sound; 0 for none."""
    rich: bool = False
    """Whether the body has more than plain text in it, see `refusal`."""


async def show(note: DesktopNote, bus: str | None, within: float) -> int:
    """Show a notification and return its id, see `Transport.notify_desktop`.

    Each opens a connection of its own, as notify-send does: the bus comes and goes with logins.
    """
    address = bus or _session_bus()
    try:
        async with asyncio.timeout(within), _connected(address) as connection:
            reply = await connection.call(_call(note))
    except TimeoutError:
        raise TemporaryFailure(f"the desktop did not answer within {within:g} s") from None
    except (DBusFastError, OSError, EOFError) as error:
        raise TemporaryFailure(
            f"the D-Bus session bus cannot be reached ({type(error).__name__}): "
            "is the desktop session still there?"
        ) from None
    if reply.message_type is MessageType.ERROR:
        raise _failure(reply.error_name or "no reason given", note)
    return int(reply.body[0])


def _session_bus() -> str:
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if address:
        return address
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere"), "bus")
    if path.is_socket():
        return f"unix:path={path}"
    raise TemporaryFailure(
        "there is no desktop session: DBUS_SESSION_BUS_ADDRESS is not set and "
        "$XDG_RUNTIME_DIR/bus is not there. Run notifyd where you are logged in to a desktop"
    )


@contextlib.asynccontextmanager
async def _connected(address: str) -> AsyncIterator[MessageBus]:
    bus = MessageBus(bus_address=address, bus_type=BusType.SESSION)
    await bus.connect()
    try:
        yield bus
    finally:
        bus.disconnect()


def _call(note: DesktopNote) -> Message:
    """Desktop Notifications Specification, `Notify`: susssasa{sv}i."""
    hints = {"urgency": Variant("y", note.urgency)}
    if note.replaces:
        hints["suppress-sound"] = Variant("b", True)
    shown = ["notifyd", note.replaces, "", note.summary, note.body]
    return Message(
        destination=_SERVICE,
        path="/org/freedesktop/Notifications",
        interface=_SERVICE,
        member="Notify",
        signature="susssasa{sv}i",
        body=[*shown, [], hints, _LET_THE_DESKTOP_DECIDE],
    )


def _failure(error_name: str, note: DesktopNote) -> TemporaryFailure | PermanentFailure:
    if error_name in (ErrorType.SERVICE_UNKNOWN.value, ErrorType.NAME_HAS_NO_OWNER.value):
        return TemporaryFailure(
            f"nothing shows notifications here: no program owns {_SERVICE} on the session bus"
        )
    reason = f"the desktop refused the notification ({error_name})"
    if error_name == ErrorType.INVALID_ARGS.value:
        return refusal(reason, Fault.FORM, rich=note.rich)
    return TemporaryFailure(reason)
