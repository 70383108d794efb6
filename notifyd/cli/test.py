"""`notifyd test`."""

from __future__ import annotations

import sys

import click

from notifyd.cli.context import Context, places
from notifyd.client import NotRunning


@click.command("test")
@click.option("--channel", required=True, metavar="NAME", help="The channel to try.")
@places
@click.pass_context
def command(ctx: click.Context, channel: str) -> None:
    """Send a test message to a channel at once, past its queue, and say how it went."""
    context: Context = ctx.obj
    try:
        context.client().test(channel)
        trouble = None
    except NotRunning:
        trouble = _send_directly(context, channel)
    if trouble:
        click.echo(f"notifyd: {trouble}", err=True)
        sys.exit(1)
    click.echo(f"{channel} took a test message.")


def _send_directly(context: Context, channel: str) -> str | None:
    """Return why the message could not be sent, or None."""
    from notifyd.cli.direct import enabled_channels, send_test
    from notifyd.cli.environment import service_environment
    from notifyd.config.load import load
    from notifyd.config.problems import ConfigError

    try:
        config = load(context.config, service_environment(context.environ))
    except ConfigError as error:
        return f"the configuration cannot be used:\n{error}"
    channels = enabled_channels(config)
    if channel not in channels:
        return f"no channel `{channel}`; there are: {', '.join(channels) or 'none'}"
    click.echo("The daemon is not running; sending directly.", err=True)
    reason = send_test(config, [channel], context.environ)[channel]
    return f"{channel}: {reason}" if reason else None
