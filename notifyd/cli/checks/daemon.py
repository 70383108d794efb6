"""Does the daemon run, and with the configuration that is there?"""

from __future__ import annotations

from notifyd.cli import text
from notifyd.cli.checks.finding import Finding, failed, ok, warning
from notifyd.cli.context import Context
from notifyd.client import Json, NotRunning, Refused

_START = "systemctl --user start notifyd\nor, in a terminal: notifyd run"


def check_daemon(context: Context, changed: float) -> tuple[Finding, Json | None]:
    """Return how the daemon is, and what it says of itself when it answers.

    `changed` is when the configuration was (Unix seconds).
    """
    try:
        status = context.client().status()
    except NotRunning:
        words = "The daemon is not running: nobody watches your jobs"
        return warning("daemon", words, _START), None
    except Refused as error:
        mend = f"Stop the process that owns {context.socket}, and start notifyd anew."
        return failed("daemon", f"The daemon does not answer as it should: {error}", mend), None
    return judge(status, str(context.config), changed), status


def judge(status: Json, config: str, changed: float) -> Finding:
    """Return how a daemon is that has this status."""
    if status["config"] != config:
        mend = "Name the same one with --config, or start the daemon with the other."
        words = f"The daemon runs with another configuration, {status['config']}"
        return warning("daemon", words, mend)
    if status["config_trouble"]:
        mend = "Mend what is listed above, then: notifyd reload"
        return warning("daemon", "The daemon refused the last reload; the old config goes on", mend)
    if changed > status["config_loaded"]:
        words = "The configuration has changed since the daemon read it"
        return warning("daemon", words, "notifyd reload")
    up = text.span(status["uptime_seconds"])
    return ok("daemon", f"The daemon is running (process {status['pid']}, up {up})")
