"""Asks systemd's user manager, and knows whether it outlives the last session."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LINGER = Path("/var/lib/systemd/linger")
"""Holds an empty file for each user whose services outlive their sessions (logind)."""

_QUICK = 10.0
_START = 120.0
"""Seconds; systemd itself waits 90 s for a service to be ready (DefaultTimeoutStartSec)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How `systemctl` ended, and the last line that says something."""

    done: bool
    text: str


class UserManager:
    """The systemd that runs services of the user who asks."""

    def __init__(self, environ: Mapping[str, str], quick: float = _QUICK) -> None:
        self._environ = environ
        self._quick = quick

    def trouble(self) -> str | None:
        """Return why there is no user manager to speak to, or None when there is one."""
        if not self._environ.get("XDG_RUNTIME_DIR"):
            return "XDG_RUNTIME_DIR is not set: this is no full login session"
        answer = self._ask("show-environment", within=self._quick)
        return None if answer.done else answer.text

    def reread(self) -> Answer:
        """Have it read changed units."""
        return self._ask("daemon-reload", within=_START)

    def start(self) -> Answer:
        """Start the service, anew if it runs, and at each boot or login; wait until it is ready.

        Only a start takes a changed unit and changed variables.
        """
        # Failed starts count no more; where systemd does not know the service there are none.
        self._ask("reset-failed", "notifyd", within=self._quick)
        enabled = self._ask("enable", "notifyd", within=_START)
        return self._ask("restart", "notifyd", within=_START) if enabled.done else enabled

    def enabled(self) -> Answer:
        """Tell whether the service starts by itself; the text is systemd's word for how it is."""
        return self._ask("is-enabled", "notifyd", within=self._quick)

    def active(self) -> bool:
        """Tell whether the service runs, or is about to."""
        return self._ask("is-active", "notifyd", within=self._quick).text in (
            "active",
            "activating",
        )

    def _ask(self, *arguments: str, within: float) -> Answer:
        try:
            process = subprocess.run(
                ["systemctl", "--user", "--no-pager", *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**self._environ, "LC_ALL": "C.UTF-8"},
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(done=False, text=f"systemctl gave no answer within {within:g} s")
        except OSError as error:
            return Answer(done=False, text=f"systemctl cannot be run: {error.strerror}")
        said = (process.stderr.strip() or process.stdout.strip()).decode("utf-8", "replace")
        # The last line of a failed start only says where to read more.
        lines = [line for line in said.splitlines() if not line.startswith("See ")]
        return Answer(done=process.returncode == 0, text=lines[-1] if lines else "no reason given")


def lingers(user: str, folder: Path = LINGER) -> bool:
    """Tell whether the user's services outlive the last session."""
    return (folder / user).exists()
