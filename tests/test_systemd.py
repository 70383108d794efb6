"""What systemd is told, on a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifyd.systemd import Systemd


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """The other side: a socket like the one systemd listens on, of both sorts."""
    abstract = f"\0{tmp_path.name}-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(abstract if request.param == "abstract" else str(tmp_path / "notify"))
        door.settimeout(5)
        yield door


def told_through(manager: socket.socket) -> Systemd:
    """Return the daemon's side of it, found as systemd names it in the environment."""
    address = manager.getsockname()
    name = address if isinstance(address, str) else "@" + address[1:].decode()
    return Systemd({"NOTIFY_SOCKET": name})


def test_ready_comes_with_a_status_for_people(manager: socket.socket) -> None:
    """`systemctl status` shows the second line."""
    told_through(manager).ready("Watching your jobs")

    assert manager.recv(4096) == b"READY=1\nSTATUS=Watching your jobs"


def test_a_reload_ends_with_ready(manager: socket.socket) -> None:
    """Otherwise systemd would wait for its end until a time-out."""
    systemd = told_through(manager)
    systemd.reloading()
    systemd.ready("Watching")

    assert manager.recv(4096) == b"RELOADING=1"
    assert manager.recv(4096).startswith(b"READY=1")


def test_alive_and_stopping_are_told(manager: socket.socket) -> None:
    """The watchdog is fed, and the stop begins with a word about it."""
    systemd = told_through(manager)
    systemd.alive()
    systemd.stopping()

    assert manager.recv(4096) == b"WATCHDOG=1"
    assert manager.recv(4096).startswith(b"STOPPING=1\n")


def test_without_systemd_nothing_is_told() -> None:
    """On a terminal there is no socket, and no watchdog."""
    systemd = Systemd({})
    systemd.ready("Watching")

    assert systemd.watchdog_seconds is None


def test_a_socket_that_is_gone_harms_nothing(tmp_path: Path) -> None:
    """The user's manager may end before the daemon does."""
    path = tmp_path / "gone"
    Systemd({"NOTIFY_SOCKET": str(path)}).alive()

    assert not path.exists()


@pytest.mark.timeout(30)
def test_a_deaf_systemd_does_not_hold_the_loop_up(manager: socket.socket) -> None:
    """The event loop itself tells: with the queue full, it has to go on at once."""
    systemd = told_through(manager)
    for _ in range(5000):
        systemd.alive()

    assert manager.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_this_process_s_or_none(
    environ: dict[str, str], expected: float | None
) -> None:
    """One that was meant for a parent is not fed by a child that inherits its environment."""
    assert Systemd(environ).watchdog_seconds == expected
