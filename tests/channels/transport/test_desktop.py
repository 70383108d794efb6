"""Desktop notifications on a real D-Bus session bus."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from notifyd.channels.desktop import Desktop, DesktopSettings
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.transport import DesktopNote, Transport
from notifyd.model import Severity
from tests.channels.parts import HOSTILE, delivery_of, hostile_delivery

NOTE = DesktopNote(summary="a job", body="ended", urgency=1)


@pytest.fixture
def bus() -> Iterator[str]:
    with subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        text=True,
    ) as daemon:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()
        daemon.terminate()


@dataclass(slots=True)
class Shell:
    """The program that shows notifications."""

    shown: list[list[Any]] = field(default_factory=list)
    refuses: str | None = None
    """The name of the error that it answers with."""

    def take(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.member != "Notify":
            return None
        if self.refuses:
            return Message.new_error(message, self.refuses, "no")
        assert message.signature == "susssasa{sv}i"
        self.shown.append(message.body)
        return Message.new_method_return(message, "u", [message.body[1] or len(self.shown)])


@pytest.fixture
async def shell(bus: str) -> AsyncIterator[Shell]:
    shell = Shell()
    connection = await MessageBus(bus_address=bus).connect()
    connection.add_message_handler(shell.take)
    await connection.request_name("org.freedesktop.Notifications")
    yield shell
    connection.disconnect()


@pytest.mark.system
async def test_a_note_is_shown(transport: Transport, bus: str, shell: Shell) -> None:
    """Name, summary, body and urgency reach the desktop, which decides for how long."""
    shown = await transport.notify_desktop(NOTE, bus, 5.0)
    ((app, replaces, _, summary, body, actions, hints, expires),) = shell.shown

    assert (app, replaces, summary, body) == ("notifyd", 0, "a job", "ended")
    assert (actions, expires, shown) == ([], -1, 1)
    assert (hints["urgency"].signature, hints["urgency"].value) == ("y", 1)


@pytest.mark.system
async def test_the_bus_of_the_environment_is_used(
    transport: Transport, bus: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an address of its own, the channel uses the session that the daemon runs in."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    await transport.notify_desktop(NOTE, None, 5.0)

    assert len(shell.shown) == 1


@pytest.mark.system
@pytest.mark.parametrize(
    ("severity", "urgency"), [(Severity.INFO, 0), (Severity.SUCCESS, 1), (Severity.ERROR, 2)]
)
async def test_urgency_follows_severity(
    transport: Transport, bus: str, shell: Shell, severity: Severity, urgency: int
) -> None:
    """A failure stays on the screen, a start does not."""
    await Desktop(DesktopSettings(bus=bus), transport).send(delivery_of(severity=severity))

    assert shell.shown[0][6]["urgency"].value == urgency


@pytest.mark.system
@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_only_text(
    transport: Transport, bus: str, shell: Shell, text: str
) -> None:
    """No name brings markup into the body or more than one line into the summary."""
    await Desktop(DesktopSettings(bus=bus), transport).send(hostile_delivery(text))
    _, _, _, summary, body, *_ = shell.shown[0]

    assert summary.isprintable()
    assert not {"<", ">"} & set(body)


@pytest.mark.system
@pytest.mark.parametrize("text", HOSTILE)
async def test_the_plain_form_has_no_markup(
    transport: Transport, bus: str, shell: Shell, text: str
) -> None:
    """It reads the same on a desktop that looks for markup and on one that does not."""
    await Desktop(DesktopSettings(bus=bus), transport).send(hostile_delivery(text, plain=True))

    assert not {"<", ">", "&"} & set(shell.shown[0][4])


@pytest.mark.system
async def test_a_note_takes_the_place_of_another(
    transport: Transport, bus: str, shell: Shell
) -> None:
    """The id of the first is kept, and only the first makes a sound."""
    desktop = Desktop(DesktopSettings(bus=bus), transport)
    first = await desktop.send(delivery_of())
    assert first.ref is not None
    second = await desktop.edit(delivery_of(), first.ref)

    assert first == second
    assert [note[1] for note in shell.shown] == [0, int(first.ref)]
    assert ["suppress-sound" in note[6] for note in shell.shown] == [False, True]


@pytest.mark.system
@pytest.mark.parametrize(("plain", "fault"), [(False, Fault.FORM), (True, Fault.MESSAGE)])
async def test_a_body_that_is_not_taken_is_tried_without_markup(
    transport: Transport, bus: str, shell: Shell, plain: bool, fault: Fault
) -> None:
    """Some desktops check what they are given; once it is plain, it is given up."""
    shell.refuses = "org.freedesktop.DBus.Error.InvalidArgs"
    with pytest.raises(PermanentFailure) as failure:
        await Desktop(DesktopSettings(bus=bus), transport).send(delivery_of(plain=plain))

    assert failure.value.fault is fault


@pytest.mark.system
async def test_nobody_shows_notifications(transport: Transport, bus: str) -> None:
    """A bus without a notification program is temporary, and the words say what is missing."""
    with pytest.raises(TemporaryFailure, match=r"no program owns org\.freedesktop\.Notifications"):
        await transport.notify_desktop(NOTE, bus, 5.0)


@pytest.mark.system
async def test_a_refusal_is_temporary(transport: Transport, bus: str, shell: Shell) -> None:
    """The desktop's own error is named."""
    shell.refuses = "org.test.Full"
    with pytest.raises(TemporaryFailure, match=r"org\.test\.Full"):
        await transport.notify_desktop(NOTE, bus, 5.0)


@pytest.mark.parametrize(
    "address", ["unix:path=/nowhere/bus", "nonsense", "tcp:host=127.0.0.1,port=1"]
)
async def test_an_unreachable_bus_is_temporary(transport: Transport, address: str) -> None:
    """Whatever is wrong with the bus, it may be there after the next login."""
    with pytest.raises(TemporaryFailure, match="session bus cannot be reached"):
        await transport.notify_desktop(NOTE, address, 5.0)


async def test_no_session_says_what_is_missing(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a desktop session the words name the two places that were looked at."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with pytest.raises(TemporaryFailure, match=r"DBUS_SESSION_BUS_ADDRESS.*XDG_RUNTIME_DIR"):
        await transport.notify_desktop(NOTE, None, 5.0)


async def test_a_bus_that_says_nothing_is_left_in_time(
    transport: Transport, tmp_path: Path
) -> None:
    """It takes the connection and never answers."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "bus"))
        silent.listen()
        async with asyncio.timeout(10):
            with pytest.raises(TemporaryFailure):
                await transport.notify_desktop(NOTE, f"unix:path={tmp_path}/bus", 0.3)
