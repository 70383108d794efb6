"""Does the daemon run, and with the configuration that is there?"""

from __future__ import annotations

from notifyd.cli import text
from notifyd.cli.checks.finding import Finding, failed, ok, warning
from notifyd.cli.context import Context
from notifyd.client import Json, NotRunning, Refused

_START = "systemctl --user start notifyd\nor, in a terminal: notifyd run"


def check_daemon(context: Context, changed: float) -> Finding:
    """Return how the daemon is; `changed` is when the configuration was (Unix seconds)."""
    try:
        status = context.client().status()
    except NotRunning:
        return warning("daemon", "The daemon is not running: nobody watches your jobs", _START)
    except Refused as error:
        mend = f"Stop the process that owns {context.socket}, and start notifyd anew."
        return failed("daemon", f"The daemon does not answer as it should: {error}", mend)
    return judge(status, str(context.config), changed)


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
