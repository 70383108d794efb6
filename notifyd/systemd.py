"""Tells systemd how the daemon is (sd_notify(3)); silent where there is no systemd."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class Systemd:
    """The notification socket of one service."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):  # an abstract socket
            self._address = "\0" + self._address[1:]
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(microseconds) / 1e6 if mine and microseconds.isdigit() else None
        """Seconds after which systemd takes a silent daemon for hung; None without a watchdog."""

    def ready(self, status: str) -> None:
        self._tell(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        self._tell("RELOADING=1")

    def stopping(self) -> None:
        self._tell("STOPPING=1\nSTATUS=Stopping")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        # systemd gone or deaf is no reason to stop telling people about their jobs.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.setblocking(False)
            door.connect(self._address)
            door.send(text.encode())
