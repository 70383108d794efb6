"""Does each channel take a message?"""

from __future__ import annotations

from collections.abc import Mapping

from notifyd.channels.settings import ChannelSettings
from notifyd.cli.checks.finding import Finding, failed, ok
from notifyd.cli.direct import enabled_channels, send_test
from notifyd.config.schema import Config


def look_at(config: Config, environ: Mapping[str, str], send: bool) -> list[Finding]:
    """Return how each channel takes a test message, or that it was not tried."""
    channels = enabled_channels(config)
    if not send:
        return [not_tried(name, one) for name, one in channels.items()]
    # What a console channel would print is not for the middle of a report.
    reasons = send_test(config, channels, environ, write=lambda text: None)
    return [tried(name, one, reasons[name]) for name, one in channels.items()]


def tried(name: str, settings: ChannelSettings, reason: str | None) -> Finding:
    """Return how a channel took its test message."""
    if reason is None:
        return ok(f"channel:{name}", f"Channel {name} ({settings.type}) took a test message")
    mend = f"Mend `channels: {name}:`, then: notifyd test --channel {name}"
    return failed(f"channel:{name}", f"Channel {name} ({settings.type}): {reason}", mend)


def not_tried(name: str, settings: ChannelSettings) -> Finding:
    """Return that a channel is there, and no more."""
    words = f"Channel {name} ({settings.type}) is configured; not tried (--no-send)"
    return ok(f"channel:{name}", words)
